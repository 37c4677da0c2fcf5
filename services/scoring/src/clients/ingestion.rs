//! Asks ingestion for the facts of many accounts at once.

mod moments;
mod stream;

use std::collections::BTreeMap;

use jiff::{Timestamp, ToSpan as _, civil::Date, tz::TimeZone};
use upswell_proto::{
    gtype,
    ingestion::v1::{
        AccountFacts, AccountProfile, BatchGetAccountFactsRequest, DailySeries, InvoiceState, SeriesKind,
        SubscriptionTerms, Ticket as WireTicket, TimedSurveyAnswer, ingestion_service_client::IngestionServiceClient,
        subscription_terms::Kind, survey_answer::Survey, ticket::Severity,
    },
    vocabulary::v1::BillingPeriod,
};
use upswell_runtime::{
    client::{ClientSettings, Peers, Traced, call},
    db::from_epoch_day,
    money::{self, Money, Period},
    problem::Problem,
};

use crate::domain::{
    detect::YEAR_DAYS,
    facts::{Facts, Invoice, Limit, NpsAnswer, Profile, Terms, Ticket},
    moment::days_before,
    series::Series,
};

/// Half a year of daily series of 200 accounts, with room.
const MAX_ANSWER: usize = 64 << 20;

/// The longest history that ingestion gives at once.
const DAYS_MAX: i32 = 800;
/// The windows of SG-2 reach 70 days back, with room for settings.
const SEASON_DAYS: i32 = 104;

/// The client of ingestion.
#[derive(Clone, Debug)]
pub struct Ingestion {
    client: IngestionServiceClient<Traced>,
    settings: ClientSettings,
    history_days: i32,
}

impl Ingestion {
    /// A client of the peer `ingestion` that asks for `history_days` days.
    pub fn new(peers: &Peers, settings: ClientSettings, history_days: i32) -> Result<Self, Problem> {
        let client = IngestionServiceClient::new(peers.channel("ingestion")?).max_decoding_message_size(MAX_ANSWER);
        Ok(Self {
            client,
            settings,
            history_days,
        })
    }

    /// The facts of `account_ids` (1 to 200) up to and including today, by account, of at least `least_days` days; unknown
    /// accounts are left out. Errors: UNAVAILABLE, DEADLINE_EXCEEDED.
    pub async fn facts(
        &self,
        account_ids: Vec<String>,
        now: Timestamp,
        least_days: i32,
    ) -> Result<BTreeMap<String, Facts>, Problem> {
        // Today has begun in all time zones by tomorrow's date in UTC.
        let until = TimeZone::UTC.to_datetime(now).date().saturating_add(1.day());
        self.facts_of(account_ids, until, self.history_days.max(least_days))
            .await
    }

    /// The facts of `account_ids` (1 to 200) of the `days` days (1 to 800) until `until`.
    pub async fn facts_of(
        &self,
        account_ids: Vec<String>,
        until: Date,
        days: i32,
    ) -> Result<BTreeMap<String, Facts>, Problem> {
        let request = BatchGetAccountFactsRequest {
            account_ids,
            until_day: Some(wire_date(until)),
            days: days.clamp(1, DAYS_MAX),
        };
        let ask = || {
            let (mut client, request) = (self.client.clone(), request.clone());
            async move { client.batch_get_account_facts(request).await }
        };
        let answer = call(&self.settings, "ingestion.BatchGetAccountFacts", ask).await?;
        Ok(answer.accounts.into_iter().map(facts).collect())
    }

    /// The usage of `account_ids` in the weeks a year ago that stand beside the windows of SG-2 and SG-3.
    pub async fn usage_a_year_ago(
        &self,
        account_ids: Vec<String>,
        now: Timestamp,
    ) -> Result<Vec<(String, BTreeMap<String, Series>)>, Problem> {
        let today = TimeZone::UTC.to_datetime(now).date();
        let until = days_before(today, YEAR_DAYS - 2);
        let found = self.facts_of(account_ids, until, SEASON_DAYS).await?;
        Ok(found
            .into_iter()
            .map(|(account_id, facts)| (account_id, facts.usage))
            .collect())
    }
}

/// Parts that cannot be read are left out: ingestion has checked them, so they can only come from a newer contract.
fn facts(wire: AccountFacts) -> (String, Facts) {
    let AccountFacts {
        account_id,
        profile,
        subscriptions,
        series,
        tickets,
        surveys,
        invoices,
        moments,
        contacts,
    } = wire;
    let mut facts = Facts {
        profile: profile.map(read_profile),
        terms: subscriptions.into_iter().filter_map(read_terms).collect(),
        tickets: tickets.into_iter().filter_map(read_ticket).collect(),
        nps: surveys.into_iter().filter_map(read_nps).collect(),
        invoices: invoices.into_iter().filter_map(read_invoice).collect(),
        people: moments::read_people(&contacts),
        ..Facts::default()
    };
    for series in series {
        read_series(series, &mut facts);
    }
    let zone = facts.time_zone();
    for moment in moments {
        moments::read_moment(moment, &zone, &mut facts);
    }
    (account_id, facts)
}

