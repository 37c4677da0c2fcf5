//! Idempotency of mutating RPCs: the answer is stored in the transaction of the effect, by the caller's request id
//! and a fingerprint of the command. The same id with the same content gives the stored answer; with other content it
//! is a mistake of the caller.

use jiff::Timestamp;
use prost::Message;
use sea_orm::FromQueryResult;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::{
    db::{Tx, execute, micros, select},
    failpoints::failpoint,
    problem::{Kind, Problem},
};

/// What is known of a request id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Replay {
    /// It was not seen before: do the work, then [`finish_request`].
    New,
    /// It was answered with these bytes: give the same answer.
    Stored(Vec<u8>),
}

/// Claims `request_id` for `method` inside the transaction of the effect. A second transaction with the same id waits
/// for the first. Errors: INVALID_ARGUMENT for an id which is no UUID, and `REQUEST_ID_REUSED`.
pub async fn begin_request(tx: &Tx, method: &str, request_id: &str, fingerprint: [u8; 32]) -> Result<Replay, Problem> {
    let id = parse(request_id)?;
    let insert = "INSERT INTO request_log (method, request_id, fingerprint, response, answered_at) \
                  VALUES ($1, $2, $3, $4, 0) ON CONFLICT (method, request_id) DO NOTHING";
    let values = [
        method.into(),
        id.into(),
        fingerprint.to_vec().into(),
        Vec::<u8>::new().into(),
    ];
    failpoint!("request.begin");
    if execute(&**tx, insert, values).await? == 1 {
        return Ok(Replay::New);
    }
    let query = "SELECT fingerprint, response FROM request_log WHERE method = $1 AND request_id = $2";
    let rows: Vec<Stored> = select(&**tx, query, [method.into(), id.into()]).await?;
    match rows.into_iter().next() {
        Some(stored) if stored.fingerprint == fingerprint => Ok(Replay::Stored(stored.response)),
        Some(_) => {
            let message = "request_id: it was used before for another request";
            Err(Problem::new(Kind::InvalidArgument, "REQUEST_ID_REUSED", message).with("request_id", id))
        }
        None => Err(Problem::aborted(
            "CONCURRENT_CHANGE",
            "the request log was pruned meanwhile",
        )),
    }
}

/// Stores the answer to a request which [`begin_request`] called new, in the same transaction.
pub async fn finish_request(
    tx: &Tx,
    method: &str,
    request_id: &str,
    fingerprint: [u8; 32],
    response: &[u8],
    now: Timestamp,
) -> Result<(), Problem> {
    failpoint!("request.finish");
    let update = "UPDATE request_log SET response = $1, answered_at = $2 \
                  WHERE method = $3 AND request_id = $4 AND fingerprint = $5";
    let id = parse(request_id)?;
    let values = [
        response.to_vec().into(),
        micros(now).into(),
        method.into(),
        id.into(),
        fingerprint.to_vec().into(),
    ];
    match execute(&**tx, update, values).await? {
        1 => Ok(()),
        _ => Err(Problem::internal(format!("request {id} of {method} was not begun"))),
    }
}

/// SHA-256 of the encoded message. The caller clears `request_id` first.
pub fn fingerprint<M: Message>(message: &M) -> [u8; 32] {
    Sha256::digest(message.encode_to_vec()).into()
}

#[derive(FromQueryResult)]
struct Stored {
    fingerprint: Vec<u8>,
    response: Vec<u8>,
}

fn parse(request_id: &str) -> Result<Uuid, Problem> {
    Uuid::parse_str(request_id).map_err(|_| Problem::invalid_field("request_id", "must be a UUID"))
}
