//! The same request gives the same answer: the transaction of a mutating RPC with its place in the request log.

use prost::Message;
use tonic::Status;
use upswell_runtime::{
    db::Tx,
    problem::Problem,
    requests::{Replay, begin_request, fingerprint, finish_request},
};

use crate::app::App;

/// What a fingerprint is taken of.
#[derive(Clone, PartialEq, Message)]
struct Asked {
    #[prost(bytes = "vec", tag = "1")]
    content: Vec<u8>,
    #[prost(string, tag = "2")]
    actor: String,
}

/// A request that is being carried out.
pub(super) struct Call {
    pub(super) tx: Tx,
    method: &'static str,
    request_id: String,
    fingerprint: [u8; 32],
}

/// How a request begins.
pub(super) enum Begun<R> {
    /// It was answered before.
    Answered(R),
    /// It is new.
    New(Box<Call>),
}

/// Begins the transaction of a request. `content` is the request without its id, and `actor` who asks: another
/// person's request is another request.
pub(super) async fn begin<R: Message + Default>(
    app: &App,
    method: &'static str,
    request_id: String,
    content: &impl Message,
    actor: Option<&str>,
) -> Result<Begun<R>, Problem> {
    let tx = app.db.begin().await?;
    let fingerprint = fingerprint(&Asked {
        content: content.encode_to_vec(),
        actor: actor.unwrap_or_default().to_owned(),
    });
    match begin_request(&tx, method, &request_id, fingerprint).await? {
        Replay::New => Ok(Begun::New(Box::new(Call {
            tx,
            method,
            request_id,
            fingerprint,
        }))),
        Replay::Stored(bytes) => R::decode(bytes.as_slice())
            .map(Begun::Answered)
            .map_err(Problem::internal),
    }
}

impl Call {
    /// Stores the answer, commits, and wakes what has work now.
    pub(super) async fn finish<R: Message>(self, app: &App, answer: R) -> Result<R, Status> {
        let Self {
            tx,
            method,
            request_id,
            fingerprint,
        } = self;
        let now = app.clock.now();
        finish_request(&tx, method, &request_id, fingerprint, &answer.encode_to_vec(), now).await?;
        tx.commit().await?;
        app.wake.notify_waiters();
        Ok(answer)
    }
}
