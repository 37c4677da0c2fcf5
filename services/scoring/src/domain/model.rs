//! Risk of churn and propensity to expand (SC-5). A model is a pure function; the rules are the one that needs no
//! history. Trained models stand behind the same trait.

pub mod calibrate;
pub mod challenge;
pub mod champion;
pub mod chance;
pub mod drift;
pub mod evaluate;
pub mod folds;
pub mod frame;
pub mod history;
pub mod logistic;
pub mod metrics;
mod rules;
pub mod shape;
pub mod table;
pub mod train;
pub mod trained;
pub mod trees;
pub mod trial;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use super::features::Features;

pub use self::rules::Rules;

/// Predicts from features. Pure: the same features give the same prediction.
pub trait Model: Send + Sync + 'static {
    /// Name and version, e.g. `rules-1`; stored with every prediction.
    fn version(&self) -> &'static str;

    /// What will happen in the next 90 days.
    fn predict(&self, features: &Features) -> Prediction;
}

/// The two numbers, kept apart (SC-1), with their reasons.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// 0 to 1; up is bad (SC-12).
    pub churn_risk: f64,
    /// 0 to 1; up is good.
    pub expansion_propensity: f64,
    /// What pushed them up and down, the strongest first.
    pub reasons: Vec<Reason>,
}

/// What pushed a number up or down.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reason {
    /// `churn_risk` or `expansion_propensity`.
    pub score: String,
    /// The feature.
    pub feature: String,
    /// By how much.
    pub effect: f64,
}
