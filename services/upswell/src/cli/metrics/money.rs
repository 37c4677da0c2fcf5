//! Commands that ask for revenue.

use anyhow::{Context as _, Result};
use clap::{Args, Subcommand, ValueEnum};
use jiff::civil::Date;
use upswell_metrics::NAME;
use upswell_proto::metrics::v1::{
    ExchangeRate, GetCohortsRequest, GetLtvRequest, GetRevenueBreakdownRequest, GetRevenueMetricsRequest,
    ListAccountRevenueRequest, ListExchangeRatesRequest, ListMovementsRequest, MovementCause, MovementKind,
    RecordExchangeRatesRequest, RevenueDimension, metrics_service_client::MetricsServiceClient,
    revenue_service_client::RevenueServiceClient,
};
use upswell_runtime::money::{self, Money};

use super::{
    Days,
    revenue::{Movement, Revenues},
    slices::{AccountShare, CohortLine, LifetimeLine, RateLine, Recorded, SliceLine},
};
use crate::{
    cli::{context::Context, output::Listing, pages::Limit, words},
    wire::to_date,
};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum RevenueCommand {
    /// MRR and what moved it, ARPA, NRR and GRR, churn, per currency.
    #[command(after_long_help = "\
Examples:
  upswell metrics revenue --from 2026-01-01 --to 2026-04-01 --segment enterprise
  upswell metrics revenue --from 2026-01-01 --to 2026-04-01 --currency KZT
  upswell metrics revenue --from 2026-01-01 --to 2026-04-01 --by plan --output csv")]
    Revenue {
        #[command(flatten)]
        slice: Slice,
        /// Tell every currency in this one, at dated rates, with FX as its own movement.
        #[arg(long, default_value_t, hide_default_value = true, value_name = "CODE")]
        currency: String,
        /// One line per slice instead.
        #[arg(long, value_enum, conflicts_with_all = ["segment", "plan", "country", "cohort", "currency"])]
        by: Option<By>,
        #[command(flatten)]
        window: Days,
    },
    /// What moved MRR, by day and account, with the cause and down to the facts.
    #[command(after_long_help = "Example:\n  upswell metrics movements --account acct-01 --from 2026-01-01")]
    Movements {
        /// Only this account.
        #[arg(long, default_value_t, hide_default_value = true)]
        account: String,
        /// Only this kind, e.g. expansion.
        #[arg(long, default_value_t, hide_default_value = true)]
        kind: String,
        /// Only this cause, e.g. discount_expiry.
        #[arg(long, default_value_t, hide_default_value = true)]
        cause: String,
        #[command(flatten)]
        window: Days,
        #[command(flatten)]
        limit: Limit,
    },
    /// What each account brings into the revenue.
    #[command(
        after_long_help = "Example:\n  upswell metrics accounts --from 2026-01-01 --by segment --value enterprise"
    )]
    Accounts {
        /// Only accounts of a slice of this dimension.
        #[arg(long, value_enum, requires = "value")]
        by: Option<By>,
        /// The slice.
        #[arg(long, default_value_t, hide_default_value = true, requires = "by")]
        value: String,
        #[command(flatten)]
        window: Days,
        #[command(flatten)]
        limit: Limit,
    },
    /// What became of the accounts that came in each month.
    #[command(after_long_help = "Example:\n  upswell metrics cohorts --from 2026-01-01 --to 2026-12-01")]
    Cohorts {
        /// First month, any day of it.
        #[arg(long, value_name = "DAY", value_parser = words::day)]
        from: Date,
        /// Last month, any day of it.
        #[arg(long, value_name = "DAY", value_parser = words::day)]
        to: Date,
    },
    /// Lifetime value of an account, and against the cost of winning one.
    #[command(
        after_long_help = "Example:\n  upswell metrics ltv --from 2026-01-01 --margin-bp 8000 --cac 900 --currency USD"
    )]
    Ltv {
        #[command(flatten)]
        slice: Slice,
        /// Share of revenue left after the cost to serve, in hundredths of a percent.
        #[arg(long, value_name = "BASIS_POINTS")]
        margin_bp: Option<i32>,
        /// Cost of winning one account, in whole units of --currency.
        #[arg(long, value_name = "AMOUNT", requires = "currency")]
        cac: Option<i64>,
        /// Currency of --cac.
        #[arg(long, default_value_t, hide_default_value = true, value_name = "CODE")]
        currency: String,
        #[command(flatten)]
        window: Days,
    },
    /// Exchange rates: those that are known, or one to record.
    #[command(after_long_help = "Examples:
  upswell metrics rates
  upswell metrics rates --record USD --quote KZT --on 2026-01-01 --rate 450.25")]
    Rates {
        /// Record a rate of this currency.
        #[arg(long, value_name = "CODE", requires_all = ["quote", "on", "rate"])]
        record: Option<String>,
        /// The currency in which it is priced.
        #[arg(long, value_name = "CODE", default_value_t, hide_default_value = true)]
        quote: String,
        /// First day on which it holds.
        #[arg(long, value_name = "DAY", value_parser = words::day)]
        on: Option<Date>,
        /// Units of --quote for one unit of --record.
        #[arg(long, value_name = "RATE", default_value_t, hide_default_value = true)]
        rate: String,
        #[command(flatten)]
        limit: Limit,
        #[command(flatten)]
        request: words::RequestId,
    },
}

