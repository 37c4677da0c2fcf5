//! Answers about renewals as a whole, for people and programs.

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde::Serialize;
use upswell_proto::{offers::v1 as offers, renewals::v1 as pb};
use upswell_runtime::money::Money;

use crate::{
    cli::output::{Column, Row, View, cash, cashes, day, left, percent, right, time, wire_money, wire_moneys, yes},
    wire::{date, instant, word},
};

#[derive(Serialize)]
pub(super) struct Review {
    review: String,
    account: String,
    day: Option<Date>,
    minutes: i32,
    owner: String,
    state: String,
    invited: Vec<String>,
    expansion_talk: bool,
    agenda: Vec<String>,
}

impl From<pb::Review> for Review {
    fn from(review: pb::Review) -> Self {
        Self {
            day: date(review.date.as_ref()),
            state: word(review.state().as_str_name(), "STATE"),
            minutes: review.minutes,
            expansion_talk: review.expansion_talk,
            agenda: review.agenda.into_iter().flat_map(|item| item.lines).collect(),
            review: review.review_id,
            account: review.account_id,
            owner: review.owner_id,
            invited: review.invited_contact_ids,
        }
    }
}

impl Row for Review {
    const COLUMNS: &'static [Column] = &[
        left("review"),
        left("account"),
        left("day"),
        right("minutes"),
        left("owner"),
        left("state"),
        left("invited"),
        left("growth"),
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.review.clone(),
            self.account.clone(),
            day(self.day),
            self.minutes.to_string(),
            self.owner.clone(),
            self.state.clone(),
            self.invited.join(", "),
            yes(self.expansion_talk),
        ]
    }
}

#[derive(Serialize)]
pub(super) struct Plan {
    plan: String,
    account: String,
    owner: String,
    start: Option<Date>,
    checkpoints: Vec<String>,
    finished: bool,
}

impl From<pb::OnboardingPlan> for Plan {
    fn from(plan: pb::OnboardingPlan) -> Self {
        let checkpoint = |point: pb::Checkpoint| format!("{}: {}", point.day, point.state);
        Self {
            start: date(plan.start_date.as_ref()),
            plan: plan.plan_id,
            account: plan.account_id,
            owner: plan.owner_id,
            checkpoints: plan.checkpoints.into_iter().map(checkpoint).collect(),
            finished: plan.finished,
        }
    }
}

impl Row for Plan {
    const COLUMNS: &'static [Column] = &[
        left("plan"),
        left("account"),
        left("owner"),
        left("start"),
        left("checkpoints"),
        left("finished"),
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.plan.clone(),
            self.account.clone(),
            self.owner.clone(),
            day(self.start),
            self.checkpoints.join(", "),
            yes(self.finished),
        ]
    }
}

#[derive(Serialize)]
pub(super) struct Notice {
    at: Option<Timestamp>,
    person: String,
    kind: String,
    account: String,
    text: String,
}

impl From<pb::Notice> for Notice {
    fn from(notice: pb::Notice) -> Self {
        Self {
            at: instant(notice.notice_time.as_ref()),
            kind: word(notice.kind().as_str_name(), "KIND"),
            person: notice.person_id,
            account: notice.account_id,
            text: notice.text,
        }
    }
}

impl Row for Notice {
    const COLUMNS: &'static [Column] = &[left("at"), left("person"), left("kind"), left("account"), left("what")];

    fn cells(&self) -> Vec<String> {
        vec![
            time(self.at),
            self.person.clone(),
            self.kind.clone(),
            self.account.clone(),
            self.text.clone(),
        ]
    }
}

#[derive(Serialize)]
pub(super) struct Forecast {
    month: Option<Date>,
    segment: String,
    deals: i32,
    due: Option<Money>,
    renewed: Option<Money>,
    lost: Option<Money>,
    worst: Option<Money>,
    expected: Option<Money>,
    best: Option<Money>,
}

impl From<pb::ForecastLine> for Forecast {
    fn from(line: pb::ForecastLine) -> Self {
        Self {
            month: date(line.month.as_ref()),
            due: wire_money(line.due.as_ref()),
            renewed: wire_money(line.renewed.as_ref()),
            lost: wire_money(line.lost.as_ref()),
            worst: wire_money(line.worst.as_ref()),
            expected: wire_money(line.expected.as_ref()),
            best: wire_money(line.best.as_ref()),
            segment: line.segment,
            deals: line.deals,
        }
    }
}

