//! Asks the services for the figures.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};
use jiff::{civil::Date, tz::TimeZone};
use upswell_proto::{
    gtype,
    ingestion::v1::{Account, ingestion_service_client::IngestionServiceClient},
    metrics::v1::{
        GetFunnelRequest, GetLeadTimesRequest, GetMotionConversionRequest, GetPressureRequest,
        GetRevenueMetricsRequest, GetWeeklyCutRequest, RevenueMetrics, Window,
        metrics_service_client::MetricsServiceClient,
    },
    offers::v1::{
        Offer, Touch, approval_service_client::ApprovalServiceClient,
        experiment_service_client::ExperimentServiceClient, offer, offer_service_client::OfferServiceClient, touch,
        touch_ledger_service_client::TouchLedgerServiceClient,
    },
    renewals::v1::renewal_service_client::RenewalServiceClient,
    scoring::v1::scoring_service_client::ScoringServiceClient,
};
use upswell_runtime::{client::Traced, money};

use super::{Checker, Count, Facts, LeadTime, Motion, Movement, Pressure, Report, Revenue, Wait, Week};
use crate::{
    cluster::Cluster,
    demo::{case::Case, checker, state::Progress},
    lists,
    wire::{date, to_date, word},
};

/// Asks all five services for what the case came to.
///
/// # Errors
/// A service cannot answer, or metrics finds that its numbers do not add up.
pub async fn collect(case: &Case, cluster: &Cluster, progress: &Progress) -> Result<Report> {
    let offers_channel = cluster.peers.channel(upswell_offers::NAME)?;
    let mut ingestion = IngestionServiceClient::new(cluster.peers.channel(upswell_ingestion::NAME)?);
    let mut scoring = ScoringServiceClient::new(cluster.peers.channel(upswell_scoring::NAME)?);
    let mut renewals = RenewalServiceClient::new(cluster.peers.channel(upswell_renewals::NAME)?);
    let mut metrics = MetricsServiceClient::new(cluster.peers.channel(upswell_metrics::NAME)?);
    let window = window(case.header.start, case.end_date());

    let accounts = lists::accounts(&mut ingestion).await?;
    let conflicts = lists::conflicts(&mut ingestion).await?.len();
    let signals = lists::signals(&mut scoring).await?;
    let offers = lists::offers(&mut OfferServiceClient::new(offers_channel.clone()), &[]).await?;
    let touches = lists::touches(&mut TouchLedgerServiceClient::new(offers_channel.clone())).await?;
    let approvals = lists::approvals(&mut ApprovalServiceClient::new(offers_channel.clone()), &[]).await?;
    let arms = lists::assignments(&mut ExperimentServiceClient::new(offers_channel)).await?;
    let deals = lists::deals(&mut renewals).await?;

    let mut report = Report {
        case: case.header.name.clone(),
        title: case.header.title.clone(),
        start: case.header.start.to_string(),
        end: case.end_date().to_string(),
        currency: case.header.currency.clone(),
        facts: facts(case, progress, conflicts),
        accounts: accounts.len(),
        holdout: arms.iter().filter(|arm| arm.holdout).count(),
        signals: count(
            signals
                .iter()
                .map(|signal| word(signal.kind().as_str_name(), "SIGNAL_KIND")),
        ),
        motions: motions(&offers),
        touches: count(
            touches
                .iter()
                .filter(|touch| counts(touch))
                .map(|touch| word(touch.class().as_str_name(), "TOUCH_CLASS")),
        ),
        pressure: pressure(&mut metrics, &window).await?,
        checker: Checker {
            touches: 0,
            per_account_week: 0.0,
            violations: Vec::new(),
        },
        approvals: count(
            approvals
                .iter()
                .map(|approval| word(approval.state().as_str_name(), "STATE")),
        ),
        longest_waits: Vec::new(),
        renewals: count(deals.iter().map(|deal| word(deal.stage().as_str_name(), "STAGE"))),
        revenue: revenue(&mut metrics, case, case.end_date()).await?,
        quarter: None,
        signal_to_payment: LeadTime::default(),
        funnel: Vec::new(),
        weeks: Vec::new(),
    };
    report.checker = check(case, &touches, &accounts);
    if let Some(end) = case.header.quarter_end {
        report.quarter = Some(revenue(&mut metrics, case, end.tomorrow()?).await?);
    }
    add_conversion(&mut metrics, &window, case, &mut report).await?;
    add_lead_times(&mut metrics, &window, &mut report).await?;
    add_funnel(&mut metrics, &window, case, &mut report).await?;
    Ok(report)
}

