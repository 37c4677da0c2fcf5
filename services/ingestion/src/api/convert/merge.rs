//! Merges and suggestions on the wire.

use jiff::Timestamp;
use prost::Message as _;
use upswell_proto::ingestion::v1 as pb;
use upswell_runtime::{paging::next_token, problem::Problem};

use super::out::wire_time;
use crate::{
    api::requests::{LIST_DUPLICATES, LIST_MERGES},
    domain::merge::{Merge, Undone},
    store::account::Lookalike,
};

pub(crate) fn merge_to_wire(merge: &Merge) -> pb::Merge {
    let Merge {
        merge_id,
        account_id,
        merged_account_id,
        actor,
        at,
        reason,
        undone,
    } = merge.clone();
    let (undo_time, undo_actor, undo_reason) = match undone {
        Some(Undone { actor, at, reason }) => (Some(wire_time(at)), actor, reason),
        None => (None, String::new(), String::new()),
    };
    pb::Merge {
        merge_id,
        account_id,
        merged_account_id,
        actor,
        merge_time: Some(wire_time(at)),
        reason,
        undo_time,
        undo_actor,
        undo_reason,
    }
}

pub(crate) fn encode_merge(merge: &Merge) -> Vec<u8> {
    merge_to_wire(merge).encode_to_vec()
}

/// The merge of a stored answer. Errors: INTERNAL when the store holds something else.
pub(crate) fn decode_merge(bytes: &[u8]) -> Result<Merge, Problem> {
    let pb::Merge {
        merge_id,
        account_id,
        merged_account_id,
        actor,
        merge_time,
        reason,
        undo_time,
        undo_actor,
        undo_reason,
    } = pb::Merge::decode(bytes).map_err(Problem::internal)?;
    let undone = undo_time.map(|at| {
        Ok::<_, Problem>(Undone {
            actor: undo_actor,
            at: instant(at)?,
            reason: undo_reason,
        })
    });
    Ok(Merge {
        merge_id,
        account_id,
        merged_account_id,
        actor,
        at: instant(merge_time.unwrap_or_default())?,
        reason,
        undone: undone.transpose()?,
    })
}

fn instant(wire: prost_types::Timestamp) -> Result<Timestamp, Problem> {
    Timestamp::new(wire.seconds, wire.nanos).map_err(Problem::internal)
}

/// `found` holds one merge more than a page where there are more.
pub(crate) fn merges_page(account_id: &str, size: u32, found: &[(i64, Merge)]) -> pb::ListMergesResponse {
    let shown = found.len().min(size as usize);
    let more = (found.len() > shown).then(|| found[..shown].last()).flatten();
    let token = |(id, _): &(i64, Merge)| next_token(LIST_MERGES, account_id.as_bytes(), &id.to_string());
    pb::ListMergesResponse {
        merges: found[..shown].iter().map(|(_, merge)| merge_to_wire(merge)).collect(),
        next_page_token: more.map(token).unwrap_or_default(),
    }
}

/// `found` holds one pair more than a page where there are more.
pub(crate) fn duplicates_page(size: u32, found: &[(Lookalike, Option<u8>)]) -> pb::ListDuplicateAccountsResponse {
    let shown = found.len().min(size as usize);
    let more = (found.len() > shown).then(|| found[..shown].last()).flatten();
    let duplicates = found[..shown].iter().filter_map(|(pair, percent)| {
        Some(pb::DuplicateAccounts {
            account_id: pair.first_id.clone(),
            display_name: pair.first_name.clone(),
            other_account_id: pair.other_id.clone(),
            other_display_name: pair.other_name.clone(),
            similarity_percent: (*percent)?.into(),
        })
    });
    pb::ListDuplicateAccountsResponse {
        duplicates: duplicates.collect(),
        next_page_token: more
            .map(|(pair, _)| next_token(LIST_DUPLICATES, b"", &pair.key()))
            .unwrap_or_default(),
    }
}
