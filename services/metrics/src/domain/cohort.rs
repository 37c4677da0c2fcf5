//! Cohorts: what became of the accounts that came in one month (K-6).

use std::collections::BTreeMap;

use jiff::civil::Date;
use upswell_runtime::money::{Currency, Money};

use super::{kept::months_after, revenue::share};

/// What flows in a cohort in one calendar month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CohortFlow {
    /// The cohort, `2026-01`.
    pub cohort: String,
    /// First day of the month.
    pub month: Date,
    /// The currency; `None` for the counts of accounts.
    pub currency: Option<Currency>,
    /// What the level changes by.
    pub level: i64,
    /// First MRR of accounts.
    pub new: i64,
    /// Accounts that begin to pay minus those that cease.
    pub paying: i64,
    /// Accounts that pay for the first time.
    pub first: i64,
}

/// A cohort in one currency.
#[derive(Clone, Debug, PartialEq)]
pub struct Cohort {
    /// Its month, `2026-01`.
    pub cohort: String,
    /// The currency of its amounts.
    pub currency: Currency,
    /// Accounts that ever paid.
    pub accounts: i64,
    /// Σ of their first MRR.
    pub mrr_first: Money,
    /// Month by month, from the cohort's first one with a movement.
    pub months: Vec<CohortMonth>,
}

/// A cohort at the end of a month.
#[derive(Clone, Debug, PartialEq)]
pub struct CohortMonth {
    /// Months since the cohort's own; 0 for itself.
    pub age: i32,
    /// First day of the month.
    pub month: Date,
    /// Accounts that pay at its end, in any currency.
    pub paying: i64,
    /// MRR at its end.
    pub mrr: Money,
    /// Share of the accounts that ever paid.
    pub logo_retention: Option<f64>,
    /// MRR over the first MRR: above 1 when the cohort grew.
    pub mrr_retention: Option<f64>,
}

/// The cohorts that `flows` make, month by month up to `until` (the first day after the last month), by cohort and
/// currency. A cohort whose name is no month is left out: its accounts never paid.
pub fn cohorts(flows: &[CohortFlow], until: Date) -> Vec<Cohort> {
    let mut by_cohort: BTreeMap<&str, Vec<&CohortFlow>> = BTreeMap::new();
    for flow in flows {
        by_cohort.entry(&flow.cohort).or_default().push(flow);
    }
    let told = by_cohort.into_iter().filter_map(|(name, flows)| {
        let start: Date = format!("{name}-01").parse().ok()?;
        Some(of_cohort(name, start, &flows, until))
    });
    told.flatten().collect()
}

fn of_cohort(name: &str, start: Date, flows: &[&CohortFlow], until: Date) -> Vec<Cohort> {
    let mut currencies: Vec<Currency> = flows.iter().filter_map(|flow| flow.currency).collect();
    currencies.sort_unstable();
    currencies.dedup();
    let accounts = flows
        .iter()
        .filter(|flow| flow.currency.is_none())
        .map(|flow| flow.first)
        .sum();
    let of_currency = |currency| {
        let own = || flows.iter().filter(move |flow| flow.currency == Some(currency));
        let mrr_first = own().map(|flow| flow.new).sum();
        Cohort {
            cohort: name.to_owned(),
            currency,
            accounts,
            mrr_first: Money::new(mrr_first, currency),
            months: months(start, flows, currency, accounts, mrr_first, until),
        }
    };
    currencies.into_iter().map(of_currency).collect()
}

fn months(
    start: Date,
    flows: &[&CohortFlow],
    currency: Currency,
    accounts: i64,
    mrr_first: i64,
    until: Date,
) -> Vec<CohortMonth> {
    // Accounts may pay before the sign-up that is on record: they count from the cohort's own month on.
    let before = |flow: &CohortFlow, end: Date| flow.month < end;
    let ages = (0..)
        .map(|age| (age, months_after(start, age)))
        .take_while(|(_, month)| *month < until);
    ages.map(|(age, month)| {
        let end = months_after(month, 1);
        let sum = |of: Option<Currency>, pick: fn(&CohortFlow) -> i64| -> i64 {
            flows
                .iter()
                .filter(|flow| flow.currency == of && before(flow, end))
                .map(|flow| pick(flow))
                .sum()
        };
        let (paying, mrr) = (sum(None, |flow| flow.paying), sum(Some(currency), |flow| flow.level));
        CohortMonth {
            age,
            month,
            paying,
            mrr: Money::new(mrr, currency),
            logo_retention: share(paying, accounts),
            mrr_retention: share(mrr, mrr_first),
        }
    })
    .collect()
}
