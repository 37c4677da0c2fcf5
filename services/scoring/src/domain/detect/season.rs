//! Seasons: the same windows a year (52 whole weeks) earlier, where history reaches that far. What the season explains is
//! neither growth nor a drop of the account's own.

use super::{Kind, Sightings};
use crate::domain::{
    facts::Facts,
    moment::days_before,
    series::{Series, Window, growth_percent},
    signal::Sighting,
};

/// A year of whole weeks, so that weekdays stand beside weekdays.
pub const YEAR_DAYS: i32 = 364;

/// Growth in percent between the same two windows a year earlier; `None` where either has fewer than `min_days` days.
pub(super) fn season_percent(series: &Series, now: Window, before: Window, min_days: i32) -> Option<f64> {
    let (now, before) = (series.tally(year_before(now)), series.tally(year_before(before)));
    if now.days < min_days || before.days < min_days {
        return None;
    }
    growth_percent(now, before)
}

/// `growth` in percent without what the season gives.
pub(super) fn without_season(growth: f64, season: f64) -> f64 {
    if season <= -100.0 {
        growth
    } else {
        ((1.0 + growth / 100.0) / (1.0 + season / 100.0) - 1.0) * 100.0
    }
}

/// True when figures of a year ago could speak against a signal that the facts give.
pub fn wants_season(facts: &Facts, seen: &Sightings) -> bool {
    let of_use = |kind| matches!(kind, Kind::VolumeGrowth | Kind::UsageDrop);
    !facts.usage.is_empty()
        && seen
            .0
            .iter()
            .any(|(key, sighting)| of_use(key.kind) && matches!(sighting, Sighting::Holds(_)))
}

fn year_before(window: Window) -> Window {
    Window {
        first: days_before(window.first, YEAR_DAYS),
        last: days_before(window.last, YEAR_DAYS),
    }
}
