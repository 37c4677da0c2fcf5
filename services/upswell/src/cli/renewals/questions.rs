//! Questions about renewals as a whole, and the export.

use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result};
use clap::{Subcommand, ValueEnum};
use jiff::civil::Date;
use upswell_proto::{
    offers::v1::{self as offers, ListTouchesRequest, touch, touch_ledger_service_client::TouchLedgerServiceClient},
    renewals::v1::{
        self as pb, GetAccountCalendarRequest, GetForecastRequest, GetLossAnalysisRequest, ListDealsRequest,
        ListNoticesRequest, ListOnboardingPlansRequest, ListReviewsRequest, ListTasksRequest,
        care_service_client::CareServiceClient, duty_service_client::DutyServiceClient,
        renewal_service_client::RenewalServiceClient,
    },
};
use upswell_renewals::{NAME, api::export};

use super::{
    Deals,
    rows::{Entry, Forecast, Loss, Notice, Plan, Review, Task},
};
use crate::{
    cli::{
        context::Context,
        output::{Listing, Row},
        pages::Limit,
        words,
    },
    wire::to_date,
};

/// How the pipeline is exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Format {
    /// A calendar: renewal dates, ends of stages, tasks, reviews (RFC 5545).
    Ical,
    /// A table of deals.
    Csv,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Question {
    /// Deals, the most money at risk first.
    #[command(after_long_help = "Example:\n  upswell renewals pipeline --all")]
    Pipeline(Deals),
    /// Work on renewals, onboarding and reviews, the most urgent first.
    #[command(after_long_help = "Example:\n  upswell renewals tasks --assignee anna")]
    Tasks {
        /// Only of this person, with what came to them because it is late.
        #[arg(long, default_value_t, hide_default_value = true, value_name = "NAME")]
        assignee: String,
        #[command(flatten)]
        limit: Limit,
    },
    /// Business reviews by day.
    #[command(after_long_help = "Example:\n  upswell renewals qbr --account acct-01")]
    Qbr {
        /// Only this account.
        #[arg(long, default_value_t, hide_default_value = true)]
        account: String,
        /// Also those that are over.
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        limit: Limit,
    },
    /// Onboarding plans by start.
    #[command(after_long_help = "Example:\n  upswell renewals onboarding")]
    Onboarding {
        /// Also finished ones.
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        limit: Limit,
    },
    /// What people were told of late work, the newest first.
    #[command(after_long_help = "Example:\n  upswell renewals notices --person anna")]
    Notices {
        /// Only to this person.
        #[arg(long, default_value_t, hide_default_value = true, value_name = "NAME")]
        person: String,
        #[command(flatten)]
        limit: Limit,
    },
    /// What renewals will bring, by month, segment and currency.
    #[command(after_long_help = "Example:\n  upswell renewals forecast --from 2026-10-01 --months 6")]
    Forecast {
        /// A day of the first month; the present one if absent.
        #[arg(long, value_name = "DAY", value_parser = words::day)]
        from: Option<Date>,
        /// Months.
        #[arg(long, default_value_t = 12)]
        months: i32,
        /// Only this segment.
        #[arg(long, default_value_t, hide_default_value = true)]
        segment: String,
    },
    /// Why renewals were lost, by quarter.
    #[command(after_long_help = "Example:\n  upswell renewals losses --from 2026-01-01 --quarters 4")]
    Losses {
        /// A day of the first quarter; the present one if absent.
        #[arg(long, value_name = "DAY", value_parser = words::day)]
        from: Option<Date>,
        /// Quarters.
        #[arg(long, default_value_t = 1)]
        quarters: i32,
    },
    /// The calendar of an account: stages, renewals, tasks, reviews, and the touches of the ledger.
    #[command(after_long_help = "Example:\n  upswell renewals calendar acct-01")]
    Calendar {
        /// The account's id.
        account: String,
        /// Only from this day on.
        #[arg(long, value_name = "DAY", value_parser = words::day)]
        from: Option<Date>,
    },
    /// The pipeline for other tools.
    #[command(after_long_help = "\
Examples:
  upswell renewals export --format ical --out renewals.ics
  upswell renewals export --format csv --out renewals.csv")]
    Export {
        /// How.
        #[arg(long, value_enum)]
        format: Format,
        /// The file to write; standard output if absent.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

impl Question {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        match self {
            Self::Pipeline(deals) => deals.run(context).await,
            Self::Tasks {
                assignee: assignee_id,
                limit,
            } => {
                let request = ListTasksRequest {
                    assignee_id,
                    ..Default::default()
                };
                let send =
                    |channel, request| async move { RenewalServiceClient::new(channel).list_tasks(request).await };
                let found: Listing<Task> = context.list(NAME, limit, request, send).await?;
                context.show(&found)
            }
            Self::Qbr {
                account: account_id,
                all: include_closed,
                limit,
            } => {
                let request = ListReviewsRequest {
                    account_id,
                    include_closed,
                    ..Default::default()
                };
                let send =
                    |channel, request| async move { CareServiceClient::new(channel).list_reviews(request).await };
                let found: Listing<Review> = context.list(NAME, limit, request, send).await?;
                context.show(&found)
            }
            Self::Onboarding {
                all: include_finished,
                limit,
            } => {
                let request = ListOnboardingPlansRequest {
                    include_finished,
                    ..Default::default()
                };
                let send = |channel, request| async move {
                    CareServiceClient::new(channel).list_onboarding_plans(request).await
                };
                let found: Listing<Plan> = context.list(NAME, limit, request, send).await?;
                context.show(&found)
            }
            Self::Notices {
                person: person_id,
                limit,
            } => {
                let request = ListNoticesRequest {
                    person_id,
                    ..Default::default()
                };
                let send =
                    |channel, request| async move { DutyServiceClient::new(channel).list_notices(request).await };
                let found: Listing<Notice> = context.list(NAME, limit, request, send).await?;
                context.show(&found)
            }
            Self::Forecast { from, months, segment } => {
                let request = GetForecastRequest {
                    from_date: from.map(to_date),
                    months,
                    segment,
                };
                let send =
                    |channel, request| async move { RenewalServiceClient::new(channel).get_forecast(request).await };
                whole::<Forecast, _>(context, context.ask(NAME, request, send).await?.lines)
            }
            Self::Losses { from, quarters } => {
                let request = GetLossAnalysisRequest {
                    from_date: from.map(to_date),
                    quarters,
                };
                let send = |channel, request| async move {
                    RenewalServiceClient::new(channel).get_loss_analysis(request).await
                };
                let answer = context.ask(NAME, request, send).await?;
                whole::<Loss, _>(
                    context,
                    answer.quarters.into_iter().flat_map(Loss::rows).collect::<Vec<_>>(),
                )
            }
            Self::Calendar { account, from } => calendar(context, account, from).await,
            Self::Export { format, out } => write(context, format, out).await,
        }
    }
}

fn whole<T: Row + From<P>, P>(context: &Context, items: Vec<P>) -> Result<()> {
    context.show(&Listing {
        items: items.into_iter().map(T::from).collect(),
        more: false,
    })
}

/// What renewals and the ledger know of an account, by day.
async fn calendar(context: &Context, account_id: String, from: Option<Date>) -> Result<()> {
    let request = GetAccountCalendarRequest {
        account_id: account_id.clone(),
        from_date: from.map(to_date),
        to_date: None,
    };
    let send = |channel, request| async move { RenewalServiceClient::new(channel).get_account_calendar(request).await };
    let answer = context.ask(NAME, request, send).await?;
    let mut items: Vec<Entry> = answer.entries.into_iter().map(Entry::from).collect();
    let touches = ListTouchesRequest {
        account_id,
        ..Default::default()
    };
    let send = |channel, request| async move { TouchLedgerServiceClient::new(channel).list_touches(request).await };
    let listed: Listing<Kept<offers::Touch>> = context.list(upswell_offers::NAME, Limit::all(), touches, send).await?;
    let counts = |touch: &offers::Touch| !matches!(touch.state(), touch::State::Released | touch::State::Expired);
    let touches = listed
        .items
        .into_iter()
        .map(|kept| kept.0)
        .filter(counts)
        .map(Entry::from);
    items.extend(touches.filter(|entry| from.is_none_or(|from| entry.day >= Some(from))));
    items.sort_by_key(|entry| entry.day);
    context.show(&Listing { items, more: false })
}

async fn write(context: &Context, format: Format, out: Option<PathBuf>) -> Result<()> {
    let pipeline = gather(context).await?;
    let text = match format {
        Format::Ical => export::icalendar(&pipeline, &stamp()),
        Format::Csv => export::csv(&pipeline)?,
    };
    match out {
        Some(path) => fs::write(&path, text).with_context(|| path.display().to_string()),
        None => {
            print!("{text}");
            Ok(())
        }
    }
}

async fn gather(context: &Context) -> Result<export::Pipeline> {
    let deals = ListDealsRequest {
        include_closed: true,
        ..Default::default()
    };
    let send = |channel, request| async move { RenewalServiceClient::new(channel).list_deals(request).await };
    let deals: Listing<Kept<pb::Deal>> = context.list(NAME, Limit::all(), deals, send).await?;
    let tasks = ListTasksRequest {
        include_closed: true,
        ..Default::default()
    };
    let send = |channel, request| async move { RenewalServiceClient::new(channel).list_tasks(request).await };
    let tasks: Listing<Kept<pb::Task>> = context.list(NAME, Limit::all(), tasks, send).await?;
    let reviews = ListReviewsRequest {
        include_closed: true,
        ..Default::default()
    };
    let send = |channel, request| async move { CareServiceClient::new(channel).list_reviews(request).await };
    let reviews: Listing<Kept<pb::Review>> = context.list(NAME, Limit::all(), reviews, send).await?;
    Ok(export::Pipeline {
        deals: plain(deals),
        tasks: plain(tasks),
        reviews: plain(reviews),
    })
}

/// Something that is passed on as it came.
struct Kept<T>(T);

impl<T> From<T> for Kept<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<T> serde::Serialize for Kept<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // It is never shown.
        serializer.serialize_unit()
    }
}

fn plain<T>(listing: Listing<Kept<T>>) -> Vec<T> {
    listing.items.into_iter().map(|kept| kept.0).collect()
}

#[expect(
    clippy::disallowed_methods,
    reason = "a person at a command line is the edge of the system: the export says when it was made"
)]
fn stamp() -> String {
    jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string()
}
