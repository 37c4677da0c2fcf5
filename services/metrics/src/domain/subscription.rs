//! Contracted terms of a subscription, version by version, and the changes of MRR that they make.
//!
//! On each day the version with the latest effective date holds; of two with one effective date the one that happened
//! later, then the one with the greater id. A superseded version never holds. A version that holds earns its MRR up to
//! its end date, nothing from that day on. The outcome depends on the set of versions alone, never on their order.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};
use upswell_runtime::money::{Money, MoneyFault};

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
    /// Monthly amount, not negative.
    pub mrr: Money,
    /// When the fact happened.
    pub occurred_at: Timestamp,
    /// Corrected by another version; it no longer counts.
    pub superseded: bool,
    /// The order that these terms fulfil.
    pub order_id: Option<String>,
}

/// What one version did to the MRR of its subscription on one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change<'a> {
    /// The day.
    pub day: Date,
    /// More or less than the day before; never zero.
    pub delta: Money,
    /// The order whose terms came into force that day. An end date is no cause of the order that it ends.
    pub order_id: Option<&'a str>,
    /// The version behind it.
    pub version_id: &'a str,
}

/// The changes that `versions` (of any subscriptions, in any order) make, by subscription and day.
pub fn changes(versions: &[Version]) -> Result<Vec<Change<'_>>, MoneyFault> {
    let mut standing: BTreeMap<(&str, Date), &Version> = BTreeMap::new();
    for version in versions.iter().filter(|version| !version.superseded) {
        let key = (version.subscription_id.as_str(), version.effective_on);
        let stands = standing.entry(key).or_insert(version);
        if version.rank() > stands.rank() {
            *stands = version;
        }
    }
    let standing: Vec<&Version> = standing.into_values().collect();
    let mut changes = Vec::new();
    for line in standing.chunk_by(|one, next| one.subscription_id == next.subscription_id) {
        line_changes(line, &mut changes)?;
    }
    Ok(changes)
}

impl Version {
    fn rank(&self) -> (Timestamp, &str) {
        (self.occurred_at, &self.version_id)
    }

    /// It comes into force: its order, if any, is the cause.
    fn begins(&self, delta: Money) -> Change<'_> {
        Change {
            order_id: self.order_id.as_deref(),
            ..self.ends(self.effective_on, delta)
        }
    }

    fn ends(&self, day: Date, delta: Money) -> Change<'_> {
        Change {
            day,
            delta,
            order_id: None,
            version_id: &self.version_id,
        }
    }
}

/// The changes of one subscription, whose standing versions come by effective date.
fn line_changes<'a>(line: &[&'a Version], changes: &mut Vec<Change<'a>>) -> Result<(), MoneyFault> {
    let mut level: Option<Money> = None;
    for (index, version) in line.iter().enumerate() {
        let version: &'a Version = version;
        let replaced_on = line.get(index + 1).map(|next| next.effective_on);
        let ends_on = version
            .end_on
            .filter(|end| replaced_on.is_none_or(|replaced| *end < replaced));
        let lives = ends_on.is_none_or(|end| end > version.effective_on);
        let target = lives.then_some(version.mrr);
        changes.extend(deltas(level, target)?.map(|delta| version.begins(delta)));
        level = target;
        if let (Some(end), Some(_)) = (ends_on, level) {
            changes.extend(deltas(level, None)?.map(|delta| version.ends(end, delta)));
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