fn window(start: Date, end: Date) -> Window {
    Window {
        start_date: Some(to_date(start)),
        end_date: Some(to_date(end)),
    }
}

fn facts(case: &Case, progress: &Progress, conflicts: usize) -> Facts {
    let keys: BTreeSet<_> = case
        .facts
        .iter()
        .map(|known| (&known.fact.source, &known.fact.external_id))
        .collect();
    Facts {
        sent: case.facts.len(),
        distinct: keys.len(),
        conflicts,
        rejected: progress.rejected.clone(),
        broken: case.broken_lines.clone(),
    }
}

fn count(names: impl Iterator<Item = String>) -> Vec<Count> {
    let mut counts = BTreeMap::new();
    for name in names {
        *counts.entry(name).or_insert(0) += 1;
    }
    counts.into_iter().map(|(name, count)| Count { name, count }).collect()
}

fn counts(touch: &Touch) -> bool {
    matches!(
        touch.state(),
        touch::State::Reserved | touch::State::Sending | touch::State::Confirmed | touch::State::Observed
    )
}

fn motions(offers: &[Offer]) -> Vec<Motion> {
    use offer::State;
    let mut motions: BTreeMap<String, Motion> = BTreeMap::new();
    for offer in offers {
        let name = word(offer.motion().as_str_name(), "MOTION");
        let motion = motions.entry(name.clone()).or_insert_with(|| Motion {
            motion: name,
            ..Motion::default()
        });
        if offer.send_time.is_none() {
            motion.kept_back += 1;
            continue;
        }
        motion.sent += 1;
        match offer.state() {
            State::Accepted => motion.accepted += 1,
            State::Declined => motion.declined += 1,
            State::Expired => motion.expired += 1,
            _ => motion.open += 1,
        }
    }
    motions.into_values().collect()
}

fn check(case: &Case, touches: &[Touch], accounts: &[Account]) -> Checker {
    let zones: BTreeMap<String, TimeZone> = accounts
        .iter()
        .filter_map(|account| {
            let zone = TimeZone::get(&account.profile.as_ref()?.time_zone).ok()?;
            Some((account.account_id.clone(), zone))
        })
        .collect();
    let findings = checker::check(touches, &zones, case.start(), case.end());
    let touches = i64::try_from(findings.touches).unwrap_or(i64::MAX);
    let weeks = f64::from(case.header.days) / 7.0;
    let per_account_week = findings.touches as f64 / (accounts.len().max(1) as f64 * weeks);
    Checker {
        touches,
        per_account_week,
        violations: findings.violations,
    }
}

async fn pressure(metrics: &mut MetricsServiceClient<Traced>, window: &Window) -> Result<Pressure> {
    let request = GetPressureRequest { window: Some(*window) };
    let answer = metrics.get_pressure(request).await?.into_inner();
    Ok(Pressure {
        touches: answer.touches,
        per_account_week: answer.touches_per_account_week.unwrap_or_default(),
        busiest: answer.busiest_touches,
    })
}

async fn revenue(metrics: &mut MetricsServiceClient<Traced>, case: &Case, end: Date) -> Result<Revenue> {
    let request = GetRevenueMetricsRequest {
        window: Some(window(case.header.start, end)),
        ..Default::default()
    };
    let answer = metrics.get_revenue_metrics(request).await?.into_inner();
    let found = answer
        .currencies
        .into_iter()
        .find(|entry| entry.currency_code == case.header.currency);
    let mut revenue = found.map(|entry| convert(&entry)).transpose()?.unwrap_or_default();
    revenue.until = end.to_string();
    Ok(revenue)
}

