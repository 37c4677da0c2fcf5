//! Everything that decisions know of accounts, loaded for many accounts at once.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize};
use upswell_runtime::{
    db::{from_epoch_day, from_micros},
    money::Money,
    problem::Problem,
    telemetry::TraceContext,
};

use super::{
    Reads, arms, copies,
    entities::{account, contact, score, signal, subscription, suppression, ticket},
    from_json, holds, learning,
    ledger::{self, Family},
    offers, padded, pauses, suppressions, word,
};
use crate::domain::{
    decision::{
        AccountPicture, Contact, ContactPoint, Evidence, OfferHistory, Problems, Profile, Programme, ScoreView,
        SignalView, SubscriptionView, Suppressed,
    },
    ledger::{AccountCalendar, Hold},
    offer::Offer,
    vocabulary::Channel,
};

/// An account's picture and what goes with it.
#[derive(Debug)]
pub struct Loaded {
    /// The account's row.
    pub account: account::Model,
    /// What a decision sees.
    pub picture: AccountPicture,
    /// All its offers in full.
    pub offers: Vec<Offer>,
    /// The traces that its open signals came in.
    pub traces: BTreeMap<String, TraceContext>,
    /// It has an arm in the epoch (C-12): before that nothing may be decided.
    pub assigned: bool,
    /// The account that it is part of (I-3): nothing is decided about it by itself.
    pub part_of: Option<String>,
}

/// One address of a contact as it is stored.
#[derive(Debug, Serialize, Deserialize)]
pub struct StoredPoint {
    /// The channel.
    pub channel: Channel,
    /// The address.
    pub address: String,
    /// The person agreed.
    pub consent: bool,
}

/// One limit of a subscription as it is stored.
#[derive(Debug, Serialize, Deserialize)]
pub struct StoredLimit {
    /// The metric.
    pub metric: String,
    /// The limit.
    pub value: i64,
}

/// One figure behind a signal as it is stored.
#[derive(Debug, Serialize, Deserialize)]
pub struct StoredEvidence {
    /// By which messages ask for it.
    pub name: String,
    /// The figure.
    pub value: f64,
    /// Its unit.
    pub unit: String,
    /// What it was compared with.
    pub baseline: Option<f64>,
}

/// The pictures of these accounts at `now`, in their order: one statement for each kind of thing, however many
/// accounts.
pub async fn pictures_load(
    db: &impl Reads,
    accounts: Vec<account::Model>,
    epoch: i32,
    now: Timestamp,
) -> Result<Vec<Loaded>, Problem> {
    let ids: Vec<String> = accounts.iter().map(|account| account.account_id.clone()).collect();
    let families = ledger::account_touch_families(db, &ids.iter().cloned().collect(), now).await?;
    let all: BTreeSet<String> = families
        .values()
        .flat_map(|family| family.members.iter().cloned())
        .collect();
    let (ids, all) = (padded(&ids), padded(&all.into_iter().collect::<Vec<_>>()));
    let mut parts = Parts {
        contacts: group(copies::contact_list(db, &ids).await?, |row| &row.account_id),
        subscriptions: group(copies::subscription_list(db, &ids).await?, |row| &row.account_id),
        signals: group(copies::signal_list_open(db, &ids).await?, |row| &row.account_id),
        scores: group(copies::score_list(db, &ids).await?, |row| &row.account_id),
        deals: group(copies::deal_list_open(db, &all).await?, |row| &row.account_id),
        tickets: group(copies::ticket_list_open(db, &ids).await?, |row| &row.account_id),
        offers: group(offers::offer_list_of(db, &all).await?, |row| &row.account_id),
        touches: group(ledger::touch_list_counting_of(db, &all, now).await?, |touch| {
            &touch.account_id
        }),
        suppressions: group(suppressions::suppression_list_active(db, &all, now).await?, |row| {
            &row.account_id
        }),
        arms: group(arms::arm_list_of(db, epoch, &all).await?, |row| &row.account_id),
        holds: group(holds::hold_list(db, &all, now).await?, |row| &row.account_id),
        families,
    };
    let counted = learning::conversion_list(db).await?;
    let outcomes = learning::outcomes(&counted)?;
    let paused = pauses::paused(db).await?;
    let with_programme = |account: account::Model| -> Result<Loaded, Problem> {
        let mut loaded = parts.load(account, now)?;
        loaded.picture.programme = Programme {
            learned: learning::learned(&outcomes, &loaded.picture.profile.segment),
            paused: paused.clone(),
        };
        Ok(loaded)
    };
    accounts.into_iter().map(with_programme).collect()
}

