//! How far a playbook is rolled out (C-13): shadow → a few friendly accounts → a pilot → a share → all. Each stage is
//! reviewed on day 14.

use std::collections::BTreeSet;

use jiff::{SignedDuration, civil::Date};
use upswell_runtime::ids;

use crate::domain::vocabulary::words;

words! {
    /// A stage of a roll-out.
    Stage, "stage" {
        /// Decides, and sends nothing.
        Shadow = "shadow",
        /// Three to five friendly accounts, for a week.
        Friendly = "friendly",
        /// Ten to fifteen accounts.
        Pilot = "pilot",
        /// A share of the accounts.
        Percentage = "percentage",
        /// Everybody.
        All = "all",
    }
}

/// Days after which a stage is reviewed.
const REVIEW_DAYS: i64 = 14;

/// Where a playbook stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rollout {
    /// The stage.
    pub stage: Stage,
    /// Who gets it, for friendly accounts and a pilot.
    pub accounts: BTreeSet<String>,
    /// Who gets it, in hundredths, for a share.
    pub percent: u8,
    /// Since when it stands there; none when nobody said.
    pub since: Option<Date>,
}

impl Default for Rollout {
    fn default() -> Self {
        Self {
            stage: Stage::All,
            accounts: BTreeSet::new(),
            percent: 0,
            since: None,
        }
    }
}

impl Stage {
    /// How many accounts the stage has, if it names them.
    pub const fn accounts(self) -> Option<(usize, usize)> {
        match self {
            Self::Friendly => Some((3, 5)),
            Self::Pilot => Some((10, 15)),
            _ => None,
        }
    }
}

impl Rollout {
    /// Whether an account is within the stage. A greater share has everybody in it whom a smaller one had.
    pub fn admits(&self, playbook: &str, account_id: &str) -> bool {
        match self.stage {
            Stage::Shadow => false,
            Stage::Friendly | Stage::Pilot => self.accounts.contains(account_id),
            Stage::Percentage => place(playbook, account_id) < u128::from(self.percent),
            Stage::All => true,
        }
    }

    /// The day on which the stage is to be reviewed; none for a playbook that is rolled out.
    pub fn review_on(&self) -> Option<Date> {
        let since = self.since.filter(|_| self.stage != Stage::All)?;
        Some(since.saturating_add(SignedDuration::from_hours(24 * REVIEW_DAYS)))
    }
}

/// 0 to 99, the same for ever, and of another order for every playbook.
fn place(playbook: &str, account_id: &str) -> u128 {
    ids::derive("rollout", &[playbook, account_id]).as_u128() % 100
}
