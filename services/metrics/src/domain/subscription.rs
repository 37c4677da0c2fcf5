//! Contracted terms of a subscription, version by version, and the changes of MRR that they make.
//!
//! On each day the version with the latest effective date holds; of two with one effective date the one that happened
//! later, then the one with the greater id. A superseded version never holds. A version that holds earns its MRR up to
//! its end date, nothing from that day on; inside it, discounts run out and escalators rise on their days. The outcome
//! depends on the set of versions alone, never on their order.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use upswell_runtime::money::{Money, MoneyFault};

use super::{
    movement::Cause,
    rules::{ChurnDay, Rules},
    schedule::Step,
};

/// Terms of a subscription from a day on (§9: contracted state, monthly, without tax).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// `source/external_id` of the fact.
    pub version_id: String,
    /// The contract line.
    pub subscription_id: String,
    /// First day on which these terms hold.
    pub effective_on: Date,
    /// First day on which the subscription no longer exists; `None` while it runs on.
    pub end_on: Option<Date>,
    /// Monthly amount on the first day, not negative.
    pub mrr: Money,
    /// When the fact happened.
    pub occurred_at: Timestamp,
    /// Corrected by another version; it no longer counts.
    pub superseded: bool,
    /// The order that these terms fulfil.
    pub order_id: Option<String>,
    /// What the line is about.
    pub terms: Terms,
}

/// What a contract line is about; a default is a line of which only the money is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// Key of the product in the catalogue.
    pub product: String,
    /// It is the base plan, not something beside it.
    pub plan: bool,
    /// Units of the product.
    pub quantity: i64,
    /// The source's own word for why these terms came.
    pub stated: Option<Cause>,
    /// What is contracted to change on later days without another fact, by day.
    pub steps: Vec<Step>,
}

/// What one version did to the MRR of its subscription on one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change<'a> {
    /// The day.
    pub day: Date,
    /// More or less than the day before; never zero.
    pub delta: Money,
    /// Why.
    pub cause: Cause,
    /// The order whose terms came into force that day. An end date is no cause of the order that it ends.
    pub order_id: Option<&'a str>,
    /// The version behind it.
    pub version_id: &'a str,
}

/// The changes that `versions` (of any subscriptions, in any order) make, by subscription and day.
pub fn changes(versions: &[Version], rules: Rules) -> Result<Vec<Change<'_>>, MoneyFault> {
    let mut changes = Vec::new();
    for line in standing(versions).chunk_by(|one, next| one.subscription_id == next.subscription_id) {
        line_changes(line, rules, &mut changes)?;
    }
    Ok(changes)
}

/// The plan that the account has or had last: the product of its plan line with the latest effective date. Empty when
/// it never had one.
pub fn plan(versions: &[Version]) -> String {
    let plans = standing(versions).into_iter().filter(|version| version.terms.plan);
    let last = plans.max_by_key(|version| (version.effective_on, version.rank()));
    last.map(|version| version.terms.product.clone()).unwrap_or_default()
}

/// The versions that stand: one per subscription and effective date, by both.
fn standing(versions: &[Version]) -> Vec<&Version> {
    let mut standing: BTreeMap<(&str, Date), &Version> = BTreeMap::new();
    for version in versions.iter().filter(|version| !version.superseded) {
        let key = (version.subscription_id.as_str(), version.effective_on);
        let stands = standing.entry(key).or_insert(version);
        if version.rank() > stands.rank() {
            *stands = version;
        }
    }
    standing.into_values().collect()
}

impl Version {
    fn rank(&self) -> (Timestamp, &str) {
        (self.occurred_at, &self.version_id)
    }

    /// It comes into force: its order, if any, is the cause.
    fn begins(&self, delta: Money, before: Option<&Self>, level: Option<Money>) -> Change<'_> {
        Change {
            order_id: self.order_id.as_deref(),
            cause: self.cause(before, level),
            ..self.changes(self.effective_on, delta, Cause::Ended)
        }
    }

    fn changes(&self, day: Date, delta: Money, cause: Cause) -> Change<'_> {
        Change {
            day,
            delta,
            cause,
            order_id: None,
            version_id: &self.version_id,
        }
    }

    /// Why these terms came: the order, the source's word, or else what differs from the version before.
    fn cause(&self, before: Option<&Self>, level: Option<Money>) -> Cause {
        if self.order_id.is_some() {
            return Cause::Offer;
        }
        if let Some(stated) = self.terms.stated {
            return stated;
        }
        let (Some(before), Some(level)) = (before, level) else {
            return Cause::Added;
        };
        if level.currency != self.mrr.currency {
            Cause::Currency
        } else if before.terms.product != self.terms.product {
            Cause::Migration
        } else if before.terms.quantity != self.terms.quantity {
            Cause::Seats
        } else {
            Cause::Price
        }
    }

    /// The day on which its MRR is gone: the end of the paid term, or the day of the notice where that is the rule. A
    /// notice is a version which gives an end to a line that ran before; an end agreed from the beginning is none.
    fn gone_on(&self, before: Option<&Self>, rules: Rules) -> Option<Date> {
        let end = self.end_on?;
        let is_notice = before.is_some_and(|before| before.end_on.is_none_or(|earlier| earlier > self.effective_on));
        if rules.churn_day == ChurnDay::Notice && is_notice {
            let told = self.occurred_at.to_zoned(TimeZone::UTC).date();
            return Some(end.min(told.max(self.effective_on)));
        }
        Some(end)
    }
}

/// The changes of one subscription, whose standing versions come by effective date.
fn line_changes<'a>(line: &[&'a Version], rules: Rules, changes: &mut Vec<Change<'a>>) -> Result<(), MoneyFault> {
    let mut level: Option<Money> = None;
    for (index, version) in line.iter().enumerate() {
        let version: &'a Version = version;
        let before = index.checked_sub(1).map(|before| line[before]);
        let replaced_on = line.get(index + 1).map(|next| next.effective_on);
        let ends_on = version
            .gone_on(before, rules)
            .filter(|end| replaced_on.is_none_or(|replaced| *end < replaced));
        let lives = ends_on.is_none_or(|end| end > version.effective_on);
        let target = lives.then_some(version.mrr);
        changes.extend(deltas(level, target)?.map(|delta| match target {
            Some(_) => version.begins(delta, before, level),
            None => version.changes(version.effective_on, delta, Cause::Ended),
        }));
        level = target;
        let until = ends_on.or(replaced_on);
        let steps = version
            .terms
            .steps
            .iter()
            .filter(|step| lives && step.on > version.effective_on && until.is_none_or(|until| step.on < until));
        for step in steps {
            let next = Some(step.mrr);
            changes.extend(deltas(level, next)?.map(|delta| version.changes(step.on, delta, step.cause)));
            level = next;
        }
        if let (Some(end), Some(_)) = (ends_on, level) {
            changes.extend(deltas(level, None)?.map(|delta| version.changes(end, delta, Cause::Ended)));
            level = None;
        }
    }
    Ok(())
}

/// What leads from one level to the next, without zeros: one delta per currency.
fn deltas(from: Option<Money>, to: Option<Money>) -> Result<impl Iterator<Item = Money>, MoneyFault> {
    let found = match (from, to) {
        (Some(from), Some(to)) if from.currency == to.currency => [Some(to.checked_sub(from)?), None],
        (from, to) => [from.map(|money| money.checked_mul(-1)).transpose()?, to],
    };
    Ok(found.into_iter().flatten().filter(|delta| !delta.is_zero()))
}
