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

use super::{account::days_before, deal::Deal, stage::Stage, words::words};

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
        /// Get it signed.
        Sign = "sign",
        /// Get it paid.
        CollectPayment = "collect_payment",
        /// Make sure that it renews.
        ConfirmRenewal = "confirm_renewal",
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
    /// The stage that brings it.
    pub const fn stage(self) -> Stage {
        match self {
            Self::PrepareHealth | Self::ScheduleReview | Self::SolveProblems => Stage::Preparation,
            Self::ConfirmDecisionMaker | Self::PlanNextPeriod => Stage::Initiation,
            Self::AgreeTerms | Self::SendProposal => Stage::Negotiation,
            Self::Sign | Self::CollectPayment => Stage::Agreement,
            Self::ConfirmRenewal => Stage::LastMile,
        }
    }

    /// Days before the renewal on which it is due, inside its stage.
    pub const fn due_days_before(self) -> i32 {
        match self {
            Self::PrepareHealth => 110,
            Self::ScheduleReview => 105,
            Self::SolveProblems => 92,
            Self::ConfirmDecisionMaker => 80,
            Self::PlanNextPeriod => 65,
            Self::AgreeTerms => 45,
            Self::SendProposal => 35,
            Self::Sign => 22,
            Self::CollectPayment => 17,
            Self::ConfirmRenewal => 2,
        }
    }
}

/// A task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// Derived from the deal and the kind: a deal has at most one of each.
    pub task_id: Uuid,
    /// The deal.
    pub deal_id: Uuid,
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
}

impl Task {
    /// True while it is to be done.
    pub fn is_live(&self) -> bool {
        matches!(self.state, TaskState::Open | TaskState::Overdue)
    }

    fn plan(&mut self, deal: &Deal, today: Date) {
        self.due_on = days_before(deal.renewal_on, self.kind.due_days_before()).max(today);
        self.state = TaskState::Open;
    }
}

/// Brings the tasks of `deal` in line with it; `moved` says that its date has moved.
pub(super) fn tend(tasks: &mut Vec<Task>, deal: &Deal, today: Date, moved: bool) {
    for task in tasks
        .iter_mut()
        .filter(|task| task.deal_id == deal.deal_id && task.is_live())
    {
        if !deal.is_open() || (moved && task.kind.stage() > deal.stage) {
            task.state = TaskState::Cancelled;
        } else if moved {
            task.plan(deal, today);
        }
    }
    if deal.is_open() {
        bring(tasks, deal, today);
    }
    for task in tasks
        .iter_mut()
        .filter(|task| task.deal_id == deal.deal_id && task.is_live())
    {
        task.assignee_id.clone_from(&deal.owner_id);
        task.state = if task.due_on < today {
            TaskState::Overdue
        } else {
            TaskState::Open
        };
    }
}

/// Makes the tasks of the present stage, or brings them back.
fn bring(tasks: &mut Vec<Task>, deal: &Deal, today: Date) {
    for kind in TaskKind::ALL.iter().copied().filter(|kind| kind.stage() == deal.stage) {
        let there = tasks
            .iter_mut()
            .find(|task| task.deal_id == deal.deal_id && task.kind == kind);
        match there {
            Some(task) if task.state == TaskState::Cancelled => task.plan(deal, today),
            Some(_) => {}
            None => {
                let mut task = Task {
                    task_id: ids::derive("task", &[&deal.deal_id.to_string(), kind.as_str()]),
                    deal_id: deal.deal_id,
                    kind,
                    assignee_id: String::new(),
                    due_on: today,
                    state: TaskState::Open,
                    completed_at: None,
                };
                task.plan(deal, today);
                tasks.push(task);
            }
        }
    }
}
