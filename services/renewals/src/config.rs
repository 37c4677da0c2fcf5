//! Settings of the service; `config.toml` holds every key with its default.

use std::{fs, path::PathBuf};

use jiff::SignedDuration;
use serde::Deserialize;
use upswell_runtime::{
    client::ClientSettings, db::DbSettings, problem::Violations, relay::RelaySettings, server::ServerSettings, text,
};

use crate::domain::{
    country::{Countries, Country},
    duty::DutyRules,
    losses::SignalRule,
    mark::MarkRule,
    renewal::Policy,
    risk::ChurnRisk,
};

/// Shipped calendars (RN-6).
const KAZAKHSTAN: &str = include_str!("../calendars/kz.toml");
/// The calendar of every other country.
const OTHER: &str = include_str!("../calendars/default.toml");

/// What the marks may be called; the contract with scoring knows no others (SG-6).
const MARK_NAMES: [i32; 3] = [120, 60, 30];
/// The largest number of days that a mark may lie before a renewal.
const MARK_DAYS_MAX: i32 = 365;

/// Section `[renewals]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The store.
    pub db: DbSettings,
    /// The listener.
    pub server: ServerSettings,
    /// The relay of the outbox.
    pub relay: RelaySettings,
    /// Calls to other services.
    pub client: ClientSettings,
    /// The rules.
    pub pipeline: PipelineSettings,
    /// Reasons for losses.
    pub losses: LossSettings,
    /// Late work.
    pub duty: DutySettings,
    /// Reviews.
    pub care: CareSettings,
    /// Contacts with customers.
    pub contacts: ContactSettings,
}

/// Section `[renewals.losses]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LossSettings {
    /// Share from which a reason is a signal to the product.
    pub signal_share: f64,
    /// Losses that it must have at least.
    pub signal_min: i32,
}

/// Section `[renewals.duty]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DutySettings {
    /// Who is told in the end.
    pub lead_id: String,
    /// Who is told what the product must answer.
    pub product_id: String,
    /// Working days after the due day until the first reminder.
    pub remind_after: i32,
    /// Working days from one level to the next.
    pub step: i32,
}

/// Section `[renewals.care]`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CareSettings {
    /// Days before a review on which it is prepared.
    pub prepare_days: i32,
    /// Minutes of a review.
    pub review_minutes: i32,
}

/// Section `[renewals.contacts]`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContactSettings {
    /// Hours until a contact without outcome counts as made.
    pub outcome_hours: i64,
    /// Seconds until the ledger is asked again.
    pub retry_seconds: i64,
}

/// Everything that decisions depend on, checked.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Of deals.
    pub policy: Policy,
    /// Of late work.
    pub duty: DutyRules,
    /// Of reasons for losses.
    pub signal: SignalRule,
    /// Of reviews.
    pub care: CareSettings,
    /// Hundredths by which the worst case multiplies risks.
    pub worst_factor: u32,
    /// How long an outcome may be outstanding.
    pub outcome_wait: SignedDuration,
    /// How long until the ledger is asked again.
    pub retry_wait: SignedDuration,
}

/// Section `[renewals.pipeline]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PipelineSettings {
    /// Name and days before the renewal of each mark (SG-6).
    pub marks: Vec<(i32, i32)>,
    /// Days in which a renewal may be signed late when the subscription ended with its term.
    pub grace_days: i32,
    /// Risk of churn of an account that was not scored, 0 to 1 (RN-3).
    pub unknown_churn_risk: f64,
    /// By what the worst case multiplies the risk of churn (RN-7).
    pub worst_risk_factor: f64,
    /// Files with calendars of countries (RN-6).
    pub calendars: Vec<PathBuf>,
}

impl Settings {
    /// Notes every value that cannot be used.
    pub fn validate(&self, violations: &mut Violations) {
        let Self {
            db,
            server,
            relay,
            client,
            pipeline: _,
            losses: _,
            duty: _,
            care: _,
            contacts: _,
        } = self;
        violations.at("db", |violations| db.validate(violations));
        violations.at("server", |violations| server.validate(violations));
        violations.at("relay", |violations| relay.validate(violations));
        violations.at("client", |violations| client.validate(violations));
        self.rules(violations);
    }

