//! A human's judgement beside the computed score (SC-11): a dated fact with author, reason and expiry. It never changes
//! what was computed, and a later one does not erase it.

use jiff::Timestamp;
use uuid::Uuid;

use super::stage::Tier;

/// What a person may judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// Health, 0 to 100.
    Health,
    /// Risk of churn, 0 to 1.
    ChurnRisk,
    /// Propensity to expand, 0 to 1.
    ExpansionPropensity,
    /// Fit to the ideal customer, 0 to 100.
    IcpFit,
    /// Class by growth potential: 1 is A, 2 is B, 3 is C.
    Tier,
}

impl Subject {
    /// Every subject.
    pub const ALL: [Self; 5] = [
        Self::Health,
        Self::ChurnRisk,
        Self::ExpansionPropensity,
        Self::IcpFit,
        Self::Tier,
    ];

    /// The name under which it is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Health => "health",
            Self::ChurnRisk => "churn_risk",
            Self::ExpansionPropensity => "expansion_propensity",
            Self::IcpFit => "icp_fit",
            Self::Tier => "tier",
        }
    }

    /// The subject of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|subject| subject.as_str() == name)
    }

    /// What is wrong with `value`; `None` when it fits.
    pub fn fault(self, value: f64) -> Option<&'static str> {
        let (range, whole, text) = match self {
            Self::Health | Self::IcpFit => (0.0..=100.0, true, "must be a whole number from 0 to 100"),
            Self::ChurnRisk | Self::ExpansionPropensity => (0.0..=1.0, false, "must be a number from 0 to 1"),
            Self::Tier => (1.0..=3.0, true, "must be 1 for A, 2 for B or 3 for C"),
        };
        (!range.contains(&value) || (whole && value.fract() != 0.0)).then_some(text)
    }
}

/// A human's judgement.
#[derive(Clone, Debug, PartialEq)]
pub struct Override {
    /// Derived from the request that made it.
    pub id: Uuid,
    /// The account.
    pub account_id: String,
    /// What is judged.
    pub subject: Subject,
    /// The judgement.
    pub value: f64,
    /// What was computed when it was made; `None` before the first score.
    pub computed: Option<f64>,
    /// Who judged.
    pub author: String,
    /// Why.
    pub reason: String,
    /// When.
    pub made_at: Timestamp,
    /// When it no longer stands.
    pub expires_at: Timestamp,
    /// When a later judgement took its place, or somebody took it back.
    pub ended_at: Option<Timestamp>,
}

impl Override {
    /// True while it stands.
    pub fn stands_at(&self, now: Timestamp) -> bool {
        self.made_at <= now && now < self.expires_at && self.ended_at.is_none_or(|ended| now < ended)
    }
}

/// The number of a class, as judgements write it.
pub fn tier_number(tier: Tier) -> f64 {
    match tier {
        Tier::A => 1.0,
        Tier::B => 2.0,
        Tier::C => 3.0,
    }
}