fn read_profile(wire: AccountProfile) -> Profile {
    Profile {
        time_zone: TimeZone::get(&wire.time_zone).unwrap_or(TimeZone::UTC),
        primary_metric: Some(wire.primary_metric).filter(|metric| !metric.is_empty()),
        segment: wire.segment,
        industry: wire.industry,
        country: wire.country_code,
        enterprise: wire.enterprise,
        customer_since: read_date(wire.customer_since),
    }
}

fn read_terms(wire: SubscriptionTerms) -> Option<Terms> {
    let limit = |limit: upswell_proto::ingestion::v1::Limit| Limit {
        metric: limit.metric,
        value: limit.value,
        standing: limit.standing,
    };
    let period = read_period(wire.period());
    Some(Terms {
        is_plan: wire.kind() == Kind::Plan,
        monthly: read_monthly(&wire, period),
        period,
        product: wire.product,
        subscription_id: wire.subscription_id,
        effective: read_date(wire.effective_date)?,
        end: read_date(wire.end_date),
        renewal: read_date(wire.renewal_date),
        seats: wire.seats,
        limits: wire.limits.into_iter().map(limit).collect(),
    })
}

/// The normalised monthly amount of all units (§9); `None` for a period or currency that is not known.
fn read_monthly(wire: &SubscriptionTerms, period: Option<Period>) -> Option<Money> {
    let price = money::from_proto(wire.unit_price.as_ref()?).ok()?;
    price.checked_mul(wire.quantity).ok()?.monthly(period?).ok()
}

fn read_period(wire: BillingPeriod) -> Option<Period> {
    Some(match wire {
        BillingPeriod::Month => Period::Month,
        BillingPeriod::Quarter => Period::Quarter,
        BillingPeriod::Year => Period::Year,
        BillingPeriod::Week => Period::Week,
        BillingPeriod::Day => Period::Day,
        BillingPeriod::Unspecified => return None,
    })
}

fn read_series(wire: DailySeries, facts: &mut Facts) {
    let kind = wire.kind();
    let DailySeries {
        kind: _,
        name,
        days,
        values,
    } = wire;
    let series: Series = days.into_iter().map(from_epoch_day).zip(values).collect();
    match kind {
        SeriesKind::Usage => drop(facts.usage.insert(name, series)),
        SeriesKind::ActiveUsers => facts.active_users = series,
        SeriesKind::Logins => facts.logins = series,
        SeriesKind::FeatureUsers => drop(facts.feature_users.insert(name, series)),
        SeriesKind::TrialUsers => drop(facts.trial_users.insert(name, series)),
        SeriesKind::TrialUses => drop(facts.trial_uses.insert(name, series)),
        SeriesKind::Exports => drop(facts.exports.insert(name, series)),
        SeriesKind::FeatureUses | SeriesKind::Unspecified => {}
    }
}

fn read_ticket(wire: WireTicket) -> Option<Ticket> {
    Some(Ticket {
        critical: wire.severity() == Severity::Critical,
        topic: wire.topic,
        opened_at: read_time(wire.open_time)?,
        replied_at: read_time(wire.first_reply_time),
        resolved_at: read_time(wire.resolve_time),
    })
}

fn read_nps(wire: TimedSurveyAnswer) -> Option<NpsAnswer> {
    let answer = wire.answer.filter(|answer| answer.survey() == Survey::Nps)?;
    Some(NpsAnswer {
        at: read_time(wire.occur_time)?,
        score: answer.score,
    })
}

fn read_invoice(wire: InvoiceState) -> Option<Invoice> {
    let invoice = wire.invoice?;
    Some(Invoice {
        issued: read_date(invoice.issue_date)?,
        due: read_date(invoice.due_date)?,
        amount: money::from_proto(&invoice.amount?).ok()?,
        won_by_upswell: !invoice.order_id.is_empty(),
        paid: read_date(wire.paid_in_full_date),
    })
}

fn read_date(wire: Option<gtype::Date>) -> Option<Date> {
    let gtype::Date { year, month, day } = wire?;
    Date::new(year.try_into().ok()?, month.try_into().ok()?, day.try_into().ok()?).ok()
}

fn read_time(wire: Option<prost_types::Timestamp>) -> Option<Timestamp> {
    let prost_types::Timestamp { seconds, nanos } = wire?;
    Timestamp::new(seconds, nanos).ok()
}

fn wire_date(day: Date) -> gtype::Date {
    gtype::Date {
        year: day.year().into(),
        month: day.month().into(),
        day: day.day().into(),
    }
}
