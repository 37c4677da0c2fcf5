//! Pages on the wire.

use upswell_proto::ingestion::v1 as pb;
use upswell_runtime::paging::next_token;

use super::{
    out::{fact_to_wire, wire_time},
    view::account_to_wire,
};
use crate::{
    api::requests::{LIST_ACCOUNTS, LIST_CONFLICTS, LIST_FACTS},
    app::{AccountsPage, ConflictsPage, FactsPage, ListedFact},
};

pub(crate) fn accounts_page(segment: &str, page: AccountsPage) -> pb::ListAccountsResponse {
    let token = |key: String| next_token(LIST_ACCOUNTS, segment.as_bytes(), &key);
    let accounts = page
        .items
        .iter()
        .map(|(id, created, documents)| account_to_wire(id, *created, documents));
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

pub(crate) fn conflicts_page(account_id: &str, page: ConflictsPage) -> pb::ListConflictsResponse {
    let token = |key: String| next_token(LIST_CONFLICTS, account_id.as_bytes(), &key);
    let conflicts = page.items.iter().map(|(recorded, refused, at)| pb::Conflict {
        recorded: Some(fact_to_wire(recorded)),
        refused: Some(fact_to_wire(refused)),
        conflict_time: Some(wire_time(*at)),
        ..Default::default()
    });
    pb::ListConflictsResponse {
        conflicts: conflicts.collect(),
        next_page_token: page.next.map(token).unwrap_or_default(),
    }
}
