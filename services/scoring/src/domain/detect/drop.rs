//! SG-3: a drop of usage or spend by 10 % or more, the last 28 complete days against the 28 before.
//!
//! Every usage metric is looked at by its mean over the days that have a count; without any usage, active people
//! stand in (I-2). Spend is judged only where both windows hold the same number of invoices: a month is longer than
//! 28 days, and a missing invoice is no drop.
//!
//! A drop that the season explains is none: where the same windows a year earlier are known and fell, the rest without that
//! fall must reach the threshold as well.
//!
//! Subject: the metric, or `spend`. Evidence: `drop_percent` (positive), `window_mean` (baseline: `baseline_mean`),
//! `baseline_mean`; for spend `drop_percent`, `window_spend` (baseline: `baseline_spend`), `baseline_spend`.

use super::{
    Sightings, reaches,
    season::{season_percent, without_season},
    spend::Spend,
    strength,
};
use crate::domain::{
    facts::{ACTIVE_USERS, Facts},
    moment::Moment,
    series::{Series, Window, growth_percent},
    signal::{Evidence, Grade, Kind, Observation, Sighting},
    thresholds::UsageDrop,
};

pub(super) fn detect(facts: &Facts, moment: &Moment, rule: &UsageDrop, seen: &mut Sightings) {
    for (metric, series) in &facts.usage {
        let sighting = usage(series, moment, rule, &format!("usage/{metric}"));
        seen.add(Kind::UsageDrop, metric, sighting);
    }
    if facts.usage.is_empty() && !facts.active_users.is_empty() {
        let sighting = usage(&facts.active_users, moment, rule, &format!("activity/{ACTIVE_USERS}"));
        seen.add(Kind::UsageDrop, ACTIVE_USERS, sighting);
    }
    seen.add(Kind::UsageDrop, "spend", spend(facts, moment, rule));
}

fn usage(series: &Series, moment: &Moment, rule: &UsageDrop, source: &str) -> Option<Sighting> {
    let now = Window::ending(moment.as_of, rule.window_days);
    let before = now.before(rule.window_days);
    let (tally, baseline) = (series.tally(now), series.tally(before));
    if tally.days < rule.min_days || baseline.days < rule.min_days {
        return Some(Sighting::Unknown);
    }
    let drop = -growth_percent(tally, baseline)?;
    let (mean, baseline) = (tally.mean()?, baseline.mean()?);
    let mut evidence = vec![
        Evidence::new("drop_percent", drop, "%", now, source),
        Evidence::new("window_mean", mean, "/d", now, source).against(baseline),
        Evidence::new("baseline_mean", baseline, "/d", before, source),
    ];
    let season = season_percent(series, now, before, rule.min_days);
    evidence.extend(season.map(|season| Evidence::new("season_percent", season, "%", now, source)));
    let own = season.map_or(drop, |season| -without_season(-drop, season.min(0.0)));
    found(own.min(drop), rule, evidence)
}

fn spend(facts: &Facts, moment: &Moment, rule: &UsageDrop) -> Option<Sighting> {
    let spend = Spend::of(facts)?;
    let now = Window::ending(moment.as_of, rule.window_days);
    let before = now.before(rule.window_days);
    let (bill, baseline) = (spend.bill(now), spend.bill(before));
    if bill.days == 0 || bill.days != baseline.days {
        return Some(Sighting::Unknown);
    }
    let drop = -growth_percent(bill, baseline)?;
    let unit = spend.currency.to_string();
    let (amount, base) = (spend.major(bill.sum), spend.major(baseline.sum));
    found(
        drop,
        rule,
        vec![
            Evidence::new("drop_percent", drop, "%", now, "invoice"),
            Evidence::new("window_spend", amount, &unit, now, "invoice").against(base),
            Evidence::new("baseline_spend", base, &unit, before, "invoice"),
        ],
    )
}

fn found(drop: f64, rule: &UsageDrop, evidence: Vec<Evidence>) -> Option<Sighting> {
    reaches(drop, rule.percent).then(|| {
        Sighting::Holds(Observation {
            grade: Grade::Normal,
            strength: strength(drop, rule.percent),
            evidence,
            raised_by: None,
        })
    })
}
