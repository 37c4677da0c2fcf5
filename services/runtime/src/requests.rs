//! Idempotency of mutating RPCs: the answer is stored in the transaction of the effect, by the caller's request id
//! and a fingerprint of the command. The same id with the same content gives the stored answer; with other content it
//! is a mistake of the caller.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use prost::Message;
use sea_orm::FromQueryResult;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::{
    db::{Column, Rows, Tx, micros},
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

/// A request: its id and the fingerprint of its content.
pub type Asked<'a> = (&'a str, [u8; 32]);

/// Claims `request_id` for `method` inside the transaction of the effect. A second transaction with the same id waits
/// for the first. Errors: INVALID_ARGUMENT for an id which is no UUID, and `REQUEST_ID_REUSED`.
pub async fn begin_request(tx: &Tx, method: &str, request_id: &str, fingerprint: [u8; 32]) -> Result<Replay, Problem> {
    let begun = begin_requests(tx, method, &[(request_id, fingerprint)]).await?;
    let unknown = || Err(Problem::internal("a request was not looked up"));
    begun.into_iter().next().unwrap_or_else(unknown)
}

/// As [`begin_request`] for requests under different ids, in their order. Errors of the whole: the store's.
pub async fn begin_requests(
    tx: &Tx,
    method: &str,
    asked: &[Asked<'_>],
) -> Result<Vec<Result<Replay, Problem>>, Problem> {
    let ids: Vec<Result<Uuid, Problem>> = asked.iter().map(|(id, _)| parse(id)).collect();
    let mut wanted: Vec<(Uuid, [u8; 32])> = ids
        .iter()
        .zip(asked)
        .filter_map(|(id, (_, fingerprint))| Some((*id.as_ref().ok()?, *fingerprint)))
        .collect();
    // In one order, so that no two writers wait for each other.
    wanted.sort_unstable();
    let columns = [
        ("method", Column::Text),
        ("request_id", Column::Uuid),
        ("fingerprint", Column::Bytes),
        ("response", Column::Bytes),
        ("answered_at", Column::BigInt),
    ];
    let mut rows = Rows::new(columns);
    for (id, fingerprint) in &wanted {
        let (fingerprint, nothing) = (fingerprint.to_vec(), Vec::<u8>::new());
        rows.push([
            method.into(),
            (*id).into(),
            fingerprint.into(),
            nothing.into(),
            0_i64.into(),
        ]);
    }
    failpoint!("request.begin");
    let tail = "ON CONFLICT (method, request_id) DO NOTHING RETURNING request_id";
    let inserted = rows.insert_returning(tx, "request_log", tail).await?;
    let new: BTreeSet<Uuid> = (inserted.iter().map(|row| row.try_get("", "request_id"))).collect::<Result<_, _>>()?;
    let known = stored(
        tx,
        method,
        wanted.iter().map(|(id, _)| *id).filter(|id| !new.contains(id)),
    )
    .await?;
    let replay = |(id, (_, fingerprint)): (Result<Uuid, Problem>, &Asked<'_>)| {
        let id = id?;
        match known.get(&id) {
            _ if new.contains(&id) => Ok(Replay::New),
            Some(stored) if stored.fingerprint == fingerprint => Ok(Replay::Stored(stored.response.clone())),
            Some(_) => {
                let message = "request_id: it was used before for another request";
                Err(Problem::new(Kind::InvalidArgument, "REQUEST_ID_REUSED", message).with("request_id", id))
            }
            None => Err(Problem::aborted(
                "CONCURRENT_CHANGE",
                "the request log was pruned meanwhile",
            )),
        }
    };
    Ok(ids.into_iter().zip(asked).map(replay).collect())
}

async fn stored(tx: &Tx, method: &str, ids: impl Iterator<Item = Uuid>) -> Result<BTreeMap<Uuid, Stored>, Problem> {
    let mut rows = Rows::new([("request_id", Column::Uuid)]);
    ids.for_each(|id| rows.push([id.into()]));
    // The name of a method is ours.
    let select = |rows: &str| {
        format!(
            "SELECT l.request_id, l.fingerprint, l.response FROM {rows} \
             JOIN request_log l ON l.method = '{method}' AND l.request_id = r.request_id"
        )
    };
    let found = rows.read(tx, select).await?;
    let stored = found.iter().map(|row| {
        let stored = Stored::from_query_result(row, "")?;
        Ok((stored.request_id, stored))
    });
    stored.collect()
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
    let answer = ((request_id, fingerprint), response.to_vec());
    finish_requests(tx, method, vec![answer], now).await
}

/// Stores the answers to requests which [`begin_requests`] called new, in the same transaction.
pub async fn finish_requests(
    tx: &Tx,
    method: &str,
    answers: Vec<(Asked<'_>, Vec<u8>)>,
    now: Timestamp,
) -> Result<(), Problem> {
    failpoint!("request.finish");
    let columns = [
        ("request_id", Column::Uuid),
        ("fingerprint", Column::Bytes),
        ("response", Column::Bytes),
        // In the text it would make every statement another.
        ("answered_at", Column::BigInt),
    ];
    let (mut rows, wanted) = (Rows::new(columns), answers.len() as u64);
    for ((id, fingerprint), response) in answers {
        let fingerprint = fingerprint.to_vec();
        rows.push([
            parse(id)?.into(),
            fingerprint.into(),
            response.into(),
            micros(now).into(),
        ]);
    }
    // The name of a method is ours.
    let update = |rows: &str| {
        format!(
            "UPDATE request_log SET response = r.response, answered_at = r.answered_at FROM {rows} \
             WHERE request_log.method = '{method}' AND request_log.request_id = r.request_id \
             AND request_log.fingerprint = r.fingerprint"
        )
    };
    match rows.write(tx, update).await? {
        changed if changed == wanted => Ok(()),
        changed => Err(Problem::internal(format!(
            "{changed} of {wanted} requests of {method} were begun"
        ))),
    }
}

/// SHA-256 of the encoded message. The caller clears `request_id` first.
pub fn fingerprint<M: Message>(message: &M) -> [u8; 32] {
    Sha256::digest(message.encode_to_vec()).into()
}

#[derive(FromQueryResult)]
struct Stored {
    request_id: Uuid,
    fingerprint: Vec<u8>,
    response: Vec<u8>,
}

fn parse(request_id: &str) -> Result<Uuid, Problem> {
    Uuid::parse_str(request_id).map_err(|_| Problem::invalid_field("request_id", "must be a UUID"))
}
