//! The score of an account: three numbers kept apart (SC-1), their parts, and the trend (SC-3).

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use super::{
    detect::Segment,
    health::Health,
    icp::IcpFit,
    model::{Reason, champion::Source},
    stage::{Onboarding, Qualification, Tier},
};

/// The newest score of an account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// The account.
    pub account_id: String,
    /// The day whose end it stands for.
    pub as_of: Date,
    /// When it was computed.
    pub scored_at: Timestamp,
    /// Health by points.
    pub health: Health,
    /// Health now minus health a week before.
    pub health_change: Option<i32>,
    /// 0 to 1; up is bad.
    pub churn_risk: f64,
    /// 0 to 1; up is good.
    pub expansion_propensity: f64,
    /// What pushed the two numbers, the strongest first.
    pub reasons: Vec<Reason>,
    /// What computed the two numbers, in short.
    pub model_version: String,
    /// What computed each of them, and why (SC-5).
    #[serde(default)]
    pub sources: Vec<Source>,
    /// Critical tickets open now.
    pub open_critical: i32,
    /// When the oldest of them was opened.
    pub oldest_critical_at: Option<Timestamp>,
    /// Inputs that were missing (I-2).
    pub missing_inputs: Vec<String>,
    /// Fit to the ideal customer (SC-9).
    #[serde(default)]
    pub icp: IcpFit,
    /// Lifecycle segment (SG-24).
    #[serde(default)]
    pub segment: Segment,
    /// Stage of onboarding (SC-10); `None` later.
    #[serde(default)]
    pub onboarding: Option<Onboarding>,
    /// Whether it may be a target (SC-8).
    #[serde(default)]
    pub qualification: Qualification,
    /// The three numbers combined (SC-1), 0 to 1.
    #[serde(default)]
    pub potential: f64,
    /// Class by growth potential (SC-7); `None` before the first weekly computation.
    #[serde(default)]
    pub tier: Option<Tier>,
}

/// Health as it stood at the end of a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastHealth {
    /// The day.
    pub day: Date,
    /// 0 to 100.
    pub value: i32,
    /// Points by part.
    pub points: BTreeMap<String, i32>,
}

impl Score {
    /// -1 falling, 0 steady or unknown, 1 rising. A rising health ranks above a falling one, however high (SC-3).
    pub fn trend(&self) -> i32 {
        self.health_change.map_or(0, i32::signum)
    }

    /// True when anything but the time of the computation differs.
    pub fn differs_from(&self, other: &Self) -> bool {
        let same_time = Self {
            as_of: other.as_of,
            scored_at: other.scored_at,
            ..self.clone()
        };
        same_time != *other
    }

    /// What the history keeps of this score.
    pub fn to_past(&self) -> PastHealth {
        let points = self
            .health
            .parts
            .iter()
            .map(|part| (part.name.clone(), part.points))
            .collect();
        PastHealth {
            day: self.as_of,
            value: self.health.value,
            points,
        }
    }

    /// The same score, set beside the health of a week before.
    #[must_use]
    pub fn compared_with(mut self, past: Option<&PastHealth>) -> Self {
        self.health_change = past.map(|past| self.health.value - past.value);
        for part in &mut self.health.parts {
            part.previous_points = past.and_then(|past| past.points.get(&part.name).copied());
        }
        self
    }
}
