//! What a report shows, as the metrics service tells it.

use anyhow::{Context as _, Result};
use jiff::{Timestamp, civil::Date};
use tonic::{Code, Status};
use upswell_proto::metrics::v1::{
    AccountRevenue, CohortRevenue, FunnelStep, GetCohortsRequest, GetFunnelRequest, GetLeadTimesRequest,
    GetLeadTimesResponse, GetLoyaltyRequest, GetLtvRequest, GetMotionConversionRequest, GetPressureRequest,
    GetPressureResponse, GetProgrammeBreakdownRequest, GetRevenueBreakdownRequest, GetRevenueMetricsRequest,
    GetTargetsRequest, GetWeeklyCutRequest, LifetimeValue, MotionConversion, Movement, ProgrammeCut, ProgrammeSlice,
    RevenueDimension, RevenueMetrics, RevenueSlice, SegmentLoyalty, TargetStanding, Week, Window,
    metrics_service_client::MetricsServiceClient, programme_service_client::ProgrammeServiceClient,
    revenue_service_client::RevenueServiceClient,
};
use upswell_runtime::client::Traced;

use crate::{lists, wire::to_date};

/// The longest window that is cut into weeks, in days.
const WEEKLY_DAYS: i32 = 740;

/// Everything that a report shows.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// First day and day after the last, in UTC.
    pub days: (Date, Date),
    /// When it was made.
    pub made: Timestamp,
    /// Revenue by currency.
    pub revenue: Vec<RevenueMetrics>,
    /// The same by segment and by plan.
    pub segments: Vec<RevenueSlice>,
    /// By plan.
    pub plans: Vec<RevenueSlice>,
    /// What became of the accounts of each month.
    pub cohorts: Vec<CohortRevenue>,
    /// Lifetime values by currency.
    pub lifetimes: Vec<LifetimeValue>,
    /// From signal to payment.
    pub funnel: Vec<FunnelStep>,
    /// Week by week; empty for a window of more than two years.
    pub weeks: Vec<Week>,
    /// Conversion by motion.
    pub motions: Vec<MotionConversion>,
    /// The way from signals to money by kind of signal, by channel and by segment.
    pub slices: Vec<(&'static str, Vec<ProgrammeSlice>)>,
    /// Against the targets and the time before the launch.
    pub targets: Vec<TargetStanding>,
    /// Loyalty of each segment, the whole first.
    pub loyalty: Vec<SegmentLoyalty>,
    /// How often accounts were contacted.
    pub pressure: GetPressureResponse,
    /// Days to payment, hours to approval.
    pub lead_times: GetLeadTimesResponse,
    /// Every movement, with the facts behind it.
    pub movements: Vec<Movement>,
    /// What each account brings into the figures.
    pub accounts: Vec<AccountRevenue>,
}

/// Asks the metrics service for all of it.
///
/// # Errors
/// The service cannot be reached, or refuses a question.
pub async fn collect(channel: &Traced, days: (Date, Date), made: Timestamp) -> Result<Report> {
    asked(channel, days, made).await.context("asking the metrics service")
}

async fn asked(channel: &Traced, days: (Date, Date), made: Timestamp) -> Result<Report, Status> {
    let window = Window {
        start_date: Some(to_date(days.0)),
        end_date: Some(to_date(days.1)),
    };
    let mut report = Report {
        days,
        made,
        ..Report::default()
    };
    money(channel, &window, &mut report).await?;
    programme(channel, &window, &mut report).await?;
    slices(channel, &window, &mut report).await?;
    Ok(report)
}

async fn money(channel: &Traced, window: &Window, report: &mut Report) -> Result<(), Status> {
    let asked = Some(*window);
    let mut metrics = MetricsServiceClient::new(channel.clone());
    let request = GetRevenueMetricsRequest {
        window: asked,
        ..GetRevenueMetricsRequest::default()
    };
    report.revenue = metrics.get_revenue_metrics(request).await?.into_inner().currencies;
    report.movements = lists::movements(&mut metrics, *window).await?;

    let mut revenue = RevenueServiceClient::new(channel.clone());
    for (dimension, slices) in [
        (RevenueDimension::Segment, &mut report.segments),
        (RevenueDimension::Plan, &mut report.plans),
    ] {
        let request = GetRevenueBreakdownRequest {
            window: asked,
            dimension: dimension.into(),
        };
        *slices = revenue.get_revenue_breakdown(request).await?.into_inner().slices;
    }
    let request = GetCohortsRequest {
        start_month: window.start_date,
        end_month: window.end_date,
    };
    report.cohorts = or_nothing(revenue.get_cohorts(request).await)?.cohorts;
    let request = GetLtvRequest {
        window: asked,
        ..GetLtvRequest::default()
    };
    report.lifetimes = or_nothing(revenue.get_ltv(request).await)?.currencies;
    report.accounts = lists::account_revenue(&mut revenue, *window).await?;
    Ok(())
}

async fn programme(channel: &Traced, window: &Window, report: &mut Report) -> Result<(), Status> {
    let window = || Some(*window);
    let mut metrics = MetricsServiceClient::new(channel.clone());
    let request = GetFunnelRequest { window: window() };
    report.funnel = metrics.get_funnel(request).await?.into_inner().steps;
    if (report.days.1 - report.days.0).get_days() <= WEEKLY_DAYS {
        let request = GetWeeklyCutRequest { window: window() };
        report.weeks = metrics.get_weekly_cut(request).await?.into_inner().weeks;
    }
    let request = GetMotionConversionRequest { window: window() };
    report.motions = metrics.get_motion_conversion(request).await?.into_inner().motions;
    let request = GetPressureRequest { window: window() };
    report.pressure = metrics.get_pressure(request).await?.into_inner();
    let request = GetLeadTimesRequest { window: window() };
    report.lead_times = metrics.get_lead_times(request).await?.into_inner();
    Ok(())
}

async fn slices(channel: &Traced, window: &Window, report: &mut Report) -> Result<(), Status> {
    let window = || Some(*window);
    let mut programme = ProgrammeServiceClient::new(channel.clone());
    for (name, cut) in [
        ("signal", ProgrammeCut::Signal),
        ("channel", ProgrammeCut::Channel),
        ("segment", ProgrammeCut::Segment),
    ] {
        let request = GetProgrammeBreakdownRequest {
            window: window(),
            cut: cut.into(),
        };
        let slices = programme.get_programme_breakdown(request).await?.into_inner().slices;
        report.slices.push((name, slices));
    }
    let request = GetTargetsRequest { window: window() };
    report.targets = programme.get_targets(request).await?.into_inner().targets;
    let request = GetLoyaltyRequest {
        window: window(),
        before: None,
    };
    report.loyalty = programme.get_loyalty(request).await?.into_inner().segments;
    Ok(())
}

/// A window that is too long or has no data for one part leaves that part out.
fn or_nothing<T: Default>(answer: Result<tonic::Response<T>, Status>) -> Result<T, Status> {
    match answer {
        Ok(answer) => Ok(answer.into_inner()),
        Err(status) if matches!(status.code(), Code::InvalidArgument | Code::FailedPrecondition) => Ok(T::default()),
        Err(status) => Err(status),
    }
}
