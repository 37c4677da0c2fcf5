//! Answers that come in pieces: a task makes them, a short channel keeps it from running ahead of the caller.

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;
use tracing::Instrument as _;
use upswell_proto::ingestion::v1 as pb;
use upswell_runtime::{paging::next_token, problem::Problem};

use super::{
    convert::facts_to_wire,
    requests::{AccountsAsked, STREAM_ACCOUNT_FACTS},
};
use crate::app::App;

/// A stream of answers.
pub(super) type Answers<T> = ReceiverStream<Result<T, Status>>;

/// Accounts read at a time, which bounds the memory of a stream.
const ACCOUNTS: u32 = 50;
/// Answers made ahead of the caller.
const AHEAD: usize = 16;

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
        let ids: Vec<String> = page.items.iter().map(|(account_id, ..)| account_id.clone()).collect();
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
