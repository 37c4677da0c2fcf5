//! The events that are taken, read into facts. What cannot be read is refused with everything that is wrong.

use async_trait::async_trait;
use jiff::tz::TimeZone;
use upswell_proto::{
    ingestion::v1::{
        AccountProfileChanged, AccountsMerged, AccountsUnmerged, SubscriptionChanged, SubscriptionTerms,
        subscription_terms::Kind,
    },
    scoring::v1::ScoreChanged,
};
use upswell_runtime::{
    db::Tx,
    inbox::{Inbound, Inbox},
    money,
    problem::{Problem, Violations},
};

use super::convert::{date, optional, required, settled, time};
use crate::{
    app::{App, Fact},
    domain::{
        contract::{AddOn, StatedTerms, Version},
        risk::ChurnRisk,
    },
};

/// Applies the events of the other services.
pub struct EventInbox {
    app: App,
}

impl EventInbox {
    /// An inbox over the use cases.
    pub fn new(app: App) -> Self {
        Self { app }
    }
}

#[async_trait]
impl Inbox for EventInbox {
    async fn apply(&self, tx: &Tx, event: &Inbound) -> Result<(), Problem> {
        if event.is::<AccountsMerged>() || event.is::<AccountsUnmerged>() {
            // Terms that changed hands are told again right after, under the account that they belong to now; their deals
            // follow them.
            return Ok(());
        }
        let fact = if event.is::<AccountProfileChanged>() {
            profile(event.decode()?)?
        } else if event.is::<SubscriptionChanged>() {
            subscription(event.decode()?)?
        } else if event.is::<ScoreChanged>() {
            score(&event.decode()?)?
        } else {
            return Err(event.unknown());
        };
        // Every event of these topics has the account as its key.
        self.app.record(tx, &event.key, fact, &event.trace).await
    }
}

fn profile(wire: AccountProfileChanged) -> Result<Fact, Problem> {
    let mut violations = Violations::new();
    let profile = wire.profile.unwrap_or_default();
    let time_zone = violations.take("profile.time_zone", TimeZone::get(&profile.time_zone));
    let customer_since = optional("profile.customer_since", profile.customer_since, &mut violations, date);
    let (time_zone, customer_since) = settled(time_zone.zip(customer_since), violations)?;
    Ok(Fact::Profile {
        time_zone,
        owner_id: profile.csm_id,
        country: profile.country_code,
        segment: profile.segment,
        customer_since,
    })
}

fn score(wire: &ScoreChanged) -> Result<Fact, Problem> {
    let risk = wire
        .score
        .as_ref()
        .and_then(|score| ChurnRisk::from_fraction(score.churn_risk));
    let health = wire.score.as_ref().and_then(|score| score.health.as_ref());
    let open_critical = wire.score.as_ref().map_or(0, |score| score.open_critical_tickets);
    risk.map(|risk| Fact::Score {
        risk,
        health: health.map(|health| health.value),
        open_critical,
    })
    .ok_or_else(|| Problem::invalid_field("score.churn_risk", "must be between 0 and 1"))
}

fn subscription(wire: SubscriptionChanged) -> Result<Fact, Problem> {
    let SubscriptionChanged {
        account_id: _,
        version_id,
        terms,
        mrr,
        occur_time,
        superseded,
        renewal_mrr,
    } = wire;
    // What renews is worth what it is worth on that day, not what a discount makes of it before.
    let mrr = renewal_mrr.or(mrr);
    let Some(terms) = terms else {
        return Err(Problem::invalid_field("terms", "is required"));
    };
    // What a newer sender knows is parked until this service knows it too, never passed over.
    let kind = Kind::try_from(terms.kind)
        .map_err(|_| Problem::invalid_field("terms.kind", format!("{} is not known here", terms.kind)))?;
    if kind == Kind::Unspecified {
        return Ok(Fact::Nothing);
    }
    let SubscriptionTerms {
        subscription_id,
        effective_date,
        end_date,
        renewal_date,
        auto_renew,
        notice_days,
        term_months,
        ..
    } = terms;
    let stated = StatedTerms {
        auto_renew,
        notice_days,
        term_months,
    };
    let mut violations = Violations::new();
    let effective_on = required("terms.effective_date", effective_date, &mut violations, date);
    let end_on = optional("terms.end_date", end_date, &mut violations, date);
    let renewal_on = optional("terms.renewal_date", renewal_date, &mut violations, date);
    if kind == Kind::Plan && renewal_on == Some(None) {
        violations.add("terms.renewal_date", "is required");
    }
    let mrr = required("mrr", mrr, &mut violations, |wire| money::from_proto(&wire));
    let occurred_at = required("occur_time", occur_time, &mut violations, time);
    if kind == Kind::AddOn {
        let version = (|| {
            Some(AddOn {
                subscription_id,
                effective_on: effective_on?,
                end_on: end_on?,
                renewal_on: renewal_on?,
                mrr: mrr?,
                version_id,
                occurred_at: occurred_at?,
                superseded,
            })
        })();
        return Ok(Fact::AddOn(settled(version, violations)?));
    }
    let version = (|| {
        Some(Version {
            version_id,
            effective_on: effective_on?,
            end_on: end_on?,
            renewal_on: renewal_on??,
            mrr: mrr?,
            stated,
            occurred_at: occurred_at?,
            superseded,
        })
    })();
    Ok(Fact::Terms {
        subscription_id,
        version: settled(version, violations)?,
    })
}
