//! Whether one more touch may stand among those of an account, what stands against it, and when it may.
//!
//! The legal instants of a touch, the others given, change only at a few places: one window length after another touch
//! (before it begins one that is illegal), at the local midnights of the zones, and where a gate ends. Every stretch of
//! legal instants begins with its first instant, because windows are half-open. So the earliest legal time is exactly
//! one of these places, or the asked instant itself.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{AccountCalendar, Cap, CapPolicy, Gate, Zone, window::overfull};
use crate::domain::vocabulary::{TouchClass, TouchState};

/// How far ahead an earliest legal time is looked for.
pub const HORIZON: SignedDuration = SignedDuration::from_hours(365 * 24);

/// A touch as the rules see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// The touch.
    pub touch_id: Uuid,
    /// What it is about.
    pub class: TouchClass,
    /// A renewal message that proposes expansion.
    pub proposes_expansion: bool,
    /// When it was made, else when it is planned.
    pub at: Timestamp,
    /// Only counting states matter.
    pub state: TouchState,
}

/// A touch that somebody wants to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// What it is about.
    pub class: TouchClass,
    /// A renewal message that proposes expansion.
    pub proposes_expansion: bool,
    /// When.
    pub at: Timestamp,
}

/// One rule that stands against a proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocking {
    /// Its ID, e.g. `C-1`.
    pub rule: &'static str,
    /// What stands in the way, for a person.
    pub detail: String,
    /// The touches that use the place up, by id.
    pub touches: Vec<Uuid>,
    /// The earliest instant, not before the asked one, that this rule alone allows; `None` when none within a year.
    pub earliest: Option<Timestamp>,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Judgement {
    /// Every rule that stands against the proposal, by rule number.
    pub blocking: Vec<Blocking>,
    /// The earliest instant, not before the asked one, that all rules allow together; `None` when none within a year.
    pub earliest: Option<Timestamp>,
}

impl Judgement {
    /// True when nothing stands against the proposal.
    pub fn allowed(&self) -> bool {
        self.blocking.is_empty()
    }
}

/// Judges `proposal` against the counting touches of its account by C-1, C-2, C-3, C-7 and C-19; contractual ones are
/// exempt (C-4).
pub fn judge(policy: &CapPolicy, calendar: &AccountCalendar, rows: &[Row], proposal: &Proposal) -> Judgement {
    judge_behind(policy, calendar, rows, proposal, &[])
}

/// As [`judge`], with gates that are closed whatever the limits say (C-10, C-12).
pub fn judge_behind(
    policy: &CapPolicy,
    calendar: &AccountCalendar,
    rows: &[Row],
    proposal: &Proposal,
    gates: &[Gate],
) -> Judgement {
    let case = Case::new(policy, calendar, rows, proposal);
    let places = case.places(gates);
    let mut blocking: Vec<_> = Rule::ALL
        .into_iter()
        .filter_map(|rule| case.blocking(rule, &places))
        .collect();
    blocking.extend(
        gates
            .iter()
            .filter(|gate| !gate.open(proposal.at))
            .map(|gate| Blocking {
                rule: gate.rule,
                detail: gate.detail.clone(),
                touches: Vec::new(),
                earliest: places.iter().copied().find(|at| gate.open(*at)),
            }),
    );
    blocking.sort_by_key(|blocking| number(blocking.rule));
    let legal = |at: &Timestamp| gates.iter().all(|gate| gate.open(*at)) && case.legal(*at, &Rule::ALL);
    Judgement {
        earliest: places.iter().copied().find(legal),
        blocking,
    }
}

/// The rules about touches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    Commercial,
    Zone60,
    Zone30,
    Educational,
}

impl Rule {
    pub(super) const ALL: [Self; 4] = [Self::Commercial, Self::Zone60, Self::Zone30, Self::Educational];
    /// Those that depend on the renewal date.
    pub(super) const OF_RENEWAL: [Self; 2] = [Self::Zone60, Self::Zone30];

    pub(super) fn id(self) -> &'static str {
        match self {
            Self::Commercial => "C-1",
            Self::Zone60 => "C-2",
            Self::Zone30 => "C-3",
            Self::Educational => "C-19",
        }
    }

    /// Whether a touch of this kind in this zone is one that the rule counts.
    fn counts(self, class: TouchClass, proposes_expansion: bool, zone: Zone) -> bool {
        match self {
            Self::Commercial => is_commercial(class, proposes_expansion),
            Self::Zone60 => class != TouchClass::Contractual && zone == Zone::Sixty,
            Self::Zone30 => class != TouchClass::Contractual && zone == Zone::Thirty,
            Self::Educational => class == TouchClass::Educational,
        }
    }
}

