//! A signal: a typed, dated observation "why now" with its evidence (SG-R1).

use std::{fmt, str::FromStr};

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{facts::What, series::Window};

/// The kinds of signals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// SG-1.
    SpendGrowth,
    /// SG-2.
    VolumeGrowth,
    /// SG-3.
    UsageDrop,
    /// SG-4.
    WeakAdoption,
    /// SG-5.
    TicketCluster,
    /// SG-6.
    RenewalClock,
    /// SG-7.
    LimitApproach,
    /// SG-8.
    SeatsShort,
    /// SG-9.
    TariffSaturation,
    /// SG-10.
    FeatureEmbrace,
    /// SG-11.
    Interest,
    /// SG-12.
    ValueReached,
    /// SG-13.
    PowerUsers,
    /// SG-14.
    WorkflowFriction,
    /// SG-15.
    Initiative,
    /// SG-16.
    CompanyGrowth,
    /// SG-17.
    TrialEnding,
    /// SG-18.
    Promoter,
    /// SG-19.
    ProofRequest,
    /// SG-20.
    BudgetMoment,
    /// SG-21.
    CsmRaised,
    /// SG-22.
    DowngradeAttempt,
    /// SG-23.
    HeavyTrialUse,
    /// SG-24.
    Lifecycle,
}

/// Where a signal is in its life (SG-R3); see [`super::lifecycle`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Its condition holds and no offer took it up.
    Open,
    /// An offer took it up.
    Consumed,
    /// Its condition ceased to hold.
    Expired,
    /// Its facts were corrected so that it never held.
    Withdrawn,
}

/// How pressing a signal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grade {
    /// Can wait.
    Low,
    /// The ordinary case.
    Normal,
    /// Soon.
    High,
    /// Already over the limit.
    Exceeded,
}

/// A name that is none of the expected ones.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown {what} \"{name}\"")]
pub struct UnknownName {
    what: &'static str,
    name: String,
}

macro_rules! names {
    ($type:ident, $what:literal, $($variant:ident => $name:literal),+) => {
        impl $type {
            /// Every value.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The name under which it is stored.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl FromStr for $type {
            type Err = UnknownName;

            fn from_str(name: &str) -> Result<Self, UnknownName> {
                let unknown = || UnknownName { what: $what, name: name.to_owned() };
                Self::ALL.iter().find(|value| value.as_str() == name).copied().ok_or_else(unknown)
            }
        }
    };
}

names!(Kind, "signal kind",
    SpendGrowth => "spend_growth", VolumeGrowth => "volume_growth", UsageDrop => "usage_drop",
    WeakAdoption => "weak_adoption", TicketCluster => "ticket_cluster", RenewalClock => "renewal_clock",
    LimitApproach => "limit_approach", SeatsShort => "seats_short", TariffSaturation => "tariff_saturation",
    FeatureEmbrace => "feature_embrace", Interest => "interest", ValueReached => "value_reached",
    PowerUsers => "power_users", WorkflowFriction => "workflow_friction", Initiative => "initiative",
    CompanyGrowth => "company_growth", TrialEnding => "trial_ending", Promoter => "promoter",
    ProofRequest => "proof_request", BudgetMoment => "budget_moment", CsmRaised => "csm_raised",
    DowngradeAttempt => "downgrade_attempt", HeavyTrialUse => "heavy_trial_use", Lifecycle => "lifecycle");
names!(State, "signal state",
    Open => "open", Consumed => "consumed", Expired => "expired", Withdrawn => "withdrawn");
names!(Grade, "grade", Low => "low", Normal => "normal", High => "high", Exceeded => "exceeded");

impl Grade {
    /// The next more pressing grade short of `Exceeded`, which is a fact and no degree.
    pub fn up(self) -> Self {
        match self {
            Self::Low => Self::Normal,
            Self::Normal | Self::High => Self::High,
            Self::Exceeded => Self::Exceeded,
        }
    }
}

