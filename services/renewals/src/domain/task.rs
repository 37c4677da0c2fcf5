//! Work for people on a deal (RN-1, RN-2).
//!
//! A stage brings its tasks when it is entered; those of stages that were passed over are not made up for. Each is due
//! inside its stage, but never before the day on which it was planned. When the date moves, what is not done is planned
//! anew: tasks of stages up to the present one by the new date, later ones are cancelled until their stage comes again.
//! What is done stays done.
//!
//! ```text
//! open ⇄ overdue → done
//!   └───────┴────→ cancelled (the deal closed, or moved back) → open (its stage comes again)
//! ```

use jiff::{Timestamp, civil::Date};
use upswell_runtime::ids;
use uuid::Uuid;

use super::{account::days_before, country::Country, deal::Deal, stage::Stage, words::words};

words! {
    /// What is to be done.
    TaskKind, "task kind" {
        /// Look at the account's health.
        PrepareHealth = "prepare_health",
        /// Schedule the business review.
        ScheduleReview = "schedule_review",
        /// Solve what stands in the way.
        SolveProblems = "solve_problems",
        /// Know who decides.
        ConfirmDecisionMaker = "confirm_decision_maker",
        /// Plan the next period.
        PlanNextPeriod = "plan_next_period",
        /// Agree on the terms.
        AgreeTerms = "agree_terms",
        /// Send the proposal.
        SendProposal = "send_proposal",
        /// Settle it before the last day of notice (RN-8).
        SettleBeforeNotice = "settle_before_notice",
        /// Get it signed.
        Sign = "sign",
        /// Get it paid.
        CollectPayment = "collect_payment",
        /// Make sure that it renews.
        ConfirmRenewal = "confirm_renewal",
        /// Onboarding, day 30: the first real task is done (RN-9, SC-10).
        Onboarding30 = "onboarding_30",
        /// Onboarding, day 60: several people use it regularly.
        Onboarding60 = "onboarding_60",
        /// Onboarding, day 90: the benefit can be stated.
        Onboarding90 = "onboarding_90",
        /// Hold the business review (RN-5).
        HoldReview = "hold_review",
        /// Send its summary.
        SendSummary = "send_summary",
    }
}

words! {
    /// Where a task stands.
    TaskState, "task state" {
        /// To be done.
        Open = "open",
        /// Past its due date.
        Overdue = "overdue",
        /// Done.
        Done = "done",
        /// No longer needed.
        Cancelled = "cancelled",
    }
}

impl TaskKind {
    /// The stage that brings it; `None` for work that belongs to no deal.
    pub const fn stage(self) -> Option<Stage> {
        Some(match self {
            Self::PrepareHealth | Self::ScheduleReview | Self::SolveProblems => Stage::Preparation,
            Self::ConfirmDecisionMaker | Self::PlanNextPeriod => Stage::Initiation,
            Self::AgreeTerms | Self::SendProposal | Self::SettleBeforeNotice => Stage::Negotiation,
            Self::Sign | Self::CollectPayment => Stage::Agreement,
            Self::ConfirmRenewal => Stage::LastMile,
            Self::Onboarding30 | Self::Onboarding60 | Self::Onboarding90 | Self::HoldReview | Self::SendSummary => {
                return None;
            }
        })
    }

    /// Days on which it is due, inside its stage: before the anchor up to negotiation, then before the renewal.
    pub const fn due_days_before(self) -> i32 {
        match self {
            Self::PrepareHealth => 110,
            Self::ScheduleReview => 105,
            Self::SolveProblems => 92,
            Self::ConfirmDecisionMaker => 80,
            Self::PlanNextPeriod => 65,
            Self::AgreeTerms => 45,
            Self::SendProposal => 35,
            Self::SettleBeforeNotice => 31,
            Self::Sign => 22,
            Self::CollectPayment => 17,
            Self::ConfirmRenewal => 2,
            Self::Onboarding30 | Self::Onboarding60 | Self::Onboarding90 | Self::HoldReview | Self::SendSummary => 0,
        }
    }

    /// True when `deal` needs it: what is about the notice, as long as notice may be given and was not.
    fn concerns(self, deal: &Deal, today: Date) -> bool {
        self != Self::SettleBeforeNotice
            || (deal.notice_given_on.is_none() && deal.notice_on().is_some_and(|notice| notice >= today))
    }

    /// True when the stage that brings it has not come yet in `stage`.
    fn is_ahead_of(self, stage: Stage) -> bool {
        self.stage().is_some_and(|own| own > stage)
    }
}

