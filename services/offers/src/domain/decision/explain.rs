//! A decision with everything that led to it (C-16). It is stored as JSON and shown to people.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use upswell_runtime::money::Money;
use uuid::Uuid;

use super::slot::Slot;
use crate::domain::{
    offer::{Message, Terms},
    vocabulary::{Channel, Motion, Owner, TouchClass},
};

/// What was weighed in one slot of one account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// The account.
    pub account_id: String,
    /// The slot.
    pub slot: Slot,
    /// Every candidate, the best first.
    pub candidates: Vec<Candidate>,
    /// Version of catalogue and playbooks.
    pub policy_version: String,
    /// Version of the limits.
    pub caps_version: String,
    /// What computed churn risk and propensity; empty without a score.
    pub model_version: String,
    /// When the first of those that could not go now may go; none when that is unknown or nothing may.
    pub earliest: Option<Timestamp>,
}

impl Decision {
    /// The candidate that won; none when nothing may go.
    pub fn winner(&self) -> Option<&Candidate> {
        self.candidates
            .iter()
            .find(|candidate| candidate.outcome == Outcome::Won)
    }

    /// What to send; none when nothing may go.
    pub fn draft(&self) -> Option<&Draft> {
        self.winner().and_then(|candidate| candidate.draft.as_ref())
    }
}

/// One possible offer: a playbook applied to the signals of one subject.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// Key of its playbook.
    pub playbook: String,
    /// Kind of expansion or help.
    pub motion: Motion,
    /// The signals' subject.
    pub subject: String,
    /// Class of its touch.
    pub class: TouchClass,
    /// It asks for money although its class is renewal (C-1).
    pub proposes_expansion: bool,
    /// Who would drive it (M-3).
    pub owner: Owner,
    /// The signals behind it, the most pressing first.
    pub signal_ids: Vec<String>,
    /// When the newest of them opened.
    pub signal_at: Timestamp,
    /// The deferred offer that it continues; none when it is new (C-9).
    pub continues: Option<Uuid>,
    /// What its expected value is made of.
    pub factors: Factors,
    /// Expected value a month; none without a price (M-1).
    pub expected_value: Option<Money>,
    /// Every gate's verdict, in the order of checking.
    pub gates: Vec<GateVerdict>,
    /// How it ended.
    pub outcome: Outcome,
    /// The offer ready to go; none when it could not be put together (see the gates).
    pub draft: Option<Draft>,
}

/// An offer that only has to be sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Draft {
    /// The person it is addressed to; none for a task about the account.
    pub contact_id: Option<String>,
    /// Where the person is reached; none for a task.
    pub address: Option<String>,
    /// How it is delivered.
    pub channel: Channel,
    /// Who drives it (M-3).
    pub owner: Owner,
    /// The words (T-1).
    pub message: Message,
    /// What changes; none without a price (M-5).
    pub terms: Option<Terms>,
    /// Days that it stays open for an answer once sent (SG-R3).
    pub validity_days: i64,
    /// Its signals are used up when it is sent (SG-R3).
    pub consumes_signals: bool,
    /// Why a person must approve it; empty when nobody has to (C-14, SG-3).
    pub approval_reasons: Vec<String>,
    /// The account's arm of the playbook's test; none without a test (T-7).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// When that arm's messages leave today; none means at once (T-7).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub send_at: Option<Timestamp>,
}

impl Draft {
    /// Whether it has to wait for a person.
    pub fn needs_approval(&self) -> bool {
        !self.approval_reasons.is_empty()
    }
}

/// The parts of an expected value (M-1). The numbers behind them: [`super::rank`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Factors {
    /// Probability of acceptance, 0 to 1.
    pub acceptance: f64,
    /// Monthly revenue gained; none without a price.
    pub monthly: Option<Money>,
    /// Churn risk, 0 to 1; 0 without a score.
    pub churn_risk: f64,
    /// About 1; up when it presses.
    pub urgency: f64,
    /// At most 1; down with every touch of the last month.
    pub fatigue: f64,
}

/// How a candidate ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It goes out.
    Won,
    /// Not now: it competes again from this time on, or at the next slot when no time is known (C-9).
    Deferred(Option<Timestamp>),
    /// Not while things stand as they do.
    Blocked,
}

/// What one gate said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateVerdict {
    /// Name of the gate, e.g. `problem_first`.
    pub gate: Cow<'static, str>,
    /// The rule behind it, e.g. `SC-9`.
    pub rule_id: Cow<'static, str>,
    /// What it said.
    pub verdict: Verdict,
    /// Why, for a person; may be empty for a pass.
    pub detail: String,
    /// When it would pass; none when unknown.
    pub earliest: Option<Timestamp>,
}

/// Verdicts of a gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing against it.
    Pass,
    /// Not now; it competes again.
    Defer,
    /// Not at all while this stands.
    Block,
}

impl GateVerdict {
    /// Nothing against it.
    pub fn pass(gate: &'static str, rule_id: &'static str, detail: impl Into<String>) -> Self {
        Self::new(gate, rule_id, Verdict::Pass, detail.into(), None)
    }

    /// Not before `earliest`.
    pub fn defer(
        gate: &'static str,
        rule_id: &'static str,
        detail: impl Into<String>,
        earliest: Option<Timestamp>,
    ) -> Self {
        Self::new(gate, rule_id, Verdict::Defer, detail.into(), earliest)
    }

    /// Not while this stands, which may end at `earliest`.
    pub fn block(
        gate: &'static str,
        rule_id: &'static str,
        detail: impl Into<String>,
        earliest: Option<Timestamp>,
    ) -> Self {
        Self::new(gate, rule_id, Verdict::Block, detail.into(), earliest)
    }

    fn new(
        gate: &'static str,
        rule_id: &'static str,
        verdict: Verdict,
        detail: String,
        earliest: Option<Timestamp>,
    ) -> Self {
        Self {
            gate: Cow::Borrowed(gate),
            rule_id: Cow::Borrowed(rule_id),
            verdict,
            detail,
            earliest,
        }
    }
}