fn group<T>(rows: Vec<T>, key: impl Fn(&T) -> &String) -> BTreeMap<String, Vec<T>> {
    let mut groups: BTreeMap<String, Vec<T>> = BTreeMap::new();
    for row in rows {
        groups.entry(key(&row).clone()).or_default().push(row);
    }
    groups
}

/// What belongs to any of these accounts.
fn of_all<T: Clone>(groups: &Groups<T>, members: &[String]) -> Vec<T> {
    members
        .iter()
        .filter_map(|member| groups.get(member))
        .flatten()
        .cloned()
        .collect()
}

type Groups<T> = BTreeMap<String, Vec<T>>;

struct Parts {
    contacts: Groups<contact::Model>,
    subscriptions: Groups<subscription::Model>,
    signals: Groups<signal::Model>,
    scores: Groups<score::Model>,
    deals: Groups<super::entities::deal::Model>,
    tickets: Groups<ticket::Model>,
    offers: Groups<Offer>,
    touches: Groups<crate::domain::ledger::Touch>,
    suppressions: Groups<suppression::Model>,
    arms: Groups<super::entities::arm::Model>,
    holds: Groups<super::entities::hold::Model>,
    families: BTreeMap<String, Family>,
}

impl Parts {
    fn load(&mut self, account: account::Model, now: Timestamp) -> Result<Loaded, Problem> {
        let id = account.account_id.as_str();
        let time_zone = zone(&account.time_zone);
        let family = self.families.get(id).cloned();
        let members = family.as_ref().map(|family| family.members.clone()).unwrap_or_default();
        let offers = of_all(&self.offers, &members);
        let signals = self.signals.remove(id).unwrap_or_default();
        let arms = of_all(&self.arms, &members);
        let deals = of_all(&self.deals, &members);
        let renewals = deals.into_iter().map(|deal| from_epoch_day(deal.renewal_on)).collect();
        let today = time_zone.to_datetime(now).date();
        let versions = self.subscriptions.remove(id).unwrap_or_default();
        let subscriptions = subscriptions(versions, today)?;
        let score = self.scores.remove(id).unwrap_or_default().into_iter().next();
        let touches = of_all(&self.touches, &members);
        let contacts = self.contacts.remove(id).unwrap_or_default();
        let picture = AccountPicture {
            account_id: id.to_owned(),
            profile: profile(&account, time_zone.clone()),
            contacts: contacts.into_iter().map(contact).collect::<Result<_, _>>()?,
            mrr: mrr(&subscriptions)?,
            subscriptions,
            score: score.map(score_view).transpose()?,
            problems: problems(&self.tickets.remove(id).unwrap_or_default()),
            signals: signals.iter().map(signal_view).collect::<Result<_, _>>()?,
            offers: offers.iter().map(history).collect(),
            ledger_rows: touches.iter().map(crate::domain::ledger::Touch::row).collect(),
            calendar: AccountCalendar { time_zone, renewals },
            suppressed: of_all(&self.suppressions, &members)
                .into_iter()
                .map(suppressed)
                .max_by_key(|found| (found.until.is_none(), found.until)),
            holds: of_all(&self.holds, &members).into_iter().map(hold).collect(),
            holdout: arms.iter().any(|arm| arm.holdout),
            programme: Programme::default(),
        };
        let trace = |signal: signal::Model| {
            let context = TraceContext {
                traceparent: signal.traceparent,
                tracestate: signal.tracestate,
            };
            (signal.signal_id, context)
        };
        let traces = signals.into_iter().map(trace).collect();
        Ok(Loaded {
            picture,
            offers,
            traces,
            assigned: !arms.is_empty(),
            part_of: family
                .map(|family| family.root)
                .filter(|root| *root != account.account_id),
            account,
        })
    }
}

/// The time zone of an account. Ingestion takes none that is unknown; should one be dropped from the tables, UTC
/// keeps the account served.
pub fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap_or(TimeZone::UTC)
}

