//! Revenue opened up: slices, accounts, cohorts, lifetime values, exchange rates.

use jiff::civil::Date;
use serde::Serialize;
use upswell_proto::metrics::v1 as pb;
use upswell_runtime::money::Money;

use crate::{
    cli::output::{Column, Row, View, cash, day, decimal, left, percent, right, wire_money},
    wire::{date, word},
};

/// A slice in one currency.
#[derive(Serialize)]
pub(super) struct SliceLine {
    slice: String,
    currency: String,
    mrr_start: Option<Money>,
    mrr_end: Option<Money>,
    nrr: Option<f64>,
    grr: Option<f64>,
    arpa: Option<Money>,
    paying_accounts_end: i64,
    logo_churn: Option<f64>,
    gross_mrr_churn: Option<f64>,
    net_mrr_churn: Option<f64>,
    quick_ratio: Option<f64>,
}

impl From<pb::RevenueSlice> for SliceLine {
    fn from(slice: pb::RevenueSlice) -> Self {
        let metrics = slice.metrics.unwrap_or_default();
        Self {
            slice: slice.value,
            mrr_start: wire_money(metrics.mrr_start.as_ref()),
            mrr_end: wire_money(metrics.mrr_end.as_ref()),
            nrr: metrics.nrr,
            grr: metrics.grr,
            arpa: wire_money(metrics.arpa.as_ref()),
            paying_accounts_end: metrics.paying_accounts_end,
            logo_churn: metrics.logo_churn,
            gross_mrr_churn: metrics.gross_mrr_churn,
            net_mrr_churn: metrics.net_mrr_churn,
            quick_ratio: metrics.quick_ratio,
            currency: metrics.currency_code,
        }
    }
}

impl Row for SliceLine {
    const COLUMNS: &'static [Column] = &[
        left("slice"),
        right("MRR at the start"),
        right("MRR at the end"),
        right("NRR"),
        right("GRR"),
        right("ARPA"),
        right("accounts"),
        right("logo churn"),
        right("MRR churn"),
        right("quick ratio"),
    ];

    fn cells(&self) -> Vec<String> {
        let name = if self.slice.is_empty() {
            "(unknown)"
        } else {
            &self.slice
        };
        vec![
            name.to_owned(),
            cash(self.mrr_start),
            cash(self.mrr_end),
            percent(self.nrr),
            percent(self.grr),
            cash(self.arpa),
            self.paying_accounts_end.to_string(),
            percent(self.logo_churn),
            percent(self.gross_mrr_churn),
            decimal(self.quick_ratio),
        ]
    }
}

/// An account in one currency.
#[derive(Serialize)]
pub(super) struct AccountShare {
    account: String,
    mrr_start: Option<Money>,
    mrr_end: Option<Money>,
    moved: Vec<Moved>,
}

#[derive(Serialize)]
struct Moved {
    kind: String,
    amount: Option<Money>,
}

impl From<pb::AccountRevenue> for AccountShare {
    fn from(share: pb::AccountRevenue) -> Self {
        let moved = |total: &pb::MovementTotal| Moved {
            kind: word(total.kind().as_str_name(), "MOVEMENT_KIND"),
            amount: wire_money(total.amount.as_ref()),
        };
        Self {
            mrr_start: wire_money(share.mrr_start.as_ref()),
            mrr_end: wire_money(share.mrr_end.as_ref()),
            moved: share.movements.iter().map(moved).collect(),
            account: share.account_id,
        }
    }
}

impl Row for AccountShare {
    const COLUMNS: &'static [Column] = &[
        left("account"),
        right("MRR at the start"),
        right("MRR at the end"),
        left("what moved it"),
    ];

    fn cells(&self) -> Vec<String> {
        let moved = self
            .moved
            .iter()
            .map(|moved| format!("{} {}", moved.kind, cash(moved.amount)));
        vec![
            self.account.clone(),
            cash(self.mrr_start),
            cash(self.mrr_end),
            moved.collect::<Vec<_>>().join(", "),
        ]
    }
}

/// A cohort at the end of one month.
#[derive(Serialize)]
pub(super) struct CohortLine {
    cohort: String,
    currency: String,
    accounts: i64,
    age: i32,
    month: Option<Date>,
    paying_accounts: i64,
    mrr: Option<Money>,
    logo_retention: Option<f64>,
    mrr_retention: Option<f64>,
}