impl Row for Forecast {
    const COLUMNS: &'static [Column] = &[
        left("month"),
        left("segment"),
        right("deals"),
        right("due"),
        right("renewed"),
        right("lost"),
        right("worst"),
        right("expected"),
        right("best"),
    ];

    fn cells(&self) -> Vec<String> {
        let month = self.month.map(|month| month.strftime("%Y-%m").to_string());
        vec![
            month.unwrap_or_default(),
            self.segment.clone(),
            self.deals.to_string(),
            cash(self.due),
            cash(self.renewed),
            cash(self.lost),
            cash(self.worst),
            cash(self.expected),
            cash(self.best),
        ]
    }
}

#[derive(Serialize)]
pub(super) struct Loss {
    quarter: Option<Date>,
    category: String,
    count: i32,
    share: f64,
    mrr: Vec<Money>,
    named: Vec<String>,
    product_signal: bool,
}

impl Loss {
    /// A row a reason.
    pub(super) fn rows(quarter: pb::LossQuarter) -> Vec<Self> {
        let first = date(quarter.quarter.as_ref());
        let row = |share: pb::LossShare| Self {
            quarter: first,
            category: word(share.category().as_str_name(), "CATEGORY"),
            count: share.count,
            share: share.share,
            mrr: wire_moneys(&share.mrr),
            named: (share.competitors.into_iter().chain(share.integrations))
                .map(|named| format!("{} ({})", named.name, named.count))
                .collect(),
            product_signal: share.product_signal,
        };
        quarter.shares.into_iter().map(row).collect()
    }
}

impl Row for Loss {
    const COLUMNS: &'static [Column] = &[
        left("quarter"),
        left("reason"),
        right("lost"),
        right("share"),
        right("MRR"),
        left("named"),
        left("signal to the product"),
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            day(self.quarter),
            self.category.clone(),
            self.count.to_string(),
            percent(Some(self.share)),
            cashes(&self.mrr),
            self.named.join(", "),
            yes(self.product_signal),
        ]
    }
}

/// A line in the calendar of an account.
#[derive(Serialize)]
pub(super) struct Entry {
    pub(super) day: Option<Date>,
    until: Option<Date>,
    kind: String,
    title: String,
    owner: String,
    state: String,
}

impl From<pb::CalendarEntry> for Entry {
    fn from(entry: pb::CalendarEntry) -> Self {
        Self {
            day: date(entry.date.as_ref()),
            until: date(entry.end_date.as_ref()),
            kind: word(entry.kind().as_str_name(), "KIND"),
            title: entry.title,
            owner: entry.owner_id,
            state: entry.state,
        }
    }
}

impl From<offers::Touch> for Entry {
    fn from(touch: offers::Touch) -> Self {
        let at = instant(touch.actual_time.as_ref().or(touch.planned_time.as_ref()));
        Self {
            day: at.map(|at| TimeZone::UTC.to_datetime(at).date()),
            until: None,
            kind: "touch".to_owned(),
            title: word(touch.class().as_str_name(), "TOUCH_CLASS"),
            state: word(touch.state().as_str_name(), "STATE"),
            owner: touch.sender,
        }
    }
}

impl Row for Entry {
    const COLUMNS: &'static [Column] = &[
        left("day"),
        left("until"),
        left("kind"),
        left("what"),
        left("who"),
        left("state"),
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            day(self.day),
            day(self.until),
            self.kind.clone(),
            self.title.clone(),
            self.owner.clone(),
            self.state.clone(),
        ]
    }
}

#[derive(Serialize)]
pub(super) struct Task {
    task: String,
    deal: String,
    account: String,
    kind: String,
    assignee: String,
    due: Option<Date>,
    state: String,
    completed_at: Option<Timestamp>,
}

impl From<pb::Task> for Task {
    fn from(task: pb::Task) -> Self {
        Self {
            state: word(task.state().as_str_name(), "STATE"),
            due: date(task.due_date.as_ref()),
            completed_at: instant(task.complete_time.as_ref()),
            task: task.task_id,
            deal: task.deal_id,
            account: task.account_id,
            kind: task.kind,
            assignee: task.assignee_id,
        }
    }
}

impl Row for Task {
    const COLUMNS: &'static [Column] = &[
        left("task"),
        left("account"),
        left("what"),
        left("who"),
        left("due"),
        left("state"),
        left("done"),
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.task.clone(),
            self.account.clone(),
            self.kind.clone(),
            self.assignee.clone(),
            day(self.due),
            self.state.clone(),
            time(self.completed_at),
        ]
    }
}

impl View for Task {
    fn render(&self) -> String {
        format!(
            "task {} ({} for {}) is {}",
            self.task, self.kind, self.account, self.state
        )
    }
}
