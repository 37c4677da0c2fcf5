//! Who has to know of late work (RN-2): the person in charge, then a delegate, then the lead.
//!
//! ```text
//! due today → due     (person)      late 1 working day → late      (person)
//! + step    → delegated (delegate of that day, or the lead)   + step → escalated (lead), and no further
//! ```
//!
//! A person who is away is stood in for by the delegate of that day from the first notice on; a delegate who is away, or an
//! absence without one, means the lead. Each notice is made once per task, due day and level.

use jiff::{Timestamp, civil::Date};
use upswell_runtime::ids;
use uuid::Uuid;

use super::{country::Country, words::words};

/// Delegates of delegates that are followed before the lead is asked.
const HOPS_MAX: usize = 3;

words! {
    /// Why a person is told.
    NoticeKind, "kind of notice" {
        /// A task is due today.
        Due = "due",
        /// It is late.
        Late = "late",
        /// It is late and goes to the delegate.
        Delegated = "delegated",
        /// It is late and goes to the lead.
        Escalated = "escalated",
        /// A reason for losses has a large share (RN-4).
        ProductSignal = "product_signal",
    }
}

impl NoticeKind {
    /// How far it has gone, from 1.
    pub const fn level(self) -> i32 {
        self as i32 + 1
    }
}

/// A person is away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absence {
    /// Derived from the person and the first day.
    pub absence_id: Uuid,
    /// Who.
    pub person_id: String,
    /// First day.
    pub from_on: Date,
    /// Last day.
    pub until_on: Date,
    /// Who stands in; empty means the lead.
    pub delegate_id: String,
    /// Counts the changes.
    pub version: i64,
}

impl Absence {
    /// An absence; the id is that of the person and the first day.
    pub fn new(person_id: String, from_on: Date, until_on: Date, delegate_id: String) -> Self {
        Self {
            absence_id: ids::derive("absence", &[&person_id, &from_on.to_string()]),
            person_id,
            from_on,
            until_on,
            delegate_id,
            version: 1,
        }
    }

    /// What a caller has to know to change it.
    pub fn etag(&self) -> String {
        self.version.to_string()
    }
}

/// The rules that are configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DutyRules {
    /// Who is told in the end.
    pub lead_id: String,
    /// Who is told what the product must answer.
    pub product_id: String,
    /// Working days after the due day until the first reminder.
    pub remind_after: i32,
    /// Working days from one level to the next.
    pub step: i32,
}

/// Something that a person is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Derived from what it is about, so that it is made once.
    pub notice_id: Uuid,
    /// Who is told.
    pub person_id: String,
    /// Why.
    pub kind: NoticeKind,
    /// The account; empty for the product.
    pub account_id: String,
    /// The task, or the category of loss.
    pub subject_id: String,
    /// In a few words.
    pub text: String,
    /// When.
    pub made_at: Timestamp,
}

/// Late work, as far as notices need to know it.
#[derive(Clone, Copy, Debug)]
pub struct Work<'a> {
    /// The task.
    pub task_id: &'a str,
    /// What it is.
    pub kind: &'a str,
    /// The account.
    pub account_id: &'a str,
    /// Who is in charge; empty when nobody is.
    pub assignee_id: &'a str,
    /// By when.
    pub due_on: Date,
}

/// What is told of late work, and when to look again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// The notice of the level that is reached.
    pub notice: Notice,
    /// The day on which the next level is reached; `None` behind the last.
    pub next_on: Option<Date>,
}

/// The alert that is due for open work on `today`; `None` before its due day.
pub fn alert(
    work: Work<'_>,
    absences: &[Absence],
    rules: &DutyRules,
    country: &Country,
    today: Date,
    now: Timestamp,
) -> Option<Alert> {
    let days = [
        (NoticeKind::Due, work.due_on),
        (NoticeKind::Late, country.working_after(work.due_on, rules.remind_after)),
        (
            NoticeKind::Delegated,
            country.working_after(work.due_on, rules.remind_after + rules.step),
        ),
        (
            NoticeKind::Escalated,
            country.working_after(work.due_on, rules.remind_after + 2 * rules.step),
        ),
    ];
    let (kind, _) = days.iter().rev().find(|(_, day)| *day <= today)?;
    let next_on = days.iter().find(|(_, day)| *day > today).map(|(_, day)| *day);
    let person = standing_in(work.assignee_id, absences, rules, today);
    let person_id = match kind {
        NoticeKind::Delegated => delegate(&person, absences, rules, today),
        NoticeKind::Escalated => rules.lead_id.clone(),
        _ => person,
    };
    let late = country.working_days(work.due_on, today, 1_000);
    let text = match kind {
        NoticeKind::Due => format!("{} is due today", work.kind),
        _ => format!("{} was due on {}, {late} working days ago", work.kind, work.due_on),
    };
    let id = [work.task_id, &work.due_on.to_string(), kind.as_str()];
    let notice = Notice {
        notice_id: ids::derive("notice", &id),
        person_id,
        kind: *kind,
        account_id: work.account_id.to_owned(),
        subject_id: work.task_id.to_owned(),
        text,
        made_at: now,
    };
    Some(Alert { notice, next_on })
}

/// The person, or who stands in on `today`; the lead where nobody is left.
pub fn standing_in(person_id: &str, absences: &[Absence], rules: &DutyRules, today: Date) -> String {
    let mut person = person_id;
    for _ in 0..=HOPS_MAX {
        if person.is_empty() {
            break;
        }
        match away(person, absences, today) {
            None => return person.to_owned(),
            Some(absence) => person = &absence.delegate_id,
        }
    }
    rules.lead_id.clone()
}

/// A delegate who is named for the present or the next absence of the person, if there; else the lead.
fn delegate(person_id: &str, absences: &[Absence], rules: &DutyRules, today: Date) -> String {
    let named = absences
        .iter()
        .filter(|absence| {
            absence.person_id == person_id && absence.until_on >= today && !absence.delegate_id.is_empty()
        })
        .min_by_key(|absence| absence.from_on);
    named.map_or_else(
        || rules.lead_id.clone(),
        |absence| standing_in(&absence.delegate_id, absences, rules, today),
    )
}

fn away<'a>(person_id: &str, absences: &'a [Absence], today: Date) -> Option<&'a Absence> {
    let covers =
        |absence: &&Absence| absence.person_id == person_id && (absence.from_on..=absence.until_on).contains(&today);
    // Of two absences at once the one that began last is the newer word.
    absences.iter().filter(covers).max_by_key(|absence| absence.from_on)
}
