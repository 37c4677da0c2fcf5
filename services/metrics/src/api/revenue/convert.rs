//! Requests of the revenue service. Every violation of a request is told.

use std::collections::BTreeSet;

use jiff::{Timestamp, civil::Date};
use upswell_proto::metrics::v1::{
    ExchangeRate as WireRate, GetCohortsRequest, GetLtvRequest, GetRevenueBreakdownRequest, ListAccountRevenueRequest,
    ListExchangeRatesRequest, RecordExchangeRatesRequest, RevenueDimension,
};
use upswell_runtime::{
    money::{self, Currency, Money},
    paging,
    problem::{Problem, Violations},
    requests,
};

use crate::{
    api::convert::{asked, date, optional, required, settled, violations_of_page, window_before, window_in},
    app::{Asked, Once},
    domain::{exchange::Rate, kept::Dimension, kept::months_after, window::Window},
    store::{ExchangeKey, ExchangeRow},
};

const LIST_ACCOUNTS: &str = "ListAccountRevenue";
const LIST_RATES: &str = "ListExchangeRates";
const RATES_MAX: usize = 1_000;
/// The most months of cohorts.
const MONTHS_MAX: i32 = 120;

/// The window and the dimension.
pub(super) fn breakdown(wire: GetRevenueBreakdownRequest) -> Result<(Window, Dimension), Problem> {
    let GetRevenueBreakdownRequest { window, dimension } = wire;
    let mut violations = Violations::new();
    let window = window_in(window, &mut violations);
    let dimension = dimension_of(dimension, &mut violations).flatten();
    if dimension.is_none() && violations.is_empty() {
        violations.add("dimension", "is required");
    }
    settled(window.zip(dimension), violations)
}

/// The dimension; `Some(None)` where none is set.
fn dimension_of(number: i32, violations: &mut Violations) -> Option<Option<Dimension>> {
    match RevenueDimension::try_from(number) {
        Ok(RevenueDimension::Unspecified) => Some(None),
        Ok(RevenueDimension::Segment) => Some(Some(Dimension::Segment)),
        Ok(RevenueDimension::Plan) => Some(Some(Dimension::Plan)),
        Ok(RevenueDimension::Country) => Some(Some(Dimension::Country)),
        Ok(RevenueDimension::Cohort) => Some(Some(Dimension::Cohort)),
        Err(_) => {
            violations.add("dimension", format!("{number} is not known here"));
            None
        }
    }
}

/// A page of the list of accounts.
pub(super) struct AccountList {
    pub(super) window: Window,
    pub(super) asked: Asked,
    pub(super) after: String,
    pub(super) size: u32,
}

impl TryFrom<ListAccountRevenueRequest> for AccountList {
    type Error = Problem;

    fn try_from(wire: ListAccountRevenueRequest) -> Result<Self, Problem> {
        let ListAccountRevenueRequest {
            window,
            dimension,
            value,
            page_size,
            page_token,
        } = wire;
        let mut violations = Violations::new();
        let window = window_in(window, &mut violations);
        let dimension = dimension_of(dimension, &mut violations);
        if dimension == Some(None) && !value.is_empty() {
            violations.add("value", "needs a dimension");
        }
        violations_of_page(page_size, &mut violations);
        let (window, dimension) = settled(window.zip(dimension), violations)?;
        let mut list = Self {
            window,
            asked: Asked {
                dimension: dimension.unwrap_or(Dimension::All),
                slice: value,
                currency: None,
            },
            after: String::new(),
            size: 0,
        };
        let page = paging::parse(LIST_ACCOUNTS, &list.filter(), page_size, &page_token)?;
        list.after = page.after.unwrap_or_default();
        list.size = page.size;
        Ok(list)
    }
}

impl AccountList {
    /// The token of the page after `last`.
    pub(super) fn next_token(&self, last: &str) -> String {
        paging::next_token(LIST_ACCOUNTS, &self.filter(), last)
    }

    fn filter(&self) -> Vec<u8> {
        let Asked { dimension, slice, .. } = &self.asked;
        format!(
            "{}/{}/{}/{slice}",
            self.window.start(),
            self.window.end(),
            dimension.number()
        )
        .into_bytes()
    }
}

/// The first and the last month.
pub(super) fn cohorts(wire: GetCohortsRequest) -> Result<(Date, Date), Problem> {
    let GetCohortsRequest { start_month, end_month } = wire;
    let mut violations = Violations::new();
    let first = required("start_month", start_month, &mut violations, date);
    let last = required("end_month", end_month, &mut violations, date);
    if let Some((first, last)) = first.zip(last) {
        if last < first {
            violations.add("end_month", "must not be before start_month");
        } else if months_after(first, MONTHS_MAX) < last.first_of_month() {
            violations.add(
                "end_month",
                format!("must be at most {MONTHS_MAX} months after start_month"),
            );
        }
    }
    settled(first.zip(last), violations)
}

