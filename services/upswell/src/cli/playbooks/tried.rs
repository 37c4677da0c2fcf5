//! What other rules would do.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use upswell_proto::offers::v1 as pb;
use upswell_runtime::money::{Currency, Money};

use crate::{
    cli::output::{Column, Row, View, card, cashes, left, part, right, time, wire_moneys},
    wire::instant,
};

/// The pages added up.
#[derive(Default, Serialize)]
pub(super) struct Tried {
    policy: String,
    accounts: i64,
    decisions: i64,
    changed: i64,
    playbooks: BTreeMap<String, Pair<Count>>,
    rules: BTreeMap<String, Pair<i64>>,
    changes: Vec<Change>,
}

#[derive(Clone, Default, Serialize)]
struct Pair<T> {
    was: T,
    would: T,
}

#[derive(Clone, Default, Serialize)]
struct Count {
    sent: i64,
    approvals: i64,
    deferred: i64,
    blocked: i64,
    expected_monthly: BTreeMap<Currency, i64>,
}

#[derive(Serialize)]
struct Change {
    account: String,
    slot_at: Option<Timestamp>,
    was: String,
    would: String,
    why: String,
}

/// Changes that are shown.
const SHOWN: usize = 100;

impl Tried {
    /// Adds a page.
    pub(super) fn add(&mut self, page: pb::SimulatePolicyResponse) {
        self.policy = page.policy_version;
        self.accounts += page.accounts;
        self.decisions += page.decisions;
        self.changed += page.changed;
        for row in page.playbooks {
            let pair = self.playbooks.entry(row.playbook).or_default();
            pair.was.add(&row.was.unwrap_or_default());
            pair.would.add(&row.would.unwrap_or_default());
        }
        for row in page.rules {
            let pair = self.rules.entry(row.rule_id).or_default();
            pair.was += row.was;
            pair.would += row.would;
        }
        let room = SHOWN.saturating_sub(self.changes.len());
        self.changes
            .extend(page.changes.into_iter().take(room).map(Change::from));
    }
}

impl Count {
    fn add(&mut self, more: &pb::SimulatedCount) {
        self.sent += more.sent;
        self.approvals += more.approvals;
        self.deferred += more.deferred;
        self.blocked += more.blocked;
        for amount in wire_moneys(&more.expected_monthly) {
            *self.expected_monthly.entry(amount.currency).or_default() += amount.minor;
        }
    }

    fn expected(&self) -> String {
        let amounts = self.expected_monthly.iter();
        cashes(
            &amounts
                .map(|(currency, minor)| Money::new(*minor, *currency))
                .collect::<Vec<_>>(),
        )
    }
}

impl From<pb::SimulatedChange> for Change {
    fn from(change: pb::SimulatedChange) -> Self {
        Self {
            slot_at: instant(change.slot_time.as_ref()),
            account: change.account_id,
            was: change.was,
            would: change.would,
            why: change.why,
        }
    }
}

/// A playbook with its counts.
#[derive(Serialize)]
struct PlaybookRow<'a>(&'a str, &'a Pair<Count>);

/// A rule with its counts.
#[derive(Serialize)]
struct RuleRow<'a>(&'a str, &'a Pair<i64>);

impl Row for PlaybookRow<'_> {
    const COLUMNS: &'static [Column] = &[
        left("playbook"),
        right("sent"),
        right("would send"),
        right("for approval"),
        right("would wait"),
        right("would be blocked"),
        right("expected a month"),
        right("would expect"),
    ];

    fn cells(&self) -> Vec<String> {
        let Self(playbook, Pair { was, would }) = self;
        vec![
            (*playbook).to_owned(),
            was.sent.to_string(),
            would.sent.to_string(),
            would.approvals.to_string(),
            would.deferred.to_string(),
            would.blocked.to_string(),
            was.expected(),
            would.expected(),
        ]
    }
}

impl Row for RuleRow<'_> {
    const COLUMNS: &'static [Column] = &[left("rule"), right("stood in the way"), right("would stand")];

    fn cells(&self) -> Vec<String> {
        let Self(rule, Pair { was, would }) = self;
        vec![(*rule).to_owned(), was.to_string(), would.to_string()]
    }
}

impl Row for Change {
    const COLUMNS: &'static [Column] = &[
        left("account"),
        left("slot"),
        left("sent"),
        left("would send"),
        left("why"),
    ];

    fn cells(&self) -> Vec<String> {
        let or_nothing = |said: &str| {
            if said.is_empty() {
                "nothing".to_owned()
            } else {
                said.to_owned()
            }
        };
        vec![
            self.account.clone(),
            time(self.slot_at),
            or_nothing(&self.was),
            or_nothing(&self.would),
            self.why.clone(),
        ]
    }
}

impl View for Tried {
    fn render(&self) -> String {
        let playbooks: Vec<_> = self
            .playbooks
            .iter()
            .map(|(key, pair)| PlaybookRow(key, pair))
            .collect();
        let rules: Vec<_> = self.rules.iter().map(|(rule, pair)| RuleRow(rule, pair)).collect();
        let head = card(&[
            ("policy", self.policy.clone()),
            ("accounts", self.accounts.to_string()),
            ("decisions made again", self.decisions.to_string()),
            ("would end otherwise", self.changed.to_string()),
        ]);
        [
            head,
            part("Playbooks", &playbooks),
            part("Rules", &rules),
            part("What would end otherwise", &self.changes),
        ]
        .concat()
    }
}
