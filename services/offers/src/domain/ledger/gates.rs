//! What closes an account to touches whatever the limits say: suppression and opt-out (C-10), holdout (C-12), holds
//! (C-17).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{AccountCalendar, judge::is_commercial};
use crate::domain::vocabulary::TouchClass;

/// The sender whose touches nobody asked for one by one; the holdout is about it.
pub const AUTOMATIC_SENDER: &str = "offers";

/// What the ledger must know of an account besides its touches.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// Time zone and renewals.
    pub calendar: AccountCalendar,
    /// The account is in the holdout.
    pub holdout: bool,
    /// The suppressions that stand.
    pub suppressed: Vec<Suppressed>,
    /// The holds that stand.
    pub holds: Vec<Hold>,
    /// The contact of the touch does not want this channel.
    pub opted_out: bool,
}

impl Standing {
    /// Of an account that nothing is closed for.
    pub fn of(calendar: AccountCalendar) -> Self {
        Self {
            calendar,
            holdout: false,
            suppressed: Vec::new(),
            holds: Vec::new(),
            opted_out: false,
        }
    }
}

/// A suppression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppressed {
    /// Why, for a person.
    pub reason: String,
    /// From when on it does not stand any more; `None` for never.
    pub until: Option<Timestamp>,
}

/// A time in which somebody wants the account left alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Why, for a person.
    pub reason: String,
    /// Its first instant.
    pub from: Timestamp,
    /// The first instant after it.
    pub until: Timestamp,
}

/// A reason against any touch of a kind, until an instant or for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gate {
    /// ID of its rule.
    pub rule: &'static str,
    /// What stands in the way, for a person.
    pub detail: String,
    /// When it closes; `None` for a gate that is closed already.
    pub from: Option<Timestamp>,
    /// When it opens by itself.
    pub until: Option<Timestamp>,
}

impl Gate {
    /// Whether it lets a touch at `at` pass.
    pub fn open(&self, at: Timestamp) -> bool {
        self.from.is_some_and(|from| at < from) || self.until.is_some_and(|until| at >= until)
    }
}

/// The gates before a touch of this kind by this sender. Contractual touches pass all of them (C-4); a commercial touch
/// of another sender to a held-out account passes and is contamination (C-12).
pub fn gates(standing: &Standing, class: TouchClass, proposes_expansion: bool, sender: &str) -> Vec<Gate> {
    if class == TouchClass::Contractual {
        return Vec::new();
    }
    let suppressed = standing.suppressed.iter().map(|suppressed| Gate {
        rule: "C-10",
        detail: format!("the account is suppressed: {}", suppressed.reason),
        from: None,
        until: suppressed.until,
    });
    let held = standing.holds.iter().map(|hold| Gate {
        rule: "HOLD",
        detail: format!("the account is on hold: {}", hold.reason),
        from: Some(hold.from),
        until: Some(hold.until),
    });
    let mut gates: Vec<Gate> = suppressed.chain(held).collect();
    if standing.opted_out {
        let detail = "the contact opted out of this channel".to_owned();
        gates.push(Gate {
            rule: "C-10",
            detail,
            from: None,
            until: None,
        });
    }
    if standing.holdout && sender == AUTOMATIC_SENDER && is_commercial(class, proposes_expansion) {
        let detail = "the account is in the holdout".to_owned();
        gates.push(Gate {
            rule: "C-12",
            detail,
            from: None,
            until: None,
        });
    }
    gates
}