/// Whose revenue; at most one of these.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub(in crate::cli) struct Slice {
    /// Only this segment.
    #[arg(long, default_value_t, hide_default_value = true)]
    segment: String,
    /// Only accounts that have, or had last, this plan.
    #[arg(long, default_value_t, hide_default_value = true)]
    plan: String,
    /// Only this country, e.g. KZ.
    #[arg(long, default_value_t, hide_default_value = true)]
    country: String,
    /// Only accounts that came in this month, e.g. 2026-01.
    #[arg(long, default_value_t, hide_default_value = true)]
    cohort: String,
}

/// By what revenue is cut.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(in crate::cli) enum By {
    /// Segment of the account.
    Segment,
    /// The plan that it has or had last.
    Plan,
    /// Its country.
    Country,
    /// The month in which it came.
    Cohort,
}

impl From<By> for RevenueDimension {
    fn from(by: By) -> Self {
        match by {
            By::Segment => Self::Segment,
            By::Plan => Self::Plan,
            By::Country => Self::Country,
            By::Cohort => Self::Cohort,
        }
    }
}

impl RevenueCommand {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        match self {
            Self::Revenue {
                by: Some(by), window, ..
            } => breakdown(context, by, &window).await,
            Self::Revenue {
                slice,
                currency,
                window,
                ..
            } => revenue(context, slice, currency, &window).await,
            Self::Movements {
                account,
                kind,
                cause,
                window,
                limit,
            } => {
                let request = ListMovementsRequest {
                    window: window.window()?,
                    account_id: account,
                    kind: named(&kind, "MOVEMENT_KIND", MovementKind::from_str_name)?.into(),
                    cause: named(&cause, "MOVEMENT_CAUSE", MovementCause::from_str_name)?.into(),
                    ..Default::default()
                };
                let send =
                    |channel, request| async move { MetricsServiceClient::new(channel).list_movements(request).await };
                let found: Listing<Movement> = context.list(NAME, limit, request, send).await?;
                context.show(&found)
            }
            Self::Accounts {
                by,
                value,
                window,
                limit,
            } => {
                let request = ListAccountRevenueRequest {
                    window: window.window()?,
                    dimension: by.map_or(RevenueDimension::Unspecified, RevenueDimension::from).into(),
                    value,
                    ..Default::default()
                };
                let send = |channel, request| async move {
                    RevenueServiceClient::new(channel).list_account_revenue(request).await
                };
                let found: Listing<AccountShare> = context.list(NAME, limit, request, send).await?;
                context.show(&found)
            }
            Self::Cohorts { from, to } => cohorts(context, from, to).await,
            Self::Ltv {
                slice,
                margin_bp,
                cac,
                currency,
                window,
            } => {
                let acquisition_cost = cac.map(|units| cost(units, &currency)).transpose()?;
                ltv(context, slice, margin_bp, acquisition_cost, &window).await
            }
            Self::Rates {
                record: Some(currency_code),
                quote,
                on,
                rate,
                request,
                ..
            } => {
                let rate = ExchangeRate {
                    currency_code,
                    quote_code: quote,
                    date: on.map(to_date),
                    rate,
                    record_time: None,
                };
                record(context, rate, request.text()).await
            }
            Self::Rates { limit, .. } => {
                let send = |channel, request| async move {
                    RevenueServiceClient::new(channel).list_exchange_rates(request).await
                };
                let found: Listing<RateLine> = context
                    .list(NAME, limit, ListExchangeRatesRequest::default(), send)
                    .await?;
                context.show(&found)
            }
        }
    }
}

