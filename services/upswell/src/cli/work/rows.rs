//! Tasks as people see them.

use jiff::Timestamp;
use serde::Serialize;
use upswell_proto::offers::v1 as pb;
use upswell_runtime::money::Money;

use crate::{
    cli::output::{Column, Row, View, card, cash, cashes, left, right, time, wire_money, wire_moneys},
    wire::{instant, word},
};

#[derive(Serialize)]
pub(super) struct Task {
    task: String,
    offer: String,
    account: String,
    kind: String,
    assignee: String,
    claimed_by: String,
    motion: String,
    contact: String,
    subject: String,
    body: String,
    expected_value: Option<Money>,
    state: String,
    due_at: Option<Timestamp>,
    snoozed_until: Option<Timestamp>,
    completed_at: Option<Timestamp>,
    outcome: String,
}

#[derive(Serialize)]
pub(super) struct Digest {
    open: i32,
    urgent: i32,
    expected_values: Vec<Money>,
    text: String,
}

impl From<pb::Task> for Task {
    fn from(task: pb::Task) -> Self {
        let outcome = match task.outcome() {
            pb::task::Outcome::Unspecified => String::new(),
            outcome => word(outcome.as_str_name(), "OUTCOME"),
        };
        let message = task.message.clone().unwrap_or_default();
        Self {
            kind: word(task.channel().as_str_name(), "CHANNEL"),
            motion: word(task.motion().as_str_name(), "MOTION"),
            state: word(task.state().as_str_name(), "STATE"),
            expected_value: wire_money(task.expected_value.as_ref()),
            due_at: instant(task.due_time.as_ref()),
            snoozed_until: instant(task.snooze_time.as_ref()),
            completed_at: instant(task.complete_time.as_ref()),
            subject: message.subject,
            body: message.body,
            outcome,
            task: task.task_id,
            offer: task.offer_id,
            account: task.account_id,
            assignee: task.assignee_id,
            claimed_by: task.claimed_by,
            contact: task.contact_id,
        }
    }
}

impl From<pb::GetTaskDigestResponse> for Digest {
    fn from(digest: pb::GetTaskDigestResponse) -> Self {
        Self {
            open: digest.open_count,
            urgent: digest.urgent_count,
            expected_values: wire_moneys(&digest.expected_values),
            text: digest.text,
        }
    }
}

impl Row for Task {
    const COLUMNS: &'static [Column] = &[
        left("due"),
        left("account"),
        left("what"),
        right("expected a month"),
        left("whose"),
        left("state"),
        left("task"),
    ];

    fn cells(&self) -> Vec<String> {
        let whose = if self.claimed_by.is_empty() {
            &self.assignee
        } else {
            &self.claimed_by
        };
        vec![
            time(self.due_at),
            self.account.clone(),
            self.subject.clone(),
            cash(self.expected_value),
            whose.clone(),
            self.state.clone(),
            self.task.clone(),
        ]
    }
}

impl View for Task {
    fn render(&self) -> String {
        let head = card(&[
            ("task", self.task.clone()),
            ("account", self.account.clone()),
            ("motion", self.motion.clone()),
            ("talk to", self.contact.clone()),
            ("expected a month", cash(self.expected_value)),
            ("state", self.state.clone()),
            ("taken by", self.claimed_by.clone()),
            ("not before", time(self.snoozed_until)),
            ("due", time(self.due_at)),
            ("outcome", self.outcome.clone()),
            ("offer", self.offer.clone()),
        ]);
        format!("{head}\n\n{}\n{}", self.subject, self.body)
    }
}

impl View for Digest {
    fn render(&self) -> String {
        let head = card(&[
            ("open", self.open.to_string()),
            ("end within two days", self.urgent.to_string()),
            ("expected a month", cashes(&self.expected_values)),
        ]);
        format!("{head}\n\n{}", self.text)
    }
}
