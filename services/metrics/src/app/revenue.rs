//! MRR, what moved it, and the rates of a window.

use std::collections::BTreeMap;

use jiff::civil::Date;
use upswell_runtime::{
    money::{Currency, Money},
    problem::Problem,
};

use super::App;
use crate::{
    domain::{
        cohort::{Cohort, cohorts},
        kept::{Dimension, months_after},
        lifetime::{Costs, Lifetime, lifetime},
        restate::restate,
        revenue::{Revenue, revenue},
        window::Window,
    },
    error::MetricsError,
    store::{self, AccountRevenue, ListedMovement, MovementFilter, MovementKey, Slices},
};

/// The most slices of an answer.
const SLICES_MAX: usize = 1_000;

/// A page of movements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MovementPage {
    /// The movements.
    pub movements: Vec<ListedMovement>,
    /// The key of the last one when more follow.
    pub last_key: Option<MovementKey>,
}

/// Whose revenue is asked for, and in what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The dimension; of all accounts [`Dimension::All`] with an empty slice.
    pub dimension: Dimension,
    /// The slice.
    pub slice: String,
    /// The currency in which all are told; `None` for each in its own.
    pub currency: Option<Currency>,
}

/// Revenue of a slice, by currency.
pub type Sliced = (String, Vec<Revenue>);

impl Asked {
    /// Everybody, each currency for itself.
    pub fn all() -> Self {
        Self {
            dimension: Dimension::All,
            slice: String::new(),
            currency: None,
        }
    }

    fn slices(&self) -> Slices {
        Slices::One(self.dimension, self.slice.clone())
    }
}

impl App {
    /// Revenue metrics by currency; an empty segment means all accounts. Errors: INTERNAL `MRR_IDENTITY_BROKEN`.
    pub async fn revenue(&self, window: Window, segment: &str) -> Result<Vec<Revenue>, MetricsError> {
        let asked = match segment {
            "" => Asked::all(),
            segment => Asked {
                dimension: Dimension::Segment,
                slice: segment.to_owned(),
                currency: None,
            },
        };
        self.revenue_of(window, &asked).await
    }

    /// Revenue metrics of a slice. Errors: INTERNAL `MRR_IDENTITY_BROKEN`; FAILED_PRECONDITION `RATE_MISSING`.
    #[tracing::instrument(name = "metrics.revenue", skip_all, fields(window.days = window.days()))]
    pub async fn revenue_of(&self, window: Window, asked: &Asked) -> Result<Vec<Revenue>, MetricsError> {
        let (reader, slices) = (self.db.reader(), asked.slices());
        let rules = self.revenue.rules();
        if let Some(currency) = asked.currency {
            let rates = store::rates_fetch(reader, currency, window).await?;
            let found = store::natives_fetch(reader, window, &slices).await?;
            let (ends, sums) = restate(window, &rates, &found.natives, &found.moved, found.paying)?;
            return Ok(revenue(vec![ends], sums, rules)?);
        }
        let mut found = store::revenue_sums_fetch(reader, window, &slices).await?;
        let sums = found.remove(&asked.slice).unwrap_or_default();
        Ok(revenue(sums.ends, sums.sums, rules)?)
    }

    /// Revenue metrics of every slice of a dimension. Errors: INTERNAL `MRR_IDENTITY_BROKEN`; INVALID_ARGUMENT for more
    /// than 1,000 slices.
    #[tracing::instrument(name = "metrics.breakdown", skip_all, fields(window.days = window.days()))]
    pub async fn breakdown(&self, window: Window, dimension: Dimension) -> Result<Vec<Sliced>, MetricsError> {
        let slices = Slices::Each(dimension);
        let found = store::revenue_sums_fetch(self.db.reader(), window, &slices).await?;
        if found.len() > SLICES_MAX {
            let message = format!("has {} slices, at most {SLICES_MAX} are told at once", found.len());
            return Err(Problem::invalid_field("dimension", message).into());
        }
        let rules = self.revenue.rules();
        let read = |(slice, sums): (String, store::SliceSums)| Ok((slice, revenue(sums.ends, sums.sums, rules)?));
        found.into_iter().map(read).collect()
    }

    /// Shares of at most `size` accounts after `after`, and the last account when more follow.
    #[tracing::instrument(name = "metrics.account_revenue", skip_all)]
    pub async fn account_revenue(
        &self,
        window: Window,
        asked: &Asked,
        after: &str,
        size: u32,
    ) -> Result<(Vec<AccountRevenue>, Option<String>), Problem> {
        let (reader, slices) = (self.db.reader(), asked.slices());
        let mut accounts = store::account_revenue_list(reader, window, &slices, after, size.saturating_add(1)).await?;
        let more = accounts.len() > size as usize;
        accounts.truncate(size as usize);
        let last = accounts.last().filter(|_| more).and_then(|shares| shares.first());
        let last = last.map(|share| share.account_id.clone());
        Ok((accounts.into_iter().flatten().collect(), last))
    }

    /// The cohorts of the months `first` to `last`, followed up to the end of `last`.
    #[tracing::instrument(name = "metrics.cohorts", skip_all)]
    pub async fn cohorts(&self, first: Date, last: Date) -> Result<Vec<Cohort>, Problem> {
        let month = |day: Date| day.strftime("%Y-%m").to_string();
        let until = months_after(last, 1);
        let flows = store::cohort_flows(self.db.reader(), &month(first), &month(last), until).await?;
        Ok(cohorts(&flows, until))
    }

    /// Lifetime values by currency, and those of the window before of the same currencies (K-8). Errors: INTERNAL
    /// `MRR_IDENTITY_BROKEN`.
    #[tracing::instrument(name = "metrics.lifetime", skip_all)]
    pub async fn lifetime(
        &self,
        (window, before): (Window, Window),
        asked: &Asked,
        margin: Option<i64>,
        acquisition: Option<Money>,
    ) -> Result<Vec<(Currency, Lifetime, Option<Lifetime>)>, MetricsError> {
        let costs = Costs {
            gross_margin: margin.or(self.revenue.gross_margin()),
            acquisition,
        };
        let mut first = self.lifetimes(before, asked, costs).await?;
        let last = self.lifetimes(window, asked, costs).await?.into_iter();
        let both = last.map(|(currency, value)| (currency, value, first.remove(&currency)));
        Ok(both.collect())
    }

    async fn lifetimes(
        &self,
        window: Window,
        asked: &Asked,
        costs: Costs,
    ) -> Result<BTreeMap<Currency, Lifetime>, MetricsError> {
        let rules = self.revenue.rules();
        let value = |revenue: Revenue| {
            let value = lifetime(&revenue, window, rules, costs).map_err(Problem::internal)?;
            Ok((revenue.mrr_start.currency, value))
        };
        self.revenue_of(window, asked).await?.into_iter().map(value).collect()
    }

    /// At most `size` movements after the key.
    #[tracing::instrument(name = "metrics.movements", skip_all, fields(window.days = filter.window.days()))]
    pub async fn movements(
        &self,
        filter: &MovementFilter,
        after: Option<MovementKey>,
        size: u32,
    ) -> Result<MovementPage, Problem> {
        let one_more = size.saturating_add(1);
        let mut movements = store::movement_list(self.db.reader(), filter, after, one_more).await?;
        let more = movements.len() > size as usize;
        movements.truncate(size as usize);
        let last_key = movements.last().filter(|_| more).map(|movement| movement.key.clone());
        Ok(MovementPage { movements, last_key })
    }
}
