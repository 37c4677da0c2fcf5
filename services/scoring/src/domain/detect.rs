//! Looks for the conditions of all signals at one moment.
//!
//! Evidence names, by which message templates ask: see each detector.

mod drop;
mod embrace;
mod limit;
mod promoter;
mod renewal;
mod spend;
mod tickets;
mod volume;

use std::collections::BTreeMap;

use super::{
    facts::Facts,
    moment::Moment,
    signal::{Key, Kind, Sighting},
    thresholds::Thresholds,
};

pub use self::{renewal::next_renewal, volume::volume_growth};

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

    /// The keys that were seen.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.0.keys()
    }

    fn add(&mut self, kind: Kind, subject: &str, sighting: Option<Sighting>) {
        if let Some(sighting) = sighting {
            self.0.insert(Key::new(kind, subject), sighting);
        }
    }
}

/// Looks at all conditions. Only what had happened by `moment` counts, so it can look back.
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
