//! Discounts, and who may grant them (M-4, M-5). What the catalogue promises to everybody (volume, annual commitment) nobody
//! has to grant; what a playbook or a person takes off on top is granted by whoever has the authority for so much.

use super::vocabulary::words;

/// All of a price, in hundredths of a percent.
pub const WHOLE: i32 = 10_000;

words! {
    /// Who may grant a discount, the least first.
    Grantor, "grantor" {
        /// Nobody has to look at it.
        Autopilot = "autopilot",
        /// The account's customer success manager, or who stands in.
        Csm = "csm",
        /// The lead.
        Lead = "lead",
    }
}

/// The most that each may take off, in hundredths of a percent of the list price; ascending. The default grants nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Authority {
    /// Without a person.
    pub autopilot: i32,
    /// The customer success manager.
    pub csm: i32,
    /// The lead.
    pub lead: i32,
}

/// What a playbook asks for besides the list price.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Deal {
    /// Taken off by grant, in hundredths of a percent.
    pub discount: i32,
    /// Paid for a year, at the discount of the catalogue for that.
    pub annual: bool,
    /// Free for so many days, then it ends by itself; 0 for a sale (M-6).
    pub trial_days: i64,
}

/// A volume discount: from so many units on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Units.
    pub from: i64,
    /// Hundredths of a percent.
    pub basis_points: i32,
}

impl Authority {
    /// The least who may grant so much; none when nobody may.
    pub fn grantor(&self, basis_points: i32) -> Option<Grantor> {
        let may = [
            (self.autopilot, Grantor::Autopilot),
            (self.csm, Grantor::Csm),
            (self.lead, Grantor::Lead),
        ];
        may.into_iter()
            .find(|(most, _)| basis_points <= *most)
            .map(|(_, who)| who)
    }
}

/// The volume discount for `quantity` units; 0 below the first step. `steps` ascend.
pub fn volume(steps: &[Step], quantity: i64) -> i32 {
    let reached = steps.iter().rev().find(|step| step.from <= quantity);
    reached.map_or(0, |step| step.basis_points)
}

/// `12.5%` of 1250.
pub fn percent(basis_points: i32) -> String {
    let (whole, rest) = (basis_points / 100, basis_points % 100);
    if rest == 0 {
        format!("{whole}%")
    } else {
        format!("{whole}.{rest:02}%").replace("0%", "%")
    }
}

#[cfg(test)]
mod tests {
    use super::{Authority, Grantor, Step, percent, volume};

    #[test]
    fn m5_the_least_who_may_grant_a_discount() {
        let authority = Authority {
            autopilot: 0,
            csm: 1_000,
            lead: 2_500,
        };
        for (basis_points, who) in [
            (0, Some(Grantor::Autopilot)),
            (1, Some(Grantor::Csm)),
            (1_000, Some(Grantor::Csm)),
            (1_001, Some(Grantor::Lead)),
            (2_500, Some(Grantor::Lead)),
            (2_501, None),
        ] {
            assert_eq!(authority.grantor(basis_points), who, "{basis_points}");
        }
        assert_eq!(Authority::default().grantor(1), None);
    }

    #[test]
    fn m4_volume_steps() {
        let steps = [
            Step {
                from: 10,
                basis_points: 500,
            },
            Step {
                from: 50,
                basis_points: 1_000,
            },
        ];
        for (quantity, expected) in [(1, 0), (9, 0), (10, 500), (49, 500), (50, 1_000), (1_000, 1_000)] {
            assert_eq!(volume(&steps, quantity), expected, "{quantity}");
        }
    }

    #[test]
    fn percents_for_people() {
        for (basis_points, text) in [(1_500, "15%"), (1_250, "12.5%"), (5, "0.05%"), (0, "0%")] {
            assert_eq!(percent(basis_points), text);
        }
    }
}
