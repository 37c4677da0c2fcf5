//! Changes as events, and who takes which.

use jiff::Timestamp;
use prost::Name as _;
use upswell_proto::ingestion::v1 as pb;
use upswell_runtime::{
    money,
    outbox::{NewEvent, Routes},
};

use super::convert::{
    contact_to_wire, day, fact_to_wire, payment_to_wire, profile_to_wire, reply_to_wire, terms_to_wire, ticket_to_wire,
    touch_to_wire, wire_time,
};
use crate::domain::{
    change::{Change, Happening},
    fact::FactKey,
    merge::Merge,
};

/// Which service takes which event.
pub(crate) fn topics() -> Routes {
    Routes::new()
        .to(&pb::AccountChanged::full_name(), &["scoring"])
        .to(
            &pb::AccountProfileChanged::full_name(),
            &["offers", "renewals", "metrics"],
        )
        .to(&pb::ContactChanged::full_name(), &["offers"])
        .to(
            &pb::SubscriptionChanged::full_name(),
            &["offers", "renewals", "metrics"],
        )
        .to(&pb::TouchObserved::full_name(), &["offers"])
        .to(&pb::ReplyReceived::full_name(), &["offers"])
        .to(&pb::PaymentRecorded::full_name(), &["offers"])
        .to(&pb::TicketChanged::full_name(), &["offers"])
        .to(&pb::VoiceHeard::full_name(), &["metrics", "offers"])
        .to(
            &pb::AccountsMerged::full_name(),
            &["scoring", "offers", "renewals", "metrics"],
        )
        .to(
            &pb::AccountsUnmerged::full_name(),
            &["scoring", "offers", "renewals", "metrics"],
        )
}

/// The event that tells of `change` to the account.
pub(crate) fn event(account: &str, change: &Change, now: Timestamp) -> NewEvent {
    let account_id = account.to_owned();
    match change {
        Change::Profile(profile) => {
            let profile = Some(profile_to_wire(profile));
            NewEvent::of(account, now, &pb::AccountProfileChanged { account_id, profile })
        }
        Change::Contact(contact) => {
            let contact = Some(contact_to_wire(contact));
            NewEvent::of(account, now, &pb::ContactChanged { account_id, contact })
        }
        Change::Subscription {
            version,
            terms,
            mrr,
            renewal_mrr,
            occur_time,
            superseded,
        } => {
            let message = pb::SubscriptionChanged {
                account_id,
                version_id: version.path(),
                terms: Some(terms_to_wire(terms)),
                mrr: Some(money::to_proto(*mrr)),
                occur_time: Some(wire_time(*occur_time)),
                superseded: *superseded,
                renewal_mrr: renewal_mrr.map(money::to_proto),
            };
            NewEvent::of(account, now, &message)
        }
        Change::Ticket(ticket) => {
            let ticket = Some(ticket_to_wire(ticket));
            NewEvent::of(account, now, &pb::TicketChanged { account_id, ticket })
        }
        Change::Payment(happening, payment) => {
            let (fact_id, pay_time, superseded, supersedes_fact_id) = told(happening);
            let message = pb::PaymentRecorded {
                account_id,
                payment: Some(payment_to_wire(payment)),
                pay_time,
                fact_id,
                superseded,
                supersedes_fact_id,
            };
            NewEvent::of(account, now, &message)
        }
        Change::Touch(happening, touch) => {
            let (fact_id, touch_time, superseded, supersedes_fact_id) = told(happening);
            let message = pb::TouchObserved {
                account_id,
                touch: Some(touch_to_wire(touch)),
                touch_time,
                fact_id,
                superseded,
                supersedes_fact_id,
            };
            NewEvent::of(account, now, &message)
        }
        Change::Reply(happening, reply) => {
            let (fact_id, reply_time, superseded, supersedes_fact_id) = told(happening);
            let message = pb::ReplyReceived {
                account_id,
                reply: Some(reply_to_wire(reply)),
                reply_time,
                fact_id,
                superseded,
                supersedes_fact_id,
            };
            NewEvent::of(account, now, &message)
        }
        Change::Voice { fact, superseded } => {
            let message = pb::VoiceHeard {
                account_id,
                fact: Some(fact_to_wire(fact)),
                superseded: *superseded,
            };
            NewEvent::of(account, now, &message)
        }
        Change::Account {
            earliest_day,
            fact_count,
        } => {
            let earliest_day = Some(day(*earliest_day));
            let fact_count = i32::try_from(*fact_count).unwrap_or(i32::MAX);
            NewEvent::of(
                account,
                now,
                &pb::AccountChanged {
                    account_id,
                    earliest_day,
                    fact_count,
                },
            )
        }
    }
}

/// Fact, instant, whether it was corrected, and the fact that it corrects.
fn told(happening: &Happening) -> (String, Option<prost_types::Timestamp>, bool, String) {
    let Happening {
        key,
        at,
        superseded,
        supersedes,
    } = happening;
    let supersedes = supersedes.as_ref().map(FactKey::path);
    (
        key.path(),
        Some(wire_time(*at)),
        *superseded,
        supersedes.unwrap_or_default(),
    )
}

/// Tells that an account is part of `root` now.
pub(crate) fn merged(root: &str, merge: &Merge, now: Timestamp) -> NewEvent {
    let message = pb::AccountsMerged {
        account_id: root.to_owned(),
        merged_account_id: merge.merged_account_id.clone(),
        merge_id: merge.merge_id.clone(),
    };
    NewEvent::of(root, now, &message)
}

/// Tells that an account is no longer part of `root`.
pub(crate) fn unmerged(root: &str, merge: &Merge, now: Timestamp) -> NewEvent {
    let message = pb::AccountsUnmerged {
        account_id: root.to_owned(),
        merged_account_id: merge.merged_account_id.clone(),
        merge_id: merge.merge_id.clone(),
    };
    NewEvent::of(root, now, &message)
}