async fn revenue(context: &Context, slice: Slice, currency_code: String, window: &Days) -> Result<()> {
    let Slice {
        segment,
        plan,
        country: country_code,
        cohort,
    } = slice;
    let request = GetRevenueMetricsRequest {
        window: window.window()?,
        segment,
        plan,
        country_code,
        cohort,
        currency_code,
    };
    let send = |channel, request| async move { MetricsServiceClient::new(channel).get_revenue_metrics(request).await };
    context.show(&Revenues::from(context.ask(NAME, request, send).await?))
}

async fn breakdown(context: &Context, by: By, window: &Days) -> Result<()> {
    let request = GetRevenueBreakdownRequest {
        window: window.window()?,
        dimension: RevenueDimension::from(by).into(),
    };
    let send =
        |channel, request| async move { RevenueServiceClient::new(channel).get_revenue_breakdown(request).await };
    context.show(&super::whole::<_, SliceLine>(
        context.ask(NAME, request, send).await?.slices,
    ))
}

async fn cohorts(context: &Context, from: Date, to: Date) -> Result<()> {
    let request = GetCohortsRequest {
        start_month: Some(to_date(from)),
        end_month: Some(to_date(to)),
    };
    let send = |channel, request| async move { RevenueServiceClient::new(channel).get_cohorts(request).await };
    let found = context.ask(NAME, request, send).await?.cohorts;
    let items = found.into_iter().flat_map(CohortLine::of).collect();
    context.show(&Listing { items, more: false })
}

async fn ltv(
    context: &Context,
    slice: Slice,
    gross_margin_bp: Option<i32>,
    acquisition_cost: Option<upswell_proto::gtype::Money>,
    window: &Days,
) -> Result<()> {
    let Slice {
        segment,
        plan,
        country: country_code,
        cohort,
    } = slice;
    let request = GetLtvRequest {
        window: window.window()?,
        gross_margin_bp,
        acquisition_cost,
        segment,
        plan,
        country_code,
        cohort,
        before: None,
    };
    let send = |channel, request| async move { RevenueServiceClient::new(channel).get_ltv(request).await };
    context.show(&super::whole::<_, LifetimeLine>(
        context.ask(NAME, request, send).await?.currencies,
    ))
}

async fn record(context: &Context, rate: ExchangeRate, request_id: String) -> Result<()> {
    let request = RecordExchangeRatesRequest {
        request_id,
        rates: vec![rate],
    };
    let send =
        |channel, request| async move { RevenueServiceClient::new(channel).record_exchange_rates(request).await };
    context.show(&Recorded::from(context.ask(NAME, request, send).await?))
}

/// The value with that word, 0 for none.
fn named<T: Default>(word: &str, prefix: &str, find: impl Fn(&str) -> Option<T>) -> Result<T> {
    if word.is_empty() {
        return Ok(T::default());
    }
    let name = format!("{prefix}_{}", word.to_uppercase().replace('-', "_"));
    find(&name).with_context(|| format!("{word:?} is not known here"))
}

fn cost(units: i64, currency: &str) -> Result<upswell_proto::gtype::Money> {
    let amount = Money::new(1, currency.parse()?);
    let whole = 10_i64.pow(amount.currency.exponent());
    Ok(money::to_proto(Money::new(units, amount.currency).checked_mul(whole)?))
}
