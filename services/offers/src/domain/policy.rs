//! What may be offered and how: catalogue, playbooks and the numbers that decisions use, as one versioned whole.

use std::collections::BTreeMap;

use super::{
    catalogue::Catalogue,
    playbook::Playbook,
    vocabulary::{Grade, Motion},
};

/// Everything that decides about offers, apart from the account itself and the limits.
#[derive(Debug)]
pub struct Policy {
    /// Hash of the content: first 16 hexadecimal digits of a SHA-256. Comments and layout do not count.
    pub version: String,
    /// What there is to sell and what things are called.
    pub catalogue: Catalogue,
    /// Which signal leads to what, by key.
    pub playbooks: BTreeMap<String, Playbook>,
    /// The numbers of decisions.
    pub rules: DecisionRules,
}

/// The numbers of decisions, all with a default (`decisions` in the catalogue file).
#[derive(Debug, Clone, PartialEq)]
pub struct DecisionRules {
    /// Below this propensity an account is educated, not sold to (SC-9).
    pub propensity_threshold: f64,
    /// After so many days an educated account is looked at again (SC-9).
    pub education_review_days: i64,
    /// An offer that ended without acceptance blocks its motion and subject so long (SG-R3).
    pub refusal_block_days: i64,
    /// An accepted offer blocks its motion and subject so long: the order is being fulfilled.
    pub acceptance_block_days: i64,
    /// Expected value is multiplied by this for every touch made within `fatigue_days` (M-1).
    pub fatigue_factor: f64,
    /// How far back touches tire.
    pub fatigue_days: i64,
    /// Expected value is multiplied by this while health rises (SC-3).
    pub rising_health_factor: f64,
    /// Expected value by how pressing the best signal is.
    pub urgency: BTreeMap<Grade, f64>,
    /// Expected conversion by motion: lowest and highest share that accepts (§5).
    pub conversion: BTreeMap<Motion, (f64, f64)>,
    /// The middle of a band counts as so many offers, against what became of those that were sent (M-1).
    pub conversion_weight: f64,
    /// How far back offers teach, days.
    pub conversion_days: i64,
    /// How certain it must be that a motion left its band, 0.5 to 1 (M-1).
    pub drift_certainty: f64,
}

impl Default for DecisionRules {
    fn default() -> Self {
        Self {
            propensity_threshold: 0.15,
            education_review_days: 30,
            refusal_block_days: 90,
            acceptance_block_days: 30,
            fatigue_factor: 0.9,
            fatigue_days: 30,
            rising_health_factor: 1.05,
            urgency: BTreeMap::from([
                (Grade::Low, 0.9),
                (Grade::Normal, 1.0),
                (Grade::High, 1.15),
                (Grade::Exceeded, 1.3),
            ]),
            conversion: conversion_bands(),
            conversion_weight: 50.0,
            conversion_days: 365,
            drift_certainty: 0.9,
        }
    }
}

/// The expected conversion of §5: the prior of every motion that has one.
fn conversion_bands() -> BTreeMap<Motion, (f64, f64)> {
    BTreeMap::from([
        (Motion::Tier, (0.15, 0.25)),
        (Motion::Feature, (0.08, 0.15)),
        (Motion::Capacity, (0.20, 0.30)),
        (Motion::Adjacent, (0.10, 0.18)),
        (Motion::Complementary, (0.12, 0.20)),
        (Motion::Platform, (0.05, 0.12)),
        (Motion::PremiumSupport, (0.20, 0.35)),
        (Motion::Trial, (0.08, 0.20)),
    ])
}
