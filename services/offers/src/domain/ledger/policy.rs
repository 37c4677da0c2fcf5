//! The limits as configuration (C-11): a number, 0 for "nothing at all", or `"unlimited"`.

use std::{fmt, str::FromStr};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use upswell_runtime::{ids, problem::Violations};

use super::AccountCalendar;

/// How many touches a limit allows. Zero and unlimited are different values; unset takes the default (C-11).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cap {
    /// At most so many; 0 allows nothing.
    AtMost(u32),
    /// The rule is switched off.
    Unlimited,
}

/// At most `max` touches in any half-open window of this length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowCap {
    /// How many.
    pub max: Cap,
    /// How long, longer than zero.
    pub window: SignedDuration,
}

/// The limits in force, with the version that every grant records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapPolicy {
    /// Names these limits: equal limits have equal versions.
    pub version: String,
    /// C-1: commercial touches, renewal messages that propose expansion included.
    pub commercial: WindowCap,
    /// C-2: touches of any class but contractual, from 60 to 30 days before a renewal.
    pub zone60: WindowCap,
    /// C-3: touches of any class but contractual in the last 30 days before a renewal, as a whole.
    pub zone30: Cap,
    /// C-19: educational touches.
    pub educational: WindowCap,
    /// How long after its planned time a reservation frees itself when nobody began to send.
    pub reservation_ttl: SignedDuration,
    /// How long before its planned time a touch may begin to be sent.
    pub early_tolerance: SignedDuration,
}

/// The section `[caps]` of the settings.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CapSettings {
    /// C-1: commercial touches in any window.
    pub commercial_max: Cap,
    /// C-1: length of the window in hours.
    pub commercial_window_hours: u32,
    /// C-2: touches in any window of the zone from 60 to 30 days before a renewal.
    pub zone60_max: Cap,
    /// C-2: length of the window in hours.
    pub zone60_window_hours: u32,
    /// C-3: touches in the last 30 days before a renewal.
    pub zone30_max: Cap,
    /// C-19: educational touches in any window.
    pub educational_max: Cap,
    /// C-19: length of the window in days of 24 hours.
    pub educational_window_days: u32,
    /// Life of an unused reservation after its planned time, in hours.
    pub reservation_ttl_hours: u32,
    /// How early sending may begin, in minutes.
    pub early_tolerance_minutes: u32,
}

/// No window and no reservation is longer than this, in hours.
const HOURS_MAX: u32 = 24 * 366;

impl CapSettings {
    /// Reports windows and lives that are zero or longer than a year.
    pub fn validate(&self, violations: &mut Violations) {
        for (field, hours) in [
            ("commercial_window_hours", self.commercial_window_hours),
            ("zone60_window_hours", self.zone60_window_hours),
            (
                "educational_window_days",
                self.educational_window_days.saturating_mul(24),
            ),
            ("reservation_ttl_hours", self.reservation_ttl_hours),
        ] {
            if !(1..=HOURS_MAX).contains(&hours) {
                violations.add(field, "must be longer than zero and at most 366 days");
            }
        }
        if self.early_tolerance_minutes > 24 * 60 {
            violations.add("early_tolerance_minutes", "must be at most 1440");
        }
    }

    /// The limits that these settings describe.
    pub fn policy(&self) -> CapPolicy {
        let hours = |hours: u32| SignedDuration::from_hours(i64::from(hours));
        let text = serde_json::to_string(self).unwrap_or_default();
        let digest = ids::derive("caps", &[&text]).simple().to_string();
        CapPolicy {
            version: format!("caps-{}", &digest[..16]),
            commercial: WindowCap {
                max: self.commercial_max,
                window: hours(self.commercial_window_hours),
            },
            zone60: WindowCap {
                max: self.zone60_max,
                window: hours(self.zone60_window_hours),
            },
            zone30: self.zone30_max,
            educational: WindowCap {
                max: self.educational_max,
                window: hours(self.educational_window_days * 24),
            },
            reservation_ttl: hours(self.reservation_ttl_hours),
            early_tolerance: SignedDuration::from_mins(i64::from(self.early_tolerance_minutes)),
        }
    }
}

impl CapPolicy {
    /// Touches before this instant cannot matter to one at or after `at`, nor to a reservation that stands then.
    pub fn since(&self, calendar: &AccountCalendar, at: Timestamp) -> Timestamp {
        let longest = self
            .commercial
            .window
            .max(self.zone60.window)
            .max(self.educational.window);
        let reach = longest.saturating_add(self.reservation_ttl);
        let reached = at.saturating_sub(reach).unwrap_or(Timestamp::MIN);
        calendar.zones_start().map_or(reached, |start| start.min(reached))
    }
}

impl Default for CapSettings {
    /// The limits as domain rules C-1…C-3 and C-19 state them.
    fn default() -> Self {
        Self {
            commercial_max: Cap::AtMost(1),
            commercial_window_hours: 168,
            zone60_max: Cap::AtMost(2),
            zone60_window_hours: 168,
            zone30_max: Cap::AtMost(1),
            educational_max: Cap::AtMost(1),
            educational_window_days: 14,
            reservation_ttl_hours: 24,
            early_tolerance_minutes: 5,
        }
    }
}

impl Default for CapPolicy {
    fn default() -> Self {
        CapSettings::default().policy()
    }
}

impl fmt::Display for Cap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtMost(max) => write!(f, "{max}"),
            Self::Unlimited => f.write_str("unlimited"),
        }
    }
}

impl FromStr for Cap {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "unlimited" => Ok(Self::Unlimited),
            number => number
                .parse()
                .map(Self::AtMost)
                .map_err(|_| format!("`{number}` is no limit: write a number, 0 for nothing at all, or `unlimited`")),
        }
    }
}

impl Serialize for Cap {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Cap {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Number(u32),
            Word(String),
        }
        match Written::deserialize(deserializer)? {
            Written::Number(max) => Ok(Self::AtMost(max)),
            Written::Word(word) => word.parse().map_err(D::Error::custom),
        }
    }
}