fn convert(entry: &RevenueMetrics) -> Result<Revenue> {
    let movement = |total: &upswell_proto::metrics::v1::MovementTotal| {
        let kind = word(total.kind().as_str_name(), "MOVEMENT_KIND");
        Ok(Movement {
            kind,
            amount: minor(total.amount.as_ref())?,
            count: total.count,
        })
    };
    Ok(Revenue {
        until: String::new(),
        mrr_start: minor(entry.mrr_start.as_ref())?,
        mrr_end: minor(entry.mrr_end.as_ref())?,
        movements: entry.movements.iter().map(movement).collect::<Result<_>>()?,
        arpa: entry.arpa.as_ref().map_or(Ok(0), |arpa| minor(Some(arpa)))?,
        arr: minor(entry.arr.as_ref())?,
        nrr: entry.nrr,
        grr: entry.grr,
        expansion_gross: minor(entry.expansion_gross.as_ref())?,
        expansion_net: minor(entry.expansion_net.as_ref())?,
        expansion_attributed: minor(entry.expansion_attributed.as_ref())?,
        expansion_cumulative: minor(entry.expansion_cumulative.as_ref())?,
        churned: entry.churned_accounts,
    })
}

fn minor(amount: Option<&gtype::Money>) -> Result<i64> {
    Ok(money::from_proto(amount.context("metrics left out an amount")?)?.minor)
}

fn minor_in(amounts: &[gtype::Money], currency: &str) -> Result<i64> {
    amounts
        .iter()
        .find(|amount| amount.currency_code == currency)
        .map_or(Ok(0), |amount| minor(Some(amount)))
}

async fn add_conversion(
    metrics: &mut MetricsServiceClient<Traced>,
    window: &Window,
    case: &Case,
    report: &mut Report,
) -> Result<()> {
    let request = GetMotionConversionRequest { window: Some(*window) };
    for entry in metrics.get_motion_conversion(request).await?.into_inner().motions {
        let name = word(entry.motion().as_str_name(), "MOTION");
        if let Some(motion) = report.motions.iter_mut().find(|motion| motion.motion == name) {
            motion.paid = entry.paid;
            motion.expansion_mrr = minor_in(&entry.expansion, &case.header.currency)?;
        }
    }
    Ok(())
}

async fn add_lead_times(
    metrics: &mut MetricsServiceClient<Traced>,
    window: &Window,
    report: &mut Report,
) -> Result<()> {
    let request = GetLeadTimesRequest { window: Some(*window) };
    let answer = metrics.get_lead_times(request).await?.into_inner();
    if let Some(days) = answer.signal_to_payment_days {
        report.signal_to_payment = LeadTime {
            complete: days.complete,
            open: days.open,
            mean: days.mean,
            median: days.median,
            p90: days.p90,
        };
    }
    let wait = |wait: upswell_proto::metrics::v1::LongestWait| Wait {
        account: wait.account_id,
        approver: wait.approver_id,
        hours: wait.hours,
        state: wait.state,
    };
    report.longest_waits = answer.longest_waits.into_iter().map(wait).collect();
    Ok(())
}

async fn add_funnel(
    metrics: &mut MetricsServiceClient<Traced>,
    window: &Window,
    case: &Case,
    report: &mut Report,
) -> Result<()> {
    let request = GetFunnelRequest { window: Some(*window) };
    let steps = metrics.get_funnel(request).await?.into_inner().steps;
    report.funnel = steps
        .into_iter()
        .map(|step| Count {
            name: step.step,
            count: step.count,
        })
        .collect();
    let request = GetWeeklyCutRequest { window: Some(*window) };
    for week in metrics.get_weekly_cut(request).await?.into_inner().weeks {
        report.weeks.push(Week {
            start: date(week.start_date.as_ref())
                .context("a week without a start")?
                .to_string(),
            signals: week.signals,
            sent: week.offers_sent,
            accepted: week.accepted,
            paid: week.paid,
            touches: week.touches,
            expansion: minor_in(&week.expansion, &case.header.currency)?,
        });
    }
    Ok(())
}
