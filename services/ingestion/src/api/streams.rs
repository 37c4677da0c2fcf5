//! Answers that come in pieces: a task makes them, a short channel keeps it from running ahead of the caller.

use tokio::sync::{mpsc, oneshot};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};
use tracing::Instrument as _;
use upswell_proto::ingestion::v1 as pb;
use upswell_runtime::{paging::next_token, problem::Problem};

use super::{
    convert::{answer_to_wire, facts_to_wire},
    requests::{self, AccountsAsked, STREAM_ACCOUNT_FACTS},
};
use crate::app::{Answer, App, answered};

/// A stream of answers.
pub(super) type Answers<T> = ReceiverStream<Result<T, Status>>;

/// Accounts read at a time, which bounds the memory of a stream.
const ACCOUNTS: u32 = 50;
/// Answers made ahead of the caller.
const AHEAD: usize = 16;
/// Batches of one stream that are taken before the first of them is answered: enough to share transactions.
const BATCHES: usize = 8;

/// All accounts after the asked one, by id.
pub(super) fn account_facts(app: App, asked: AccountsAsked) -> Answers<pb::StreamAccountFactsResponse> {
    let (answers, stream) = mpsc::channel(AHEAD);
    let work = async move {
        if let Err(problem) = send_accounts(&app, asked, &answers).await {
            // The caller is gone when this fails, and learns nothing.
            let _ = answers.send(Err(problem.into())).await;
        }
    };
    tokio::spawn(work.in_current_span());
    ReceiverStream::new(stream)
}

async fn send_accounts(
    app: &App,
    mut asked: AccountsAsked,
    answers: &mpsc::Sender<Result<pb::StreamAccountFactsResponse, Status>>,
) -> Result<(), Problem> {
    asked.page.size = ACCOUNTS;
    loop {
        let page = app.accounts(&asked.segment, &asked.page).await?;
        let ids: Vec<String> = page.items.iter().map(|it| it.account_id.clone()).collect();
        for account in app.account_facts(&ids, asked.range).await? {
            let resume_token = next_token(STREAM_ACCOUNT_FACTS, &asked.fingerprint, &account.account_id);
            let account = Some(facts_to_wire(account, asked.range));
            let answer = pb::StreamAccountFactsResponse { account, resume_token };
            if answers.send(Ok(answer)).await.is_err() {
                return Ok(());
            }
        }
        let Some(next) = page.next else { return Ok(()) };
        asked.page.after = Some(next);
    }
}

/// A batch that was taken: its number, and what it waits for.
type Taken = (i64, Result<oneshot::Receiver<Answer>, Problem>);

/// Takes batches while there is room and answers each when it is durable, in their order. A caller that does not read its
/// answers is not read from either.
pub(super) fn facts(app: App, batches: Streaming<pb::StreamFactsRequest>) -> Answers<pb::StreamFactsResponse> {
    let (taken, waiting) = mpsc::channel(BATCHES);
    let (answers, stream) = mpsc::channel(1);
    tokio::spawn(take_batches(app, batches, taken).in_current_span());
    tokio::spawn(answer_batches(waiting, answers));
    ReceiverStream::new(stream)
}

/// Until the caller ends the stream, breaks it, or sends a batch that is refused as a whole.
async fn take_batches(app: App, mut batches: Streaming<pb::StreamFactsRequest>, taken: mpsc::Sender<Taken>) {
    while let Ok(Some(batch)) = batches.message().await {
        let pb::StreamFactsRequest { sequence, facts } = batch;
        let request = pb::RecordFactsRequest {
            request_id: String::new(),
            facts,
        };
        let answer = app.enqueue(requests::record_facts(request, app.horizon())).await;
        let refused = answer.is_err();
        if taken.send((sequence, answer)).await.is_err() || refused {
            return;
        }
    }
}

async fn answer_batches(
    mut waiting: mpsc::Receiver<Taken>,
    answers: mpsc::Sender<Result<pb::StreamFactsResponse, Status>>,
) {
    while let Some((sequence, taken)) = waiting.recv().await {
        let outcomes = match taken {
            Ok(answer) => answered(answer).await,
            Err(problem) => Err(problem),
        };
        let failed = outcomes.is_err();
        let answer = outcomes.map(|outcomes| pb::StreamFactsResponse {
            sequence,
            outcome: Some(answer_to_wire(&outcomes)),
        });
        if answers.send(answer.map_err(Status::from)).await.is_err() || failed {
            return;
        }
    }
}