    /// The rules, or `None` with every value noted that cannot be used.
    pub fn rules(&self, violations: &mut Violations) -> Option<Rules> {
        let policy = violations.at("pipeline", |violations| self.pipeline.policy(violations));
        let duty = violations.at("duty", |violations| self.duty.rules(violations));
        let mut within = |field: &str, value: i64, least: i64, most: i64| {
            if !(least..=most).contains(&value) {
                violations.add(field, format!("must be between {least} and {most}"));
            }
        };
        within("care.prepare_days", self.care.prepare_days.into(), 0, 60);
        within("care.review_minutes", self.care.review_minutes.into(), 45, 60);
        within("contacts.outcome_hours", self.contacts.outcome_hours, 1, 720);
        within("contacts.retry_seconds", self.contacts.retry_seconds, 1, 3_600);
        within("losses.signal_min", self.losses.signal_min.into(), 1, 1_000);
        if !(self.losses.signal_share > 0.0 && self.losses.signal_share <= 1.0) {
            violations.add("losses.signal_share", "must be above 0 and at most 1");
        }
        Some(Rules {
            policy: policy?,
            duty: duty?,
            signal: SignalRule {
                // Between 0 and 100, so the cast cannot truncate.
                share_percent: (self.losses.signal_share * 100.0).round() as i32,
                losses_min: self.losses.signal_min,
            },
            care: self.care,
            worst_factor: (self.pipeline.worst_risk_factor * 100.0).round() as u32,
            outcome_wait: SignedDuration::from_hours(self.contacts.outcome_hours),
            retry_wait: SignedDuration::from_secs(self.contacts.retry_seconds),
        })
    }
}

impl PipelineSettings {
    /// The rules, or `None` with every value noted that cannot be used, also when some fault was noted before.
    pub fn policy(&self, violations: &mut Violations) -> Option<Policy> {
        for (index, (name, days)) in self.marks.iter().enumerate() {
            violations.at(format!("marks[{index}]"), |violations| {
                if !MARK_NAMES.contains(name) {
                    violations.add("", "must be called 120, 60 or 30");
                }
                if self.marks[..index].iter().any(|(other, _)| other == name) {
                    violations.add("", format!("mark {name} is there twice"));
                }
                if !(1..=MARK_DAYS_MAX).contains(days) {
                    violations.add("", format!("must lie 1 to {MARK_DAYS_MAX} days before the renewal"));
                }
            });
        }
        if !(0..=365).contains(&self.grace_days) {
            violations.add("grace_days", "must be between 0 and 365");
        }
        let risk = ChurnRisk::from_fraction(self.unknown_churn_risk);
        if risk.is_none() {
            violations.add("unknown_churn_risk", "must be between 0 and 1");
        }
        if !(1.0..=100.0).contains(&self.worst_risk_factor) {
            violations.add("worst_risk_factor", "must be between 1 and 100");
        }
        let countries = self.countries(violations)?;
        let rule = |(mark_days, days_before): &(i32, i32)| MarkRule {
            mark_days: *mark_days,
            days_before: *days_before,
        };
        risk.filter(|_| violations.is_empty()).map(|unknown_churn_risk| Policy {
            marks: self.marks.iter().map(rule).collect(),
            grace_days: self.grace_days,
            unknown_churn_risk,
            countries,
        })
    }

    fn countries(&self, violations: &mut Violations) -> Option<Countries> {
        let mut countries = Vec::new();
        countries.extend(country("shipped calendar KZ", KAZAKHSTAN, violations));
        let other = country("shipped calendar", OTHER, violations);
        for (index, path) in self.calendars.iter().enumerate() {
            let field = format!("calendars[{index}]");
            let text = violations.take(
                field.as_str(),
                fs::read_to_string(path).map_err(|error| format!("{} cannot be read: {error}", path.display())),
            );
            countries.extend(text.and_then(|text| country(&field, &text, violations)));
        }
        Some(Countries::new(countries, other?))
    }
}

fn country(field: &str, text: &str, violations: &mut Violations) -> Option<Country> {
    let country: Country = violations.take(field, toml::from_str(text))?;
    if let Some(fault) = country.fault() {
        violations.add(field, fault);
        return None;
    }
    Some(country)
}

impl DutySettings {
    fn rules(&self, violations: &mut Violations) -> Option<DutyRules> {
        for (field, value) in [("lead_id", &self.lead_id), ("product_id", &self.product_id)] {
            if text::key(value).as_ref() != Ok(value) {
                violations.add(field, "must be an identifier in lower case");
            }
        }
        for (field, value) in [("remind_after", self.remind_after), ("step", self.step)] {
            if !(1..=60).contains(&value) {
                violations.add(field, "must be between 1 and 60");
            }
        }
        violations.is_empty().then(|| DutyRules {
            lead_id: self.lead_id.clone(),
            product_id: self.product_id.clone(),
            remind_after: self.remind_after,
            step: self.step,
        })
    }
}
