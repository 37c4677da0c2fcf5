//! The events that are taken: changed facts, offers that were sent, renewal marks.

use async_trait::async_trait;
use jiff::{Timestamp, civil::Date};
use upswell_proto::{
    gtype,
    ingestion::v1::{AccountChanged, AccountsMerged, AccountsUnmerged},
    offers::v1::OfferChanged,
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
        } else if event.is::<RenewalMarkReached>() {
            let (account_id, mark) = mark(event.decode()?)?;
            self.app
                .mark_reached(tx, &account_id, &mark, event.occurred_at, trace(event))
                .await
        } else if event.is::<OfferChanged>() {
            self.consume(tx, event.decode()?, event.occurred_at).await
        } else if event.is::<AccountsMerged>() || event.is::<AccountsUnmerged>() {
            // What changed hands is told by AccountChanged, right after.
            Ok(())
        } else {
            Err(event.unknown())
        }
    }
}

impl EventInbox {
    /// Offers says which signals an offer uses up: those of one that sells, when it is sent.
    async fn consume(&self, tx: &Tx, event: OfferChanged, occurred_at: Timestamp) -> Result<(), Problem> {
        let OfferChanged {
            offer,
            previous_state: _,
            consumed_signal_ids,
        } = event;
        let Some(offer) = offer.filter(|_| !consumed_signal_ids.is_empty()) else {
            return Ok(());
        };
        let mut violations = Violations::new();
        let ids = consumed_signal_ids.iter().map(|id| Uuid::parse_str(id));
        let ids: Vec<Uuid> = ids
            .filter_map(|id| violations.take("consumed_signal_ids", id))
            .collect();
        violations.into_result()?;
        let sent = offer
            .send_time
            .and_then(|time| Timestamp::new(time.seconds, time.nanos).ok());
        self.app
            .consume(tx, &ids, &offer.offer_id, sent.unwrap_or(occurred_at))
            .await
    }
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
