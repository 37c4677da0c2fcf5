//! What an account is given between renewals: an onboarding plan (RN-9) and quarterly business reviews (RN-5).
//!
//! ```text
//! review   planned → prepared → held → summarized          planned, prepared → dropped (a person, or nothing is left to renew)
//! plan     running (checkpoints 30, 60, 90 as tasks) → finished when all three are done
//! ```

mod report;
mod review;

use jiff::{Timestamp, civil::Date};
use upswell_runtime::ids;
use uuid::Uuid;

pub use self::{
    report::{AgendaItem, AgendaPart, Figure, Figures, Goal, Person, Preparation, prepare},
    review::{Review, ReviewFault, ReviewState, usual_day},
};
use super::{
    account::{Account, days_before, days_between},
    country::Country,
    losses::quarter_of,
    task::{Task, TaskKind, TaskState},
};

/// The checkpoints: day, task, and what must be true then (SC-10).
pub const CHECKPOINTS: [(i32, TaskKind, &str); 3] = [
    (30, TaskKind::Onboarding30, "the first real task is done"),
    (60, TaskKind::Onboarding60, "several people use it regularly"),
    (90, TaskKind::Onboarding90, "the benefit can be stated"),
];
/// An account that became a customer longer ago is not onboarded any more.
const ONBOARDING_DAYS: i32 = 90;
/// Working days after a review in which its summary is due.
const SUMMARY_DAYS: i32 = 3;

/// An onboarding plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Derived from the account.
    pub plan_id: Uuid,
    /// Who is in charge.
    pub owner_id: String,
    /// A person gave it to the owner, so that it no longer follows the account's CSM.
    pub given: bool,
    /// The first day.
    pub started_on: Date,
    /// All checkpoints are done.
    pub finished: bool,
    /// Counts the changes.
    pub version: i64,
}

/// The care of one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Care {
    /// The account.
    pub account_id: String,
    /// Its onboarding.
    pub plan: Option<Plan>,
    /// Its reviews, by quarter.
    pub reviews: Vec<Review>,
    /// The tasks of both.
    pub tasks: Vec<Task>,
}

/// What the care depends on.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings<'a> {
    /// The account.
    pub account: &'a Account,
    /// Its calendar.
    pub country: &'a Country,
    /// First day of its first contract.
    pub customer_from: Option<Date>,
    /// The day to which the stages of its nearest open deal count down.
    pub anchor_on: Option<Date>,
    /// Days before a review on which it is prepared.
    pub prepare_days: i32,
    /// Minutes of a review.
    pub minutes: i32,
}

impl Care {
    /// An account without care.
    pub fn new(account_id: impl Into<String>) -> Self {
        Self {
            account_id: account_id.into(),
            plan: None,
            reviews: Vec::new(),
            tasks: Vec::new(),
        }
    }

    /// What becomes of the care, changed from `before` or not, at `now`, and the day of the next look. Settling twice changes
    /// nothing.
    pub fn decided(mut self, before: &Self, around: Surroundings<'_>, now: Timestamp) -> (Self, Option<Date>) {
        let today = around.account.today(now);
        self.onboard(around, today);
        self.plan_reviews(around, today);
        for task in self.tasks.iter_mut().filter(|task| task.is_live()) {
            let owner = match &self.plan {
                Some(plan) if plan.plan_id == task.subject_id => &plan.owner_id,
                _ => &around.account.owner_id,
            };
            task.keep_up(owner, today);
        }
        self.count(before);
        let check_on = self.check_on(around, today);
        (self, check_on)
    }

    fn onboard(&mut self, around: Surroundings<'_>, today: Date) {
        let started_on = around.account.customer_since.or(around.customer_from);
        if self.plan.is_none() {
            let is_new = |day: &Date| (0..ONBOARDING_DAYS).contains(&days_between(*day, today));
            self.plan = started_on.filter(is_new).map(|started_on| Plan {
                plan_id: ids::derive("onboarding", &[&self.account_id]),
                owner_id: String::new(),
                given: false,
                started_on,
                finished: false,
                version: 0,
            });
        }
        let Some(plan) = &mut self.plan else { return };
        if !plan.given {
            plan.owner_id.clone_from(&around.account.owner_id);
        }
        for (day, kind, _) in CHECKPOINTS {
            let due_on = around
                .country
                .working_until(days_before(plan.started_on, -day))
                .max(plan.started_on);
            let task = Task::new(plan.plan_id, kind, due_on);
            if !self.tasks.iter().any(|known| known.task_id == task.task_id) {
                self.tasks.push(task);
            }
        }
        let own = |task: &&Task| task.subject_id == plan.plan_id;
        plan.finished = self.tasks.iter().filter(own).all(|task| task.state == TaskState::Done);
    }

