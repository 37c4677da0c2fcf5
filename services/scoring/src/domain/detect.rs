//! Looks for the conditions of all signals at one moment.
//!
//! Evidence names, by which message templates ask: see each detector.

mod adoption;
mod budget;
mod drop;
mod embrace;
mod friction;
mod happenings;
mod lifecycle;
mod limit;
mod power;
mod promoter;
mod renewal;
mod saturation;
mod season;
mod seats;
mod spend;
mod tickets;
mod trial;
mod volume;

use std::collections::BTreeMap;

use super::{
    facts::Facts,
    moment::Moment,
    signal::{Key, Kind, Sighting},
    thresholds::Thresholds,
};

pub use self::{
    lifecycle::{Segment, detect_lifecycle, segment},
    renewal::next_renewal,
    season::{YEAR_DAYS, wants_season},
    volume::volume_growth,
};

/// Every condition that holds or cannot be judged; what is not named does not hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sightings(BTreeMap<Key, Sighting>);

impl Sightings {
    /// What was seen of `key`; `None` when its condition does not hold.
    pub fn get(&self, key: &Key) -> Option<&Sighting> {
        self.0.get(key)
    }

    /// True when the condition of `key` holds.
    pub fn holds(&self, key: &Key) -> bool {
        matches!(self.get(key), Some(Sighting::Holds(_)))
    }

    /// Everything that was seen.
    pub fn iter(&self) -> impl Iterator<Item = (&Key, &Sighting)> {
        self.0.iter()
    }

    /// The keys that were seen.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.0.keys()
    }

    pub(super) fn add(&mut self, kind: Kind, subject: &str, sighting: Option<Sighting>) {
        if let Some(sighting) = sighting {
            self.0.insert(Key::new(kind, subject), sighting);
        }
    }
}

/// Looks at all conditions but the lifecycle's, which asks for health. Only what had happened by `moment` counts, so it can look back.
pub fn detect(facts: &Facts, moment: &Moment, thresholds: &Thresholds) -> Sightings {
    let mut seen = Sightings::default();
    spend::detect(facts, moment, &thresholds.spend_growth, &mut seen);
    volume::detect(facts, moment, &thresholds.volume_growth, &mut seen);
    drop::detect(facts, moment, &thresholds.usage_drop, &mut seen);
    tickets::detect(facts, moment, &thresholds.ticket_cluster, &mut seen);
    renewal::detect(facts, moment, &mut seen);
    limit::detect(facts, moment, &thresholds.limit_approach, &mut seen);
    embrace::detect(facts, moment, &thresholds.feature_embrace, &mut seen);
    promoter::detect(facts, moment, &thresholds.promoter, &mut seen);
    adoption::detect(
        facts,
        moment,
        &thresholds.weak_adoption,
        &thresholds.products,
        &mut seen,
    );
    seats::detect(facts, moment, &thresholds.seats_short, &mut seen);
    saturation::detect(
        facts,
        moment,
        &thresholds.tariff_saturation,
        &thresholds.products,
        &mut seen,
    );
    power::detect(facts, moment, &thresholds.power_users, &thresholds.products, &mut seen);
    happenings::detect(facts, moment, thresholds, &mut seen);
    friction::detect(facts, moment, &thresholds.workflow_friction, &mut seen);
    trial::detect(facts, moment, thresholds, &mut seen);
    budget::detect(facts, moment, &thresholds.budget_moment, &mut seen);
    seen
}

/// Half at the threshold, full at twice the threshold and above.
fn strength(value: f64, threshold: f64) -> f64 {
    if threshold <= 0.0 {
        1.0
    } else {
        (value / threshold / 2.0).clamp(0.0, 1.0)
    }
}

/// Thresholds are met when the figure reaches them; the slack takes up the last bit of a division.
fn reaches(value: f64, threshold: f64) -> bool {
    value >= threshold - 1e-9
}

/// A share in percent; 0 of nothing.
fn percent(part: i64, whole: i64) -> f64 {
    if whole <= 0 {
        0.0
    } else {
        (i128::from(part) * 100) as f64 / whole as f64
    }
}
