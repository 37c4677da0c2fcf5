//! Money proven, and how it felt for the accounts.

mod counted;
mod felt;
mod loyal;
mod money;
mod programme;
mod report;
mod revenue;
mod slices;
mod steps;
mod uplift;

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use jiff::{Span, civil::Date, tz::TimeZone};
use upswell_metrics::NAME;
use upswell_proto::metrics::v1::{
    GetFunnelRequest, GetLeadTimesRequest, GetMotionConversionRequest, GetPressureRequest, GetUpliftRequest,
    GetVariantResultsRequest, Window, metrics_service_client::MetricsServiceClient,
};
use upswell_runtime::clock::Clock;

use self::{
    felt::{LeadTimes, Pressure},
    money::RevenueCommand,
    programme::ProgrammeCommand,
    report::ReportCommand,
    steps::{Conversion, Step},
    uplift::{Uplift, Variants},
};
use super::{context::Context, output::Listing, words};
use crate::wire::to_date;

/// Days of the default window.
const DAYS: i64 = 90;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// The money that the programme moved, and what the accounts felt of it.
    #[command(
        subcommand,
        after_long_help = "\
Examples:
  upswell metrics revenue --from 2026-01-01 --to 2026-04-01
  upswell metrics weekly --output json"
    )]
    Metrics(Metrics),
}

#[derive(Debug, Subcommand)]
pub(super) enum Metrics {
    #[command(flatten)]
    Money(RevenueCommand),
    #[command(flatten)]
    Report(ReportCommand),
    #[command(flatten)]
    Programme(ProgrammeCommand),
    /// From signal to payment: how many came through each step.
    #[command(after_long_help = "Example:\n  upswell metrics funnel --from 2026-01-01 --to 2026-04-01")]
    Funnel(Days),
    /// Offers sent, accepted and paid, by motion.
    #[command(after_long_help = "Example:\n  upswell metrics motions --from 2026-01-01 --to 2026-04-01")]
    Motions(Days),
    /// How often accounts were contacted.
    #[command(after_long_help = "Example:\n  upswell metrics pressure --from 2026-01-01 --to 2026-04-01")]
    Pressure(Days),
    /// Days from signal to payment, and the approvals that waited longest.
    #[command(after_long_help = "Example:\n  upswell metrics lead-times --from 2026-01-01 --to 2026-04-01")]
    LeadTimes(Days),
    /// What the programme changed, against accounts that it left alone; or what is lacking for a number.
    #[command(after_long_help = "Example:\n  upswell metrics uplift --currency KZT")]
    Uplift {
        /// Currency of the amounts; the usual one of the accounts if absent.
        #[arg(long, default_value_t, hide_default_value = true)]
        currency: String,
        /// Epoch of the holdout; the latest if absent.
        #[arg(long, default_value_t, hide_default_value = true)]
        epoch: i32,
        /// Only this segment.
        #[arg(long, default_value_t, hide_default_value = true)]
        segment: String,
    },
    /// The variants of a test, true at every look.
    #[command(after_long_help = "Example:\n  upswell metrics variants subject-line")]
    Variants {
        /// The test.
        experiment: String,
    },
}

/// A window of whole days in UTC.
#[derive(Debug, Args)]
pub(super) struct Days {
    /// First day; 90 days before --to if absent.
    #[arg(long, value_name = "DAY", value_parser = words::day)]
    from: Option<Date>,
    /// Day after the last; tomorrow if absent.
    #[arg(long, value_name = "DAY", value_parser = words::day)]
    to: Option<Date>,
}

impl Days {
    /// First day and day after the last.
    fn days(&self) -> Result<(Date, Date)> {
        let end = match self.to {
            Some(end) => end,
            None => Clock::system().now().to_zoned(TimeZone::UTC).date().tomorrow()?,
        };
        let start = match self.from {
            Some(start) => start,
            None => end.checked_sub(Span::new().days(DAYS))?,
        };
        if start >= end {
            bail!("the window is empty: --from {start} is not before --to {end}");
        }
        Ok((start, end))
    }

    fn window(&self) -> Result<Option<Window>> {
        let (start, end) = self.days()?;
        Ok(Some(Window {
            start_date: Some(to_date(start)),
            end_date: Some(to_date(end)),
        }))
    }
}

impl Command {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        let Self::Metrics(metrics) = self;
        match metrics {
            Metrics::Money(command) => command.run(context).await,
            Metrics::Report(command) => command.run(context).await,
            Metrics::Programme(command) => command.run(context).await,
            Metrics::Funnel(days) => {
                let request = GetFunnelRequest { window: days.window()? };
                let send =
                    |channel, request| async move { MetricsServiceClient::new(channel).get_funnel(request).await };
                context.show(&whole::<_, Step>(Step::all(context.ask(NAME, request, send).await?)))
            }
            Metrics::Motions(days) => {
                let request = GetMotionConversionRequest { window: days.window()? };
                let send = |channel, request| async move {
                    MetricsServiceClient::new(channel).get_motion_conversion(request).await
                };
                context.show(&whole::<_, Conversion>(context.ask(NAME, request, send).await?.motions))
            }
            Metrics::Pressure(days) => {
                let request = GetPressureRequest { window: days.window()? };
                let send =
                    |channel, request| async move { MetricsServiceClient::new(channel).get_pressure(request).await };
                context.show(&Pressure::from(context.ask(NAME, request, send).await?))
            }
            Metrics::LeadTimes(days) => {
                let request = GetLeadTimesRequest { window: days.window()? };
                let send =
                    |channel, request| async move { MetricsServiceClient::new(channel).get_lead_times(request).await };
                context.show(&LeadTimes::from(context.ask(NAME, request, send).await?))
            }
            Metrics::Uplift {
                currency,
                epoch,
                segment,
            } => {
                let request = GetUpliftRequest {
                    currency_code: currency,
                    epoch,
                    segment,
                };
                let send =
                    |channel, request| async move { MetricsServiceClient::new(channel).get_uplift(request).await };
                context.show(&Uplift::from(context.ask(NAME, request, send).await?))
            }
            Metrics::Variants { experiment } => {
                let request = GetVariantResultsRequest { experiment };
                let send = |channel, request| async move {
                    MetricsServiceClient::new(channel).get_variant_results(request).await
                };
                context.show(&Variants::from(context.ask(NAME, request, send).await?))
            }
        }
    }
}

fn whole<T, V: From<T>>(items: Vec<T>) -> Listing<V> {
    Listing {
        items: items.into_iter().map(V::from).collect(),
        more: false,
    }
}