impl CohortLine {
    /// One line per month.
    pub(super) fn of(cohort: pb::CohortRevenue) -> impl Iterator<Item = Self> {
        let pb::CohortRevenue {
            cohort,
            currency_code,
            accounts,
            mrr_first: _,
            months,
        } = cohort;
        months.into_iter().map(move |found| Self {
            cohort: cohort.clone(),
            currency: currency_code.clone(),
            accounts,
            age: found.age,
            month: date(found.month.as_ref()),
            paying_accounts: found.paying_accounts,
            mrr: wire_money(found.mrr.as_ref()),
            logo_retention: found.logo_retention,
            mrr_retention: found.mrr_retention,
        })
    }
}

impl Row for CohortLine {
    const COLUMNS: &'static [Column] = &[
        left("cohort"),
        right("accounts"),
        right("age"),
        left("month"),
        right("paying"),
        right("MRR"),
        right("accounts kept"),
        right("MRR kept"),
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.cohort.clone(),
            self.accounts.to_string(),
            self.age.to_string(),
            day(self.month),
            self.paying_accounts.to_string(),
            cash(self.mrr),
            percent(self.logo_retention),
            percent(self.mrr_retention),
        ]
    }
}

/// The lifetime value in one currency.
#[derive(Serialize)]
pub(super) struct LifetimeLine {
    currency: String,
    arpa: Option<Money>,
    monthly_churn: Option<f64>,
    lifetime_months: Option<f64>,
    ltv_revenue: Option<Money>,
    ltv_margin: Option<Money>,
    ltv_to_cac: Option<f64>,
    revenue_before: Option<Money>,
    revenue_change: Option<f64>,
}

impl From<pb::LifetimeValue> for LifetimeLine {
    fn from(value: pb::LifetimeValue) -> Self {
        Self {
            arpa: wire_money(value.arpa.as_ref()),
            monthly_churn: value.monthly_churn,
            lifetime_months: value.lifetime_months,
            ltv_revenue: wire_money(value.revenue.as_ref()),
            ltv_margin: wire_money(value.margin.as_ref()),
            ltv_to_cac: value.ltv_to_cac,
            revenue_before: wire_money(value.revenue_before.as_ref()),
            revenue_change: value.revenue_change,
            currency: value.currency_code,
        }
    }
}

impl Row for LifetimeLine {
    const COLUMNS: &'static [Column] = &[
        left("currency"),
        right("ARPA"),
        right("churn a month"),
        right("months"),
        right("LTV of revenue"),
        right("before"),
        right("change"),
        right("LTV of margin"),
        right("LTV / CAC"),
    ];

    fn cells(&self) -> Vec<String> {
        let undefined = |amount: Option<Money>| amount.map_or("undefined".to_owned(), |amount| cash(Some(amount)));
        vec![
            self.currency.clone(),
            cash(self.arpa),
            percent(self.monthly_churn),
            decimal(self.lifetime_months),
            undefined(self.ltv_revenue),
            undefined(self.revenue_before),
            percent(self.revenue_change),
            cash(self.ltv_margin),
            decimal(self.ltv_to_cac),
        ]
    }
}

/// A dated exchange rate.
#[derive(Serialize)]
pub(super) struct RateLine {
    currency: String,
    quote: String,
    day: Option<Date>,
    rate: String,
}

impl From<pb::ExchangeRate> for RateLine {
    fn from(rate: pb::ExchangeRate) -> Self {
        Self {
            day: date(rate.date.as_ref()),
            currency: rate.currency_code,
            quote: rate.quote_code,
            rate: rate.rate,
        }
    }
}

impl Row for RateLine {
    const COLUMNS: &'static [Column] = &[left("currency"), left("in"), left("from"), right("rate")];

    fn cells(&self) -> Vec<String> {
        vec![
            self.currency.clone(),
            self.quote.clone(),
            day(self.day),
            self.rate.clone(),
        ]
    }
}

/// What was recorded.
#[derive(Serialize)]
pub(super) struct Recorded {
    changed: i32,
}

impl From<pb::RecordExchangeRatesResponse> for Recorded {
    fn from(answer: pb::RecordExchangeRatesResponse) -> Self {
        Self {
            changed: answer.changed_count,
        }
    }
}

impl View for Recorded {
    fn render(&self) -> String {
        match self.changed {
            0 => "it was known already".to_owned(),
            _ => "recorded".to_owned(),
        }
    }
}
