//! The events that are sent, and to whom.

use jiff::Timestamp;
use prost::Name;
use upswell_proto::renewals::v1::{DealChanged, RenewalMarkReached};
use upswell_runtime::outbox::{NewEvent, Routes};

use super::render::{deal, wire_date};
use crate::{
    domain::{
        mark::Mark,
        renewal::{Decision, News, Renewal},
    },
    store::ListedDeal,
};

/// Who takes which event.
pub fn routes() -> Routes {
    Routes::new()
        .to(&DealChanged::full_name(), &["offers"])
        .to(&RenewalMarkReached::full_name(), &["scoring"])
}

/// What a decision tells; the account is the key.
pub fn of(decision: &Decision, now: Timestamp) -> Vec<NewEvent> {
    let renewal = &decision.renewal;
    decision.news.iter().map(|news| event(renewal, news, now)).collect()
}

fn event(renewal: &Renewal, news: &News, now: Timestamp) -> NewEvent {
    let account_id = renewal.account_id.as_str();
    match news {
        News::Deal {
            deal: changed,
            previous_renewal_on,
        } => {
            let listed = ListedDeal {
                account_id: account_id.to_owned(),
                subscription_id: renewal.subscription_id.clone(),
                deal: changed.clone(),
            };
            let previous_renewal_date = previous_renewal_on.map(wire_date);
            NewEvent::of(
                account_id,
                now,
                &DealChanged {
                    deal: Some(deal(listed)),
                    previous_renewal_date,
                },
            )
        }
        News::Mark(Mark {
            deal_id,
            renewal_on,
            mark_days,
            reached_on,
        }) => {
            let message = RenewalMarkReached {
                account_id: account_id.to_owned(),
                deal_id: deal_id.to_string(),
                mark_days: *mark_days,
                renewal_date: Some(wire_date(*renewal_on)),
                mark_date: Some(wire_date(*reached_on)),
            };
            NewEvent::of(account_id, now, &message)
        }
    }
}