/// A task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// Derived from the subject and the kind: a subject has at most one of each.
    pub task_id: Uuid,
    /// The deal; for work that belongs to none, the onboarding plan or the review.
    pub subject_id: Uuid,
    /// What is to be done.
    pub kind: TaskKind,
    /// Who is to do it; empty when nobody is in charge.
    pub assignee_id: String,
    /// By when.
    pub due_on: Date,
    /// Where it stands.
    pub state: TaskState,
    /// When it was done.
    pub completed_at: Option<Timestamp>,
    /// Counts the changes.
    pub version: i64,
}

impl Task {
    /// True while it is to be done.
    pub fn is_live(&self) -> bool {
        matches!(self.state, TaskState::Open | TaskState::Overdue)
    }

    /// A task that is due on a day.
    pub fn new(subject_id: Uuid, kind: TaskKind, due_on: Date) -> Self {
        Self {
            task_id: ids::derive("task", &[&subject_id.to_string(), kind.as_str()]),
            subject_id,
            kind,
            assignee_id: String::new(),
            due_on,
            state: TaskState::Open,
            completed_at: None,
            version: 0,
        }
    }

    /// What a caller has to know to change it.
    pub fn etag(&self) -> String {
        self.version.to_string()
    }

    /// Gives it to who is in charge, and says whether it is late.
    pub(super) fn keep_up(&mut self, owner_id: &str, today: Date) {
        owner_id.clone_into(&mut self.assignee_id);
        self.state = if self.due_on < today {
            TaskState::Overdue
        } else {
            TaskState::Open
        };
    }

    fn plan(&mut self, deal: &Deal, country: &Country, today: Date) {
        self.due_on = due_on(self.kind, deal, country, today);
        self.state = TaskState::Open;
    }
}

/// Days before the last day of notice on which the renewal is to be settled.
const NOTICE_AHEAD: i32 = 3;

/// A working day inside the stage, and outside a dead season where the stage begins before it (RN-6).
fn due_on(kind: TaskKind, deal: &Deal, country: &Country, today: Date) -> Date {
    let schedule = deal.schedule();
    if let Some(notice) = deal.notice_on().filter(|_| kind == TaskKind::SettleBeforeNotice) {
        return country.working_until(days_before(notice, NOTICE_AHEAD)).max(today);
    }
    let stage = kind.stage().unwrap_or(deal.stage);
    let target = match stage {
        Stage::Agreement | Stage::LastMile => schedule.renewal_on,
        _ => schedule.anchor_on,
    };
    let opens = schedule.opens(stage);
    let wanted = days_before(target, kind.due_days_before());
    let before = country.dead_season(wanted).map(|(from, _)| days_before(from, 1));
    let wanted = before.filter(|day| *day >= opens).unwrap_or(wanted);
    country.working_until(wanted).max(opens).max(today)
}

/// Brings the tasks of `deal` in line with it, which was `before`.
pub(super) fn tend(tasks: &mut Vec<Task>, deal: &Deal, before: Option<&Deal>, country: &Country, today: Date) {
    let moved = before.is_some_and(|before| !before.is_planned_like(deal));
    let notice_moved = before.is_some_and(|before| before.notice_on() != deal.notice_on());
    for task in tasks
        .iter_mut()
        .filter(|task| task.subject_id == deal.deal_id && task.is_live())
    {
        let about_notice = task.kind == TaskKind::SettleBeforeNotice;
        let needed = !about_notice || (deal.notice_given_on.is_none() && deal.notice_on().is_some());
        if !deal.is_open() || !needed || (moved && task.kind.is_ahead_of(deal.stage)) {
            task.state = TaskState::Cancelled;
        } else if moved || (about_notice && notice_moved) {
            task.plan(deal, country, today);
        }
    }
    if deal.is_open() {
        bring(tasks, deal, country, today);
    }
    for task in tasks
        .iter_mut()
        .filter(|task| task.subject_id == deal.deal_id && task.is_live())
    {
        task.keep_up(&deal.owner_id, today);
    }
}

/// Makes the tasks of the present stage, or brings them back.
fn bring(tasks: &mut Vec<Task>, deal: &Deal, country: &Country, today: Date) {
    for kind in TaskKind::ALL
        .iter()
        .copied()
        .filter(|kind| kind.stage() == Some(deal.stage) && kind.concerns(deal, today))
    {
        let there = tasks
            .iter_mut()
            .find(|task| task.subject_id == deal.deal_id && task.kind == kind);
        match there {
            Some(task) if task.state == TaskState::Cancelled => task.plan(deal, country, today),
            Some(_) => {}
            None => {
                let due = due_on(kind, deal, country, today);
                tasks.push(Task::new(deal.deal_id, kind, due));
            }
        }
    }
}