fn profile(account: &account::Model, time_zone: TimeZone) -> Profile {
    Profile {
        display_name: account.display_name.clone(),
        segment: account.segment.clone(),
        country: account.country.clone(),
        time_zone,
        language: account.language.clone(),
        enterprise: account.enterprise,
        csm_id: some(&account.csm_id),
        customer_since: account.customer_since_on.map(from_epoch_day),
    }
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn contact(row: contact::Model) -> Result<Contact, Problem> {
    let points: Vec<StoredPoint> = from_json(&row.points)?;
    let point = |StoredPoint {
                     channel,
                     address,
                     consent,
                 }| ContactPoint {
        channel,
        address,
        consent,
    };
    Ok(Contact {
        first_name: some(&row.first_name),
        role: word(&row.role)?,
        budget_holder: row.budget_holder,
        renewal_decision_maker: row.renewal_decision_maker,
        champion: row.champion,
        points: points.into_iter().map(point).collect(),
        language: some(&row.language),
        id: row.contact_id,
    })
}

/// What is in force on `today`: of each subscription the version that became effective last (`versions` are in that
/// order), unless it ended.
fn subscriptions(versions: Vec<subscription::Model>, today: Date) -> Result<Vec<SubscriptionView>, Problem> {
    let mut standing: BTreeMap<String, subscription::Model> = BTreeMap::new();
    for version in versions {
        if from_epoch_day(version.effective_on) <= today {
            standing.insert(version.subscription_id.clone(), version);
        }
    }
    let in_force = standing
        .into_values()
        .filter(|row| row.end_on.is_none_or(|end| today < from_epoch_day(end)));
    in_force.map(subscription_view).collect()
}

fn subscription_view(row: subscription::Model) -> Result<SubscriptionView, Problem> {
    let limits: Vec<StoredLimit> = from_json(&row.limits)?;
    Ok(SubscriptionView {
        kind: word(&row.kind)?,
        quantity: row.quantity,
        mrr: Money {
            minor: row.mrr_minor,
            currency: word(&row.currency)?,
        },
        limits: limits.into_iter().map(|limit| (limit.metric, limit.value)).collect(),
        product: row.product,
    })
}

/// The monthly revenue in the currency of the largest line; lines of another currency would need a rate.
fn mrr(subscriptions: &[SubscriptionView]) -> Result<Option<Money>, Problem> {
    let Some(largest) = subscriptions.iter().map(|line| line.mrr).max_by_key(|mrr| mrr.minor) else {
        return Ok(None);
    };
    let same = subscriptions
        .iter()
        .map(|line| line.mrr)
        .filter(|mrr| mrr.currency == largest.currency);
    Money::sum(largest.currency, same).map(Some).map_err(Problem::internal)
}

fn score_view(row: score::Model) -> Result<ScoreView, Problem> {
    Ok(ScoreView {
        health: row.health,
        band: word(&row.band)?,
        health_change: row.health_change,
        churn_risk: row.churn_risk,
        propensity: row.propensity,
        model_version: row.model_version,
    })
}

fn problems(tickets: &[ticket::Model]) -> Problems {
    Problems {
        open_critical: u32::try_from(tickets.len()).unwrap_or(u32::MAX),
        oldest_critical_at: tickets.iter().map(|ticket| from_micros(ticket.opened_at)).min(),
    }
}

fn signal_view(row: &signal::Model) -> Result<SignalView, Problem> {
    let evidence: Vec<StoredEvidence> = from_json(&row.evidence)?;
    let figure = |StoredEvidence {
                      name,
                      value,
                      unit,
                      baseline,
                  }| Evidence {
        name,
        value,
        unit,
        baseline,
    };
    Ok(SignalView {
        id: row.signal_id.clone(),
        kind: word(&row.kind)?,
        subject: row.subject.clone(),
        grade: word(&row.grade)?,
        strength: row.strength,
        opened_at: from_micros(row.opened_at),
        evidence: evidence.into_iter().map(figure).collect(),
    })
}

/// An offer as far as it matters for the next one.
pub fn history(offer: &Offer) -> OfferHistory {
    OfferHistory {
        id: offer.id,
        playbook: offer.playbook.clone(),
        motion: offer.motion,
        subject: offer.subject.clone(),
        class: offer.class,
        proposes_expansion: offer.proposes_expansion,
        state: offer.state,
        signal_ids: offer.signal_ids.clone(),
        sent_at: offer.sent_at,
        state_at: offer.state_at,
        deferred_until: offer.deferred_until,
    }
}

fn hold(row: super::entities::hold::Model) -> Hold {
    Hold {
        reason: row.reason,
        from: from_micros(row.start_at),
        until: from_micros(row.end_at),
    }
}

fn suppressed(row: suppression::Model) -> Suppressed {
    Suppressed {
        reason: row.reason,
        until: row.expires_at.map(from_micros),
    }
}