/// What a lifetime value is asked with.
pub(super) struct Ltv {
    /// The window, and the one that it is compared with.
    pub(super) windows: (Window, Window),
    pub(super) asked: Asked,
    pub(super) margin: Option<i64>,
    pub(super) acquisition: Option<Money>,
}

impl TryFrom<GetLtvRequest> for Ltv {
    type Error = Problem;

    fn try_from(wire: GetLtvRequest) -> Result<Self, Problem> {
        let GetLtvRequest {
            window,
            gross_margin_bp,
            acquisition_cost,
            segment,
            plan,
            country_code,
            cohort,
            before,
        } = wire;
        let mut violations = Violations::new();
        let window = window_in(window, &mut violations);
        let before = window_before(window, before, &mut violations);
        let asked = asked([&segment, &plan, &country_code, &cohort], &mut violations);
        if gross_margin_bp.is_some_and(|margin| !(0..=10_000).contains(&margin)) {
            violations.add("gross_margin_bp", "must be between 0 and 10000");
        }
        let acquisition = optional("acquisition_cost", acquisition_cost, &mut violations, |cost| {
            let cost = money::from_proto(&cost).map_err(|fault| fault.to_string())?;
            if cost.minor > 0 {
                Ok(cost)
            } else {
                Err("must be above zero".to_owned())
            }
        });
        let (windows, (asked, acquisition)) = settled(window.zip(before).zip(asked.zip(acquisition)), violations)?;
        Ok(Self {
            windows,
            asked,
            margin: gross_margin_bp.map(i64::from),
            acquisition,
        })
    }
}

/// The rates to record.
pub(super) fn record(mut wire: RecordExchangeRatesRequest) -> Result<(Once, Vec<ExchangeRow>), Problem> {
    let request_id = std::mem::take(&mut wire.request_id);
    let once = Once {
        method: "RecordExchangeRates",
        fingerprint: requests::fingerprint(&wire),
        request_id,
    };
    let mut violations = Violations::new();
    if wire.rates.is_empty() || wire.rates.len() > RATES_MAX {
        violations.add("rates", format!("must be 1 to {RATES_MAX}, are {}", wire.rates.len()));
        return Err(Problem::invalid(violations));
    }
    let mut seen = BTreeSet::new();
    let mut rows = Vec::new();
    for (index, rate) in wire.rates.into_iter().enumerate() {
        violations.at(format!("rates[{index}]"), |violations| {
            if let Some(row) = exchange(rate, violations) {
                if !seen.insert((row.currency, row.quote, row.day)) {
                    violations.add("date", "has a rate before in this request");
                }
                rows.push(row);
            }
        });
    }
    settled(Some((once, rows)), violations)
}

fn exchange(wire: WireRate, violations: &mut Violations) -> Option<ExchangeRow> {
    let WireRate {
        currency_code,
        quote_code,
        date: day,
        rate,
        record_time: _,
    } = wire;
    let currency: Option<Currency> = violations.take("currency_code", currency_code.parse());
    let quote: Option<Currency> = violations.take("quote_code", quote_code.parse());
    let day = required("date", day, violations, date);
    let rate = violations.take("rate", Rate::parse(&rate));
    if currency.is_some() && currency == quote {
        violations.add("quote_code", "must be another currency");
        return None;
    }
    Some(ExchangeRow {
        currency: currency?,
        quote: quote?,
        day: day?,
        rate: rate?,
        recorded_at: Timestamp::UNIX_EPOCH,
    })
}

/// A page of the list of rates.
pub(super) struct RateList {
    pub(super) currency: Option<Currency>,
    pub(super) after: Option<ExchangeKey>,
    pub(super) size: u32,
}

impl TryFrom<ListExchangeRatesRequest> for RateList {
    type Error = Problem;

    fn try_from(wire: ListExchangeRatesRequest) -> Result<Self, Problem> {
        let ListExchangeRatesRequest {
            currency_code,
            page_size,
            page_token,
        } = wire;
        let mut violations = Violations::new();
        let currency = match currency_code.as_str() {
            "" => Some(None),
            code => violations.take("currency_code", code.parse()).map(Some),
        };
        violations_of_page(page_size, &mut violations);
        let currency = settled(currency, violations)?;
        let page = paging::parse(LIST_RATES, currency_code.as_bytes(), page_size, &page_token)?;
        let after = page.after.map(|key| serde_json::from_str(&key)).transpose();
        Ok(Self {
            currency,
            after: after.map_err(|_| Problem::invalid_field("page_token", "is not a token of this list"))?,
            size: page.size,
        })
    }
}

impl RateList {
    /// The token of the page after `last`.
    pub(super) fn next_token(&self, last: &ExchangeKey) -> Result<String, Problem> {
        let key = serde_json::to_string(last).map_err(Problem::internal)?;
        let code = self.currency.map(|currency| currency.to_string()).unwrap_or_default();
        Ok(paging::next_token(LIST_RATES, code.as_bytes(), &key))
    }
}
