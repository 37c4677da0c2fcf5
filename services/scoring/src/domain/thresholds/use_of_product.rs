//! Thresholds of the signals that the use of the product gives.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// SG-4: weak adoption. Shares in percent.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct WeakAdoption {
    /// Mean of the active people a day below this share of the busiest day.
    pub dau_mau_percent: f64,
    /// Less than this share of the key features used.
    pub key_features_percent: f64,
    /// More than this share of the licences idle.
    pub idle_percent: f64,
    /// Days of the window.
    pub window_days: i32,
    /// Days of it that must have a count of active people.
    pub min_days: i32,
}

/// SG-8: seats short.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SeatsShort {
    /// Active people that are a signal, in percent of the seats.
    pub percent: f64,
    /// Days of the window.
    pub window_days: i32,
    /// Days for which a shared login speaks.
    pub shared_days: i32,
}

/// SG-9: tariff saturation.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TariffSaturation {
    /// Share of the plan's features in use that is a signal.
    pub percent: f64,
    /// Days of the window.
    pub window_days: i32,
}

/// SG-13: power users.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PowerUsers {
    /// People.
    pub users: i64,
    /// Days on which so many must be active.
    pub days: i32,
    /// Days of the window.
    pub window_days: i32,
    /// Share of the key features that so many must use.
    pub features_percent: f64,
}

/// SG-23: heavy use in a trial.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct HeavyTrialUse {
    /// Uses of premium features that are a signal.
    pub uses: i64,
    /// Days of the window.
    pub days: i32,
}

/// SG-24: lifecycle segments.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Lifecycle {
    /// Younger than this is new.
    pub new_days: i32,
    /// Health below this is leaving.
    pub leaving_health: i32,
    /// Use that fell by this much or more is leaving.
    pub leaving_percent: f64,
    /// Lowest health of an active account.
    pub active_health: i32,
    /// Use that fell by this much or more is falling.
    pub falling_percent: f64,
    /// Days of each of the two windows of use.
    pub window_days: i32,
    /// Days that must have a count in each.
    pub min_days: i32,
}

/// What the products include. Without it SG-9, SG-13 and the features of SG-4 stay silent.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Products {
    /// Features that show that the product has become part of the work.
    pub key_features: Vec<String>,
    /// Features that each plan includes.
    pub plan_features: BTreeMap<String, Vec<String>>,
}
