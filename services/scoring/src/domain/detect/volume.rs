//! SG-2: growth of the primary usage metric.
//!
//! Mean of the last 14 complete days over the mean of the 14 days that ended 56 days earlier. A missing day is left
//! out of its mean, it is not zero; with fewer than `min_days` days in either window nothing can be said.
//!
//! Growth that the season explains is none: where the same windows a year earlier are known and grew, the rest without
//! that growth must reach the threshold as well.
//!
//! Subject: the metric. Evidence: `growth_percent`, `window_mean` (baseline: `baseline_mean`), `baseline_mean`, and where
//! a year ago is known `season_percent`.

use super::{
    Sightings, reaches,
    season::{season_percent, without_season},
    strength,
};
use crate::domain::{
    facts::Facts,
    moment::{Moment, days_before},
    series::{Series, Tally, Window, growth_percent},
    signal::{Evidence, Grade, Kind, Observation, Sighting},
    thresholds::VolumeGrowth,
};

pub(super) fn detect(facts: &Facts, moment: &Moment, rule: &VolumeGrowth, seen: &mut Sightings) {
    let Some((metric, series, source)) = facts.volume() else {
        return;
    };
    let compared = compare(series, moment, rule);
    let sighting = match compared {
        None => Some(Sighting::Unknown),
        Some((growth, ..)) if !reaches(growth, rule.percent) => None,
        Some((growth, now, before)) => {
            let season = season_percent(series, now.1, before.1, rule.min_days);
            let own = season.map_or(growth, |season| without_season(growth, season.max(0.0)));
            reaches(own, rule.percent).then(|| {
                let mut evidence = evidence(growth, now, before, &source);
                evidence.extend(season.map(|season| Evidence::new("season_percent", season, "%", now.1, &source)));
                Sighting::Holds(Observation::new(Grade::Normal, strength(own, rule.percent), evidence))
            })
        }
    };
    seen.add(Kind::VolumeGrowth, metric, sighting);
}

/// Growth of the account's volume in percent as SG-2 measures it; `None` when it cannot be said.
pub fn volume_growth(facts: &Facts, moment: &Moment, rule: &VolumeGrowth) -> Option<f64> {
    let (_, series, _) = facts.volume()?;
    compare(series, moment, rule).map(|(growth, ..)| growth)
}

type Part = (Tally, Window);

fn compare(series: &Series, moment: &Moment, rule: &VolumeGrowth) -> Option<(f64, Part, Part)> {
    let now = Window::ending(moment.as_of, rule.window_days);
    let before = Window::ending(days_before(moment.as_of, rule.lookback_days), rule.window_days);
    let (now, before) = ((series.tally(now), now), (series.tally(before), before));
    if now.0.days < rule.min_days || before.0.days < rule.min_days {
        return None;
    }
    Some((growth_percent(now.0, before.0)?, now, before))
}

fn evidence(growth: f64, now: Part, before: Part, source: &str) -> Vec<Evidence> {
    let mean = now.0.mean().unwrap_or_default();
    let baseline = before.0.mean().unwrap_or_default();
    vec![
        Evidence::new("growth_percent", growth, "%", now.1, source),
        Evidence::new("window_mean", mean, "/d", now.1, source).against(baseline),
        Evidence::new("baseline_mean", baseline, "/d", before.1, source),
    ]
}
