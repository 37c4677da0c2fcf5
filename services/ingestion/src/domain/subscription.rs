//! Subscriptions: versions of terms, and which of them hold on a day (§9).

use std::collections::BTreeMap;

use jiff::civil::Date;
use upswell_runtime::money::{Currency, Money, MoneyFault};

use super::{
    fact::{Body, SubscriptionTerms},
    price::mrr,
    standing::Document,
};

/// A version and the fact behind it.
#[derive(Clone, Copy, Debug)]
pub struct Version<'a> {
    /// The terms.
    pub terms: &'a SubscriptionTerms,
    /// Their fact.
    pub document: &'a Document,
}

/// All versions, by subscription, effective date and then by which stands.
pub fn versions(documents: &[Document]) -> Vec<Version<'_>> {
    let mut versions: Vec<Version<'_>> = documents
        .iter()
        .filter_map(|document| match &document.fact.body {
            Body::Subscription(terms) => Some(Version { terms, document }),
            _ => None,
        })
        .collect();
    versions.sort_by(|a, b| order(a).cmp(&order(b)));
    versions
}

fn order<'a>(version: &Version<'a>) -> (&'a str, Date, (jiff::Timestamp, &'a str, &'a str)) {
    (
        &version.terms.subscription_id,
        version.terms.effective_date,
        version.document.rank(),
    )
}

/// A subscription as it stands on a day.
#[derive(Clone, Copy, Debug)]
pub struct Standing<'a> {
    /// The version in force, or the next one where none is in force yet.
    pub version: Version<'a>,
    /// True while it is in force.
    pub active: bool,
    /// The monthly amount on the day, or on the first day of the version; zero once ended.
    pub mrr: Money,
}

/// Every subscription as it stands on `day`, by id. Errors: an amount that overflows, which no recorded fact has.
pub fn on<'a>(versions: &[Version<'a>], day: Date) -> Result<Vec<Standing<'a>>, MoneyFault> {
    let mut by_id: BTreeMap<&str, Vec<Version<'a>>> = BTreeMap::new();
    for version in versions {
        by_id.entry(&version.terms.subscription_id).or_default().push(*version);
    }
    let standings = by_id.into_values().filter_map(|versions| {
        let in_force = versions
            .iter()
            .rev()
            .find(|version| version.terms.effective_date <= day);
        // Where none is in force yet, the next is the earliest effective date, and of its versions the last.
        let next = versions.first()?.terms.effective_date;
        let ahead = versions
            .iter()
            .rev()
            .find(|version| version.terms.effective_date == next);
        in_force.or(ahead).copied()
    });
    standings.map(|version| stand(version, day)).collect()
}

fn stand(version: Version<'_>, day: Date) -> Result<Standing<'_>, MoneyFault> {
    let ended = version.terms.end_date.is_some_and(|end| end <= day);
    let active = !ended && version.terms.effective_date <= day;
    let amount = mrr(version.terms, day.max(version.terms.effective_date))?;
    let mrr = if ended { Money::zero(amount.currency) } else { amount };
    Ok(Standing { version, active, mrr })
}

/// MRR of what is in force, by currency.
pub fn total(standings: &[Standing<'_>]) -> Result<Vec<Money>, MoneyFault> {
    let mut sums: BTreeMap<Currency, Money> = BTreeMap::new();
    for standing in standings.iter().filter(|standing| standing.active) {
        let sum = sums
            .entry(standing.mrr.currency)
            .or_insert(Money::zero(standing.mrr.currency));
        *sum = sum.checked_add(standing.mrr)?;
    }
    Ok(sums.into_values().collect())
}
