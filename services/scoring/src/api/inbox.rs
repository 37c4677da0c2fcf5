//! The events that are taken: changed facts, offers that were sent, renewal marks.

use async_trait::async_trait;
use jiff::{Timestamp, civil::Date};
use upswell_proto::{
    gtype,
    ingestion::v1::{AccountChanged, AccountsMerged, AccountsUnmerged},
    offers::v1::{OfferChanged, offer},
    renewals::v1::RenewalMarkReached,
};
use upswell_runtime::{
    db::Tx,
    inbox::{Inbound, Inbox},
    problem::{Problem, Violations},
    telemetry::TraceContext,
    text,
};
use uuid::Uuid;

use crate::{app::App, domain::facts::Mark};

/// Applies events through the use cases.
pub struct EventInbox {
    app: App,
}

impl EventInbox {
    /// The inbox over the use cases.
    pub fn new(app: App) -> Self {
        Self { app }
    }
}

#[async_trait]
impl Inbox for EventInbox {
    async fn apply(&self, tx: &Tx, event: &Inbound) -> Result<(), Problem> {
        if event.is::<AccountChanged>() {
            let AccountChanged {
                account_id,
                earliest_day: _,
                fact_count: _,
            } = event.decode()?;
            let account_id = key(&account_id)?;
            self.app
                .account_changed(tx, &account_id, event.occurred_at, trace(event))
                .await
        } else if event.is::<AccountsMerged>() {
            let AccountsMerged {
                account_id,
                merged_account_id,
                merge_id: _,
            } = event.decode()?;
            self.both_changed(tx, event, [account_id, merged_account_id]).await
        } else if event.is::<AccountsUnmerged>() {
            let AccountsUnmerged {
                account_id,
                merged_account_id,
                merge_id: _,
            } = event.decode()?;
            self.both_changed(tx, event, [account_id, merged_account_id]).await
        } else if event.is::<RenewalMarkReached>() {
            let (account_id, mark) = mark(event.decode()?)?;
            self.app
                .mark_reached(tx, &account_id, &mark, event.occurred_at, trace(event))
                .await
        } else if event.is::<OfferChanged>() {
            self.consume(tx, event.decode()?, event.occurred_at).await
        } else {
            Err(event.unknown())
        }
    }
}

impl EventInbox {
    /// The facts of two accounts count for other ones than before (I-3).
    async fn both_changed(&self, tx: &Tx, event: &Inbound, accounts: [String; 2]) -> Result<(), Problem> {
        for account_id in accounts {
            let account_id = key(&account_id)?;
            let changed = self
                .app
                .account_changed(tx, &account_id, event.occurred_at, trace(event));
            changed.await?;
        }
        Ok(())
    }

    /// Offers says which signals an offer uses up: those of one that sells, when it is sent.
    async fn consume(&self, tx: &Tx, event: OfferChanged, occurred_at: Timestamp) -> Result<(), Problem> {
        let OfferChanged {
            offer,
            previous_state: _,
            consumed_signal_ids,
        } = event;
        let Some(offer) = offer else {
            return Ok(());
        };
        let behind = uuids("signal_ids", &offer.signal_ids)?;
        if let Some(outcome) = outcome(offer.state()) {
            self.app.note_outcome(tx, &behind, outcome).await?;
        }
        let ids = uuids("consumed_signal_ids", &consumed_signal_ids)?;
        if ids.is_empty() {
            return Ok(());
        }
        let sent = offer
            .send_time
            .and_then(|time| Timestamp::new(time.seconds, time.nanos).ok());
        self.app
            .consume(tx, &ids, &offer.offer_id, sent.unwrap_or(occurred_at))
            .await
    }
}

/// How far an offer came, where that says something about its signals.
fn outcome(state: offer::State) -> Option<&'static str> {
    match state {
        offer::State::Sent => Some("sent"),
        offer::State::Accepted => Some("accepted"),
        offer::State::Declined => Some("declined"),
        offer::State::Expired => Some("expired"),
        _ => None,
    }
}

fn uuids(field: &str, ids: &[String]) -> Result<Vec<Uuid>, Problem> {
    let mut violations = Violations::new();
    let ids = ids.iter().map(|id| Uuid::parse_str(id));
    let ids: Vec<Uuid> = ids.filter_map(|id| violations.take(field, id)).collect();
    violations.into_result()?;
    Ok(ids)
}

fn mark(wire: RenewalMarkReached) -> Result<(String, Mark), Problem> {
    let RenewalMarkReached {
        account_id,
        deal_id,
        mark_days,
        renewal_date,
        mark_date,
    } = wire;
    let mut violations = Violations::new();
    let account_id = violations.take("account_id", text::key(&account_id));
    let renewal = violations.take("renewal_date", date(renewal_date));
    let reached = violations.take("mark_date", date(mark_date));
    if mark_days <= 0 {
        violations.add("mark_days", "must be positive");
    }
    violations.into_result()?;
    let (Some(account_id), Some(renewal), Some(reached)) = (account_id, renewal, reached) else {
        return Err(Problem::internal("a missing field was not reported"));
    };
    Ok((
        account_id,
        Mark {
            deal_id,
            days: mark_days,
            renewal,
            reached,
        },
    ))
}

fn key(account_id: &str) -> Result<String, Problem> {
    text::key(account_id).map_err(|fault| Problem::invalid_field("account_id", fault.to_string()))
}

fn date(wire: Option<gtype::Date>) -> Result<Date, &'static str> {
    let read = |gtype::Date { year, month, day }: gtype::Date| {
        Date::new(year.try_into().ok()?, month.try_into().ok()?, day.try_into().ok()?).ok()
    };
    wire.and_then(read).ok_or("must be a day of the calendar")
}

/// The span in which the event is applied, which hangs on the one that made it; without telemetry, the latter.
fn trace(event: &Inbound) -> TraceContext {
    let current = TraceContext::current();
    if current.is_empty() {
        event.trace.clone()
    } else {
        current
    }
}
