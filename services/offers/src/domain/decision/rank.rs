//! The order in which candidates are tried (M-1): by expected value a month,
//!
//! ```text
//! acceptance × monthly revenue gained × (1 − churn risk) × urgency × fatigue
//! ```
//!
//! where acceptance is the middle of the motion's band of §5, moved by outcomes ([`crate::domain::conversion`]), churn risk comes from
//! scoring, urgency from the grade of the most pressing signal and from rising health (SC-3), and fatigue from the
//! touches of the last month. All of them are numbers of the policy.
//!
//! What belongs to a renewal goes first, because its day does not wait; then what brings money; then help, which has
//! its turn whenever nothing that brings money may go. The order is total, so it does not depend on the order of input.

use std::cmp::Ordering;

use jiff::SignedDuration;
use upswell_runtime::money::Money;

use super::{AccountPicture, Candidate, Factors, SignalView, slot::Slot};
use crate::domain::{
    policy::DecisionRules,
    vocabulary::{Motion, TouchClass, TouchState},
};

impl Factors {
    /// What the expected value of `motion` is made of.
    pub(super) fn weigh(
        picture: &AccountPicture,
        rules: &DecisionRules,
        slot: Slot,
        motion: Motion,
        monthly: Option<Money>,
        signals: &[&SignalView],
    ) -> Self {
        let band = rules.conversion.get(&motion).copied().unwrap_or_default();
        let learned = picture.programme.learned.get(&motion).copied().unwrap_or_default();
        let grade = signals.iter().map(|signal| signal.grade).max();
        let pressing = grade
            .and_then(|grade| rules.urgency.get(&grade).copied())
            .unwrap_or(1.0);
        let score = picture.score.as_ref();
        let rising = score
            .and_then(|score| score.health_change)
            .is_some_and(|change| change > 0);
        let since = slot
            .at
            .saturating_sub(SignedDuration::from_hours(24 * rules.fatigue_days))
            .unwrap_or(slot.at);
        let made = |state| {
            matches!(
                state,
                TouchState::Confirmed | TouchState::Observed | TouchState::Sending
            )
        };
        let touches = picture
            .ledger_rows
            .iter()
            .filter(|row| made(row.state) && row.class != TouchClass::Contractual);
        let touches = touches.filter(|row| row.at > since && row.at <= slot.at).count();
        Self {
            acceptance: learned.acceptance(band, rules.conversion_weight),
            monthly,
            churn_risk: score.map_or(0.0, |score| score.churn_risk.clamp(0.0, 1.0)),
            urgency: if rising {
                pressing * rules.rising_health_factor
            } else {
                pressing
            },
            fatigue: rules.fatigue_factor.powi(i32::try_from(touches).unwrap_or(i32::MAX)),
        }
    }

    /// The product of all of them, in whole minor units; none without a price.
    pub fn expected_value(&self) -> Option<Money> {
        let monthly = self.monthly?;
        #[expect(clippy::cast_precision_loss, reason = "an estimate: nobody is ever asked to pay it")]
        let value = self.acceptance * monthly.minor as f64 * (1.0 - self.churn_risk) * self.urgency * self.fatigue;
        #[expect(clippy::cast_possible_truncation, reason = "a cast from a float saturates")]
        Some(Money::new(value.round() as i64, monthly.currency))
    }
}

/// The better candidate is less.
pub(super) fn order(a: &Candidate, b: &Candidate) -> Ordering {
    let value = |candidate: &Candidate| candidate.expected_value.map_or(i64::MIN, |value| value.minor);
    let press = |candidate: &Candidate| candidate.factors.urgency * candidate.factors.fatigue;
    turn(a)
        .cmp(&turn(b))
        .then_with(|| value(b).cmp(&value(a)))
        .then_with(|| press(b).total_cmp(&press(a)))
        .then_with(|| a.playbook.cmp(&b.playbook))
        .then_with(|| a.subject.cmp(&b.subject))
}

fn turn(candidate: &Candidate) -> u8 {
    match candidate.class {
        TouchClass::Renewal | TouchClass::Contractual => 0,
        TouchClass::Commercial => 1,
        TouchClass::Educational => 2,
    }
}