/// One figure behind a signal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// Name by which message templates ask for it.
    pub name: String,
    /// The figure.
    pub value: f64,
    /// Unit, e.g. `%`, `d`, `tickets`, a currency.
    pub unit: String,
    /// What it was compared with.
    pub baseline: Option<f64>,
    /// First day of its window.
    pub first_day: Date,
    /// Last day of its window.
    pub last_day: Date,
    /// The series or object whose facts these are, e.g. `usage/shipments`.
    pub facts: String,
}

impl Evidence {
    /// A figure over `window` without a baseline.
    pub fn new(name: &str, value: f64, unit: &str, window: Window, facts: &str) -> Self {
        Self {
            name: name.to_owned(),
            value,
            unit: unit.to_owned(),
            baseline: None,
            first_day: window.first,
            last_day: window.last,
            facts: facts.to_owned(),
        }
    }

    /// The same figure, compared with `baseline`.
    #[must_use]
    pub fn against(self, baseline: f64) -> Self {
        Self {
            baseline: Some(baseline),
            ..self
        }
    }
}

/// A condition that holds, as it was seen.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// How pressing.
    pub grade: Grade,
    /// How strong, 0 to 1.
    pub strength: f64,
    /// The figures behind it; never empty.
    pub evidence: Vec<Evidence>,
    /// The person of ours who raised it (SG-21); `None` when the facts alone speak.
    pub raised_by: Option<String>,
}

impl Observation {
    /// What the facts alone say.
    pub fn new(grade: Grade, strength: f64, evidence: Vec<Evidence>) -> Self {
        Self {
            grade,
            strength,
            evidence,
            raised_by: None,
        }
    }
}

/// What a look at the facts says about one condition. A condition that nobody mentions does not hold.
#[derive(Clone, Debug, PartialEq)]
pub enum Sighting {
    /// It holds.
    Holds(Observation),
    /// The facts do not suffice to tell.
    Unknown,
}

/// One open signal is allowed per key (SG-R2).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The kind.
    pub kind: Kind,
    /// A metric, topic, feature, mark …
    pub subject: String,
}

impl Key {
    /// The key of `kind` about `subject`.
    pub fn new(kind: Kind, subject: impl Into<String>) -> Self {
        Self {
            kind,
            subject: subject.into(),
        }
    }
}

/// One episode of a condition.
#[derive(Clone, Debug, PartialEq)]
pub struct Signal {
    /// Derived from account, key and episode.
    pub id: Uuid,
    /// The account.
    pub account_id: String,
    /// Kind and subject.
    pub key: Key,
    /// 1 for the first time the condition held, 2 for the second …
    pub episode: i32,
    /// Where it is in its life.
    pub state: State,
    /// How pressing.
    pub grade: Grade,
    /// How strong, 0 to 1.
    pub strength: f64,
    /// The figures behind it.
    pub evidence: Vec<Evidence>,
    /// When it opened.
    pub opened_at: Timestamp,
    /// When its condition was last seen to hold.
    pub last_seen_at: Timestamp,
    /// When it left the state open.
    pub closed_at: Option<Timestamp>,
    /// The offer that consumed it.
    pub offer_id: Option<String>,
    /// The first day of the present run of days on which a consumed signal's condition was false.
    pub quiet_since: Option<Date>,
    /// The strength that others were told last.
    pub told_strength: f64,
    /// The person of ours who raised it (SG-21).
    pub raised_by: Option<String>,
}

/// A person of ours raised a signal (SG-21).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raised {
    /// Derived from the request.
    pub id: Uuid,
    /// The account.
    pub account_id: String,
    /// What was seen.
    pub what: What,
    /// What it is about; empty when unknown.
    pub subject: String,
    /// Who saw it.
    pub author: String,
    /// In words.
    pub note: String,
    /// When.
    pub raised_at: Timestamp,
}
