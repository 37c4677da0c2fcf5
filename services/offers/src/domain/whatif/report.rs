//! What came of history under other rules, counted.

use std::collections::BTreeMap;

use jiff::Timestamp;
use upswell_runtime::money::{Currency, Money};

use super::key;
use crate::domain::decision::{Candidate, Decision, Outcome, Verdict};

/// Changes that are told one by one.
const CHANGES: usize = 100;

/// As it was, and as it would have been.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pair<T> {
    /// As it was.
    pub was: T,
    /// As it would have been.
    pub would: T,
}

/// What came of the candidates of a playbook.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Count {
    /// Went out.
    pub sent: u64,
    /// Of these had to be approved by a person.
    pub approvals: u64,
    /// Times that one had to wait.
    pub deferred: u64,
    /// Times that one was blocked.
    pub blocked: u64,
    /// Monthly revenue expected of what went out: acceptance × what it brings, minor units by currency.
    pub expected: BTreeMap<Currency, i64>,
}

/// A decision that would have ended otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The account.
    pub account_id: String,
    /// The slot.
    pub at: Timestamp,
    /// What went out: playbook and subject; none for nothing.
    pub was: Option<String>,
    /// What would have gone out.
    pub would: Option<String>,
    /// Why, for a person.
    pub why: String,
}

/// All of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Decisions that were made again.
    pub decisions: u64,
    /// By playbook.
    pub playbooks: BTreeMap<String, Pair<Count>>,
    /// How often each rule made a candidate wait, or blocked it.
    pub rules: BTreeMap<String, Pair<u64>>,
    /// Decisions that would have ended otherwise.
    pub changed: u64,
    /// The first of them.
    pub changes: Vec<Change>,
}

impl Report {
    /// One slot: what was decided in it, if history had it, and what would have been decided.
    pub fn add(&mut self, was: Option<&Decision>, would: &Decision) {
        self.decisions += 1;
        for candidate in was.into_iter().flat_map(|was| &was.candidates) {
            self.playbooks
                .entry(candidate.playbook.clone())
                .or_default()
                .was
                .add(candidate);
            for rule in stopping(candidate) {
                self.rules.entry(rule).or_default().was += 1;
            }
        }
        for candidate in &would.candidates {
            self.playbooks
                .entry(candidate.playbook.clone())
                .or_default()
                .would
                .add(candidate);
            for rule in stopping(candidate) {
                self.rules.entry(rule).or_default().would += 1;
            }
        }
        let (won, wins) = (was.and_then(Decision::winner), would.winner());
        if key(won) == key(wins) {
            return;
        }
        self.changed += 1;
        if self.changes.len() < CHANGES {
            self.changes.push(Change {
                account_id: would.account_id.clone(),
                at: would.slot.at,
                was: won.map(named),
                would: wins.map(named),
                why: why(was, would),
            });
        }
    }
}

impl Count {
    fn add(&mut self, candidate: &Candidate) {
        match candidate.outcome {
            Outcome::Deferred(_) => self.deferred += 1,
            Outcome::Blocked => self.blocked += 1,
            Outcome::Won => {
                self.sent += 1;
                let asks = candidate.draft.as_ref().is_some_and(|draft| draft.needs_approval());
                self.approvals += u64::from(asks);
                if let Some(Money { minor, currency }) = expected(candidate) {
                    let sum = self.expected.entry(currency).or_default();
                    *sum = sum.saturating_add(minor);
                }
            }
        }
    }
}

/// Acceptance × what it brings a month; urgency and fatigue rank, and bring nothing.
fn expected(candidate: &Candidate) -> Option<Money> {
    let monthly = candidate.factors.monthly?;
    #[expect(clippy::cast_precision_loss, reason = "an estimate: nobody is ever asked to pay it")]
    let value = candidate.factors.acceptance * monthly.minor as f64;
    #[expect(clippy::cast_possible_truncation, reason = "a cast from a float saturates")]
    Some(Money::new(value.round() as i64, monthly.currency))
}

/// The rules against a candidate, each once.
fn stopping(candidate: &Candidate) -> Vec<String> {
    let against = candidate.gates.iter().filter(|gate| gate.verdict != Verdict::Pass);
    let mut rules: Vec<String> = against.map(|gate| gate.rule_id.to_string()).collect();
    rules.sort_unstable();
    rules.dedup();
    rules
}

fn named(candidate: &Candidate) -> String {
    format!("{} ({})", candidate.playbook, candidate.subject)
}

/// Why what went out would have stayed, or why what would have gone out stayed.
fn why(was: Option<&Decision>, would: &Decision) -> String {
    let Some(was) = was else {
        return "it had to wait until this slot".to_owned();
    };
    match (was.winner(), would.winner()) {
        (Some(won), _) => against(would, won),
        (None, Some(wins)) => against(was, wins),
        (None, None) => String::new(),
    }
}

/// What a decision had against the candidate that is `other` in the other decision.
fn against(decision: &Decision, other: &Candidate) -> String {
    let Some(found) = decision
        .candidates
        .iter()
        .find(|one| key(Some(*one)) == key(Some(other)))
    else {
        return "nothing leads to it".to_owned();
    };
    let gate = found.gates.iter().find(|gate| gate.verdict != Verdict::Pass);
    gate.map_or_else(String::new, |gate| format!("{}: {}", gate.rule_id, gate.detail))
}