/// C-1: a renewal message that proposes expansion is commercial too.
pub fn is_commercial(class: TouchClass, proposes_expansion: bool) -> bool {
    class == TouchClass::Commercial || (class == TouchClass::Renewal && proposes_expansion)
}

/// A proposal among the rows that can matter to it.
pub(super) struct Case<'a> {
    policy: &'a CapPolicy,
    calendar: &'a AccountCalendar,
    rows: Vec<(&'a Row, Zone)>,
    proposal: &'a Proposal,
}

impl<'a> Case<'a> {
    pub(super) fn new(
        policy: &'a CapPolicy,
        calendar: &'a AccountCalendar,
        rows: &'a [Row],
        proposal: &'a Proposal,
    ) -> Self {
        let counting = rows
            .iter()
            .filter(|row| row.state.counts() && row.class != TouchClass::Contractual);
        let rows = counting.map(|row| (row, calendar.zone(row.at))).collect();
        Self {
            policy,
            calendar,
            rows,
            proposal,
        }
    }

    /// Whether all of `rules` allow the proposal at `at`.
    pub(super) fn legal(&self, at: Timestamp, rules: &[Rule]) -> bool {
        rules.iter().all(|rule| self.against(*rule, at).is_none())
    }

    /// The touches that stand against the proposal at `at` by `rule`; `None` when it allows it.
    pub(super) fn against(&self, rule: Rule, at: Timestamp) -> Option<BTreeSet<Uuid>> {
        let Proposal {
            class,
            proposes_expansion,
            ..
        } = *self.proposal;
        if !rule.counts(class, proposes_expansion, self.calendar.zone(at)) {
            return None;
        }
        let counted = |(row, zone): &(&'a Row, Zone)| rule.counts(row.class, row.proposes_expansion, *zone);
        let members = self.rows.iter().filter(|row| counted(row)).map(|(row, _)| *row);
        match rule {
            Rule::Commercial => overfull(members, at, self.policy.commercial),
            Rule::Zone60 => overfull(members, at, self.policy.zone60),
            Rule::Educational => overfull(members, at, self.policy.educational),
            Rule::Zone30 => {
                let Cap::AtMost(max) = self.policy.zone30 else {
                    return None;
                };
                let inside: BTreeSet<Uuid> = members.map(|row| row.touch_id).collect();
                (inside.len() >= max as usize).then_some(inside)
            }
        }
    }

    /// The instants from the proposal's to the horizon at which a stretch of legal instants can begin.
    fn places(&self, gates: &[Gate]) -> BTreeSet<Timestamp> {
        let windows = [self.policy.commercial, self.policy.zone60, self.policy.educational].map(|cap| cap.window);
        let after = |at: Timestamp, by| at.saturating_add(by).unwrap_or(Timestamp::MAX);
        let mut places = self.calendar.boundaries();
        places.extend(
            self.rows
                .iter()
                .flat_map(|(row, _)| windows.map(|window| after(row.at, window))),
        );
        places.extend(gates.iter().filter_map(|gate| gate.until));
        places.insert(self.proposal.at);
        places.retain(|at| (self.proposal.at..=after(self.proposal.at, HORIZON)).contains(at));
        places
    }

    fn blocking(&self, rule: Rule, places: &BTreeSet<Timestamp>) -> Option<Blocking> {
        let touches = self.against(rule, self.proposal.at)?;
        Some(Blocking {
            rule: rule.id(),
            detail: self.detail(rule),
            touches: touches.into_iter().collect(),
            earliest: places.iter().copied().find(|at| self.against(rule, *at).is_none()),
        })
    }

    fn detail(&self, rule: Rule) -> String {
        let CapPolicy {
            commercial,
            zone60,
            zone30,
            educational,
            ..
        } = self.policy;
        let days = self.calendar.days_before_renewal(self.proposal.at).unwrap_or_default();
        match rule {
            Rule::Commercial => {
                format!(
                    "at most {} commercial in any {} hours",
                    commercial.max,
                    commercial.window.as_hours()
                )
            }
            Rule::Zone60 => format!(
                "{days} days before renewal: at most {} of any class but contractual in any {} hours",
                zone60.max,
                zone60.window.as_hours()
            ),
            Rule::Zone30 if days < 0 => {
                format!(
                    "{} days after an open renewal: at most {zone30} since 30 days before it",
                    -days
                )
            }
            Rule::Zone30 => format!("{days} days before renewal: at most {zone30} in the last 30 days"),
            Rule::Educational => {
                format!(
                    "at most {} educational in any {} days",
                    educational.max,
                    educational.window.as_hours() / 24
                )
            }
        }
    }
}

/// `C-19` comes after `C-2`.
fn number(rule: &str) -> u32 {
    rule.trim_start_matches("C-").parse().unwrap_or(u32::MAX)
}
