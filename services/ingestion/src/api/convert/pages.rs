//! Pages on the wire.

use upswell_proto::ingestion::v1 as pb;
use upswell_runtime::{paging::next_token, problem::Problem};

use super::{
    fact::decode,
    out::{fact_to_wire, wire_time},
    view::account_to_wire,
};
use crate::{
    api::requests::{LIST_ACCOUNTS, LIST_CONFLICTS, LIST_FACTS},
    app::{AccountsPage, ConflictsPage, FactsPage, ListedFact},
    store::conflict::{Resolution, StoredConflict},
};

pub(crate) fn accounts_page(segment: &str, page: AccountsPage) -> pb::ListAccountsResponse {
    let token = |key: String| next_token(LIST_ACCOUNTS, segment.as_bytes(), &key);
    let accounts = page
        .items
        .iter()
        .map(|it| account_to_wire(&it.account_id, it.parts.clone(), it.created, &it.profiles));
    pb::ListAccountsResponse {
        accounts: accounts.collect(),
        next_page_token: page.next.map(token).unwrap_or_default(),
    }
}

pub(crate) fn facts_page(fingerprint: &[u8], page: FactsPage) -> pb::ListFactsResponse {
    let token = |key: String| next_token(LIST_FACTS, fingerprint, &key);
    let recorded = |ListedFact {
                        fact,
                        recorded,
                        superseded_by,
                    }| pb::RecordedFact {
        fact: Some(fact_to_wire(&fact)),
        record_time: Some(wire_time(recorded)),
        superseded_by_external_id: superseded_by,
    };
    pb::ListFactsResponse {
        facts: page.items.into_iter().map(recorded).collect(),
        next_page_token: page.next.map(token).unwrap_or_default(),
    }
}

/// Errors: INTERNAL when the store holds something else.
pub(crate) fn conflicts_page(fingerprint: &[u8], page: &ConflictsPage) -> Result<pb::ListConflictsResponse, Problem> {
    let token = |key: &String| next_token(LIST_CONFLICTS, fingerprint, key);
    Ok(pb::ListConflictsResponse {
        conflicts: page.items.iter().map(conflict_to_wire).collect::<Result<_, _>>()?,
        next_page_token: page.next.as_ref().map(token).unwrap_or_default(),
    })
}

/// Errors: INTERNAL when the store holds something else.
pub(crate) fn conflict_to_wire(conflict: &StoredConflict) -> Result<pb::Conflict, Problem> {
    let (resolution, resolver, resolve_time, reason) = match &conflict.resolved {
        Some(resolved) => {
            let resolution = match resolved.resolution {
                Resolution::Keep => pb::conflict::Resolution::Keep,
                Resolution::Replace => pb::conflict::Resolution::Replace,
            };
            let (actor, reason) = (resolved.actor.clone(), resolved.reason.clone());
            (resolution, actor, Some(wire_time(resolved.at)), reason)
        }
        None => (
            pb::conflict::Resolution::Unspecified,
            String::new(),
            None,
            String::new(),
        ),
    };
    Ok(pb::Conflict {
        recorded: Some(fact_to_wire(&decode(&conflict.recorded)?)),
        refused: Some(fact_to_wire(&decode(&conflict.refused)?)),
        conflict_time: Some(wire_time(conflict.at)),
        conflict_id: conflict.id,
        etag: conflict.etag().to_owned(),
        resolution: resolution.into(),
        resolver,
        resolve_time,
        reason,
    })
}
