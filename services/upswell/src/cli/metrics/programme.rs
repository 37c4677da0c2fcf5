//! Commands that ask what the programme did, returned and did to loyalty.

use anyhow::Result;
use clap::{Subcommand, ValueEnum};
use upswell_metrics::NAME;
use upswell_proto::metrics::v1::{
    GetLoyaltyRequest, GetProgrammeBreakdownRequest, GetProgrammeReturnRequest, GetTargetsRequest,
    GetWeeklyBreakdownRequest, GetWeeklyCutRequest, ListProgrammeStepsRequest, ProgrammeCut, ProgrammeStep,
    metrics_service_client::MetricsServiceClient, programme_service_client::ProgrammeServiceClient,
};

use super::{
    Days,
    counted::{Counted, SliceLine, SliceWeek},
    loyal::{Returned, SegmentLine, TargetLine},
    steps::Week,
    whole,
};
use crate::cli::{context::Context, output::Listing, pages::Limit};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ProgrammeCommand {
    /// From signals to money by segment, plan, country, cohort, motion, channel, playbook or kind of signal.
    #[command(after_long_help = "\
Examples:
  upswell metrics programme --from 2026-01-01 --to 2026-04-01 --by motion
  upswell metrics programme --by signal --output csv")]
    Programme {
        /// One line per slice; all in one if absent.
        #[arg(long, value_enum)]
        by: Option<Cut>,
        #[command(flatten)]
        window: Days,
    },
    /// The steps and their money week by week, in one or by slice.
    #[command(after_long_help = "\
Examples:
  upswell metrics weekly --from 2026-01-01 --to 2026-04-01
  upswell metrics weekly --by motion --output csv")]
    Weekly {
        /// One line per slice and week; all in one if absent.
        #[arg(long, value_enum)]
        by: Option<Cut>,
        #[command(flatten)]
        window: Days,
    },
    /// What a number of `programme` counts: signals, offers or orders, with their accounts.
    #[command(after_long_help = "Example:\n  upswell metrics steps paid --by motion --value capacity")]
    Steps {
        /// Which step.
        step: Step,
        /// By what it was cut.
        #[arg(long, value_enum)]
        by: Option<Cut>,
        /// The slice.
        #[arg(long, default_value_t, hide_default_value = true, requires = "by")]
        value: String,
        #[command(flatten)]
        window: Days,
        #[command(flatten)]
        limit: Limit,
    },
    /// What the programme earned against what it cost, as configured.
    #[command(after_long_help = "Example:\n  upswell metrics return --from 2026-01-01 --to 2026-04-01")]
    Return(Days),
    /// The dashboard against its targets and the time before the launch.
    #[command(after_long_help = "Example:\n  upswell metrics targets --from 2026-01-01 --to 2026-04-01")]
    Targets(Days),
    /// NPS, CSAT and complaints of each segment before and after, and whether they are worse.
    #[command(after_long_help = "Example:\n  upswell metrics loyalty --from 2026-01-01 --to 2026-04-01")]
    Loyalty(Days),
}

/// By what the programme is cut.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(in crate::cli) enum Cut {
    /// Segment of the account.
    Segment,
    /// The plan that it has or had last.
    Plan,
    /// Its country.
    Country,
    /// The month in which it came.
    Cohort,
    /// Motion of the offer.
    Motion,
    /// Channel of the offer.
    Channel,
    /// Playbook of the offer.
    Playbook,
    /// Kind of signal.
    Signal,
}

/// Steps from a signal to money.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(in crate::cli) enum Step {
    /// Signals that opened.
    Signals,
    /// Offers sent.
    Sent,
    /// Offers that reached a person, of the channels that tell.
    Delivered,
    /// Offers that were opened.
    Opened,
    /// Offers whose link was followed.
    Clicked,
    /// Offers accepted.
    Accepted,
    /// Orders paid.
    Paid,
}

impl From<Cut> for ProgrammeCut {
    fn from(cut: Cut) -> Self {
        match cut {
            Cut::Segment => Self::Segment,
            Cut::Plan => Self::Plan,
            Cut::Country => Self::Country,
            Cut::Cohort => Self::Cohort,
            Cut::Motion => Self::Motion,
            Cut::Channel => Self::Channel,
            Cut::Playbook => Self::Playbook,
            Cut::Signal => Self::Signal,
        }
    }
}

impl From<Step> for ProgrammeStep {
    fn from(step: Step) -> Self {
        match step {
            Step::Signals => Self::Signals,
            Step::Sent => Self::OffersSent,
            Step::Delivered => Self::Delivered,
            Step::Opened => Self::Opened,
            Step::Clicked => Self::Clicked,
            Step::Accepted => Self::Accepted,
            Step::Paid => Self::Paid,
        }
    }
}

fn wire_cut(by: Option<Cut>) -> i32 {
    by.map_or(ProgrammeCut::Unspecified, ProgrammeCut::from).into()
}

impl ProgrammeCommand {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        match self {
            Self::Programme { by, window } => {
                let request = GetProgrammeBreakdownRequest {
                    window: window.window()?,
                    cut: wire_cut(by),
                };
                let send = |channel, request| async move {
                    ProgrammeServiceClient::new(channel)
                        .get_programme_breakdown(request)
                        .await
                };
                context.show(&whole::<_, SliceLine>(context.ask(NAME, request, send).await?.slices))
            }
            Self::Weekly { by: None, window } => {
                let request = GetWeeklyCutRequest {
                    window: window.window()?,
                };
                let send =
                    |channel, request| async move { MetricsServiceClient::new(channel).get_weekly_cut(request).await };
                context.show(&whole::<_, Week>(context.ask(NAME, request, send).await?.weeks))
            }
            Self::Weekly { by, window } => {
                let request = GetWeeklyBreakdownRequest {
                    window: window.window()?,
                    cut: wire_cut(by),
                };
                let send = |channel, request| async move {
                    ProgrammeServiceClient::new(channel).get_weekly_breakdown(request).await
                };
                let slices = context.ask(NAME, request, send).await?.slices.into_iter();
                context.show(&whole::<_, SliceWeek>(slices.flat_map(SliceWeek::of).collect()))
            }
            Self::Steps {
                step,
                by,
                value,
                window,
                limit,
            } => {
                let request = ListProgrammeStepsRequest {
                    window: window.window()?,
                    cut: wire_cut(by),
                    value,
                    step: ProgrammeStep::from(step).into(),
                    ..Default::default()
                };
                let send = |channel, request| async move {
                    ProgrammeServiceClient::new(channel).list_programme_steps(request).await
                };
                let found: Listing<Counted> = context.list(NAME, limit, request, send).await?;
                context.show(&found)
            }
            Self::Return(days) => {
                let request = GetProgrammeReturnRequest { window: days.window()? };
                let send = |channel, request| async move {
                    ProgrammeServiceClient::new(channel).get_programme_return(request).await
                };
                context.show(&Returned::from(context.ask(NAME, request, send).await?))
            }
            Self::Targets(days) => {
                let request = GetTargetsRequest { window: days.window()? };
                let send =
                    |channel, request| async move { ProgrammeServiceClient::new(channel).get_targets(request).await };
                context.show(&whole::<_, TargetLine>(context.ask(NAME, request, send).await?.targets))
            }
            Self::Loyalty(days) => {
                let request = GetLoyaltyRequest {
                    window: days.window()?,
                    before: None,
                };
                let send =
                    |channel, request| async move { ProgrammeServiceClient::new(channel).get_loyalty(request).await };
                context.show(&whole::<_, SegmentLine>(
                    context.ask(NAME, request, send).await?.segments,
                ))
            }
        }
    }
}