    /// One review a quarter, the present and the next, as long as there is something to renew.
    fn plan_reviews(&mut self, around: Surroundings<'_>, today: Date) {
        let this = quarter_of(today);
        let next = quarter_of(days_before(this, -95));
        for quarter in [this, next] {
            let Some(anchor_on) = around.anchor_on else { break };
            let mut review = Review::new(&self.account_id, quarter, around.minutes);
            review.held_on = usual_day(&self.account_id, quarter, anchor_on, around.country);
            let too_late = review.held_on < days_before(today, -around.prepare_days);
            match self
                .reviews
                .iter_mut()
                .find(|known| known.review_id == review.review_id)
            {
                Some(known) => known.follow(review.held_on, today, around.prepare_days),
                None if too_late => {}
                None => self.reviews.push(review),
            }
        }
        for review in &mut self.reviews {
            if around.anchor_on.is_none() && review.is_planned() {
                review.state = ReviewState::Dropped;
                "there is nothing to renew".clone_into(&mut review.reason);
            }
            tend(&mut self.tasks, review, around.country);
        }
    }

    /// Counts the changes since `before`.
    fn count(&mut self, before: &Self) {
        if let Some(plan) = &mut self.plan {
            plan.version += i64::from(before.plan.as_ref() != Some(plan));
        }
        for review in &mut self.reviews {
            let old = before.reviews.iter().find(|old| old.review_id == review.review_id);
            review.version += i64::from(old != Some(review));
        }
        for task in &mut self.tasks {
            let old = before.tasks.iter().find(|old| old.task_id == task.task_id);
            task.version += i64::from(old != Some(task));
        }
    }

    fn check_on(&self, around: Surroundings<'_>, today: Date) -> Option<Date> {
        let late = self
            .tasks
            .iter()
            .filter(|task| task.is_live())
            .map(|task| days_before(task.due_on, -1));
        let prepared = self
            .reviews
            .iter()
            .filter(|review| review.state == ReviewState::Planned)
            .map(|review| days_before(review.held_on, around.prepare_days));
        let next = around
            .anchor_on
            .map(|_| quarter_of(days_before(quarter_of(today), -95)));
        late.chain(prepared).chain(next).filter(|day| *day > today).min()
    }

    /// Reviews whose preparation is due on `today`.
    pub fn to_prepare(&self, prepare_days: i32, today: Date) -> impl Iterator<Item = &Review> {
        self.reviews.iter().filter(move |review| {
            review.state == ReviewState::Planned && days_before(review.held_on, prepare_days) <= today
        })
    }
}

/// Brings the tasks of a review in line with it.
fn tend(tasks: &mut Vec<Task>, review: &Review, country: &Country) {
    let summary_on = country.working_after(review.held_on, SUMMARY_DAYS);
    let wanted = match review.state {
        ReviewState::Planned | ReviewState::Prepared => Some((TaskKind::HoldReview, review.held_on)),
        ReviewState::Held => Some((TaskKind::SendSummary, summary_on)),
        ReviewState::Summarized | ReviewState::Dropped => None,
    };
    let held = matches!(review.state, ReviewState::Held | ReviewState::Summarized);
    for task in tasks
        .iter_mut()
        .filter(|task| task.subject_id == review.review_id && task.is_live())
    {
        match wanted {
            Some((kind, due_on)) if kind == task.kind => task.due_on = due_on,
            _ if held => task.state = TaskState::Done,
            _ => task.state = TaskState::Cancelled,
        }
    }
    if let Some((kind, due_on)) = wanted {
        let task = Task::new(review.review_id, kind, due_on);
        if !tasks.iter().any(|known| known.task_id == task.task_id) {
            tasks.push(task);
        }
    }
}
