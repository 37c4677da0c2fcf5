//! Reviews and onboarding plans: settled by the calendar, prepared from ingestion's figures, changed by people.

use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp, civil::Date};
use upswell_runtime::{db::Tx, jobs::Job, problem::Problem};
use uuid::Uuid;

use super::{App, Once};
use crate::{
    domain::{
        account::{Account, days_before},
        care::{self, Care, Review, ReviewFault, Surroundings},
        renewal::DealFault,
    },
    error::RenewalError,
    store::{self, CarePicture, ListedReview},
};

/// Accounts in one transaction.
const BATCH: u64 = 100;
/// How often the calendar is looked at.
const PERIOD: Duration = Duration::from_secs(60);
/// When to ask ingestion again that could not be reached.
const RETRY: SignedDuration = SignedDuration::from_mins(10);

/// What a person does to a review.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReviewDeed {
    /// Moves it to another day, for a reason.
    Move(Date, String),
    /// It was held, or is dropped for a reason.
    Close(Option<String>),
    /// Sends the summary.
    Summarize(String),
}

/// Keeps the care of accounts up with the calendar.
pub struct SettleCare {
    app: App,
}

impl SettleCare {
    /// The job over the use cases.
    pub fn new(app: App) -> Self {
        Self { app }
    }
}

#[async_trait]
impl Job for SettleCare {
    fn name(&self) -> &'static str {
        "renewals.care"
    }

    fn period(&self) -> Duration {
        PERIOD
    }

    fn event_driven(&self) -> bool {
        true
    }

    async fn run_once(&self, now: Timestamp) -> Result<usize, Problem> {
        let mut total = 0;
        loop {
            let due = store::care_due_fetch(self.app.db.reader(), now, BATCH).await?;
            if due.is_empty() {
                return Ok(total);
            }
            let prepared = self.app.prepare(&due, now).await?;
            let tx = self.app.db.begin().await?;
            store::accounts_lock(&tx, due.iter().map(String::as_str)).await?;
            for picture in store::care_load(&*tx, &due).await? {
                self.app.settle_care(&tx, picture, &prepared, now).await?;
            }
            tx.commit().await?;
            total += due.len();
        }
    }
}

/// Reviews that ingestion's figures have come for.
type Prepared = Vec<(Uuid, care::Figures)>;

impl App {
    /// Asks ingestion about the reviews whose preparation is due; those it cannot tell of are left out, and so are all
    /// that follow when it is away.
    async fn prepare(&self, account_ids: &[String], now: Timestamp) -> Result<Prepared, Problem> {
        let mut prepared = Prepared::new();
        for picture in store::care_load(self.db.reader(), account_ids).await? {
            let today = picture.account.today(now);
            for review in picture.care.to_prepare(self.rules.care.prepare_days, today) {
                match self.ingestion.figures(&picture.care.account_id, now).await {
                    Ok(figures) => prepared.push((review.review_id, figures)),
                    Err(problem) => {
                        tracing::debug!(review.id = %review.review_id, error = %problem, "a review waits for its figures");
                        if problem.is_transient() {
                            return Ok(prepared);
                        }
                    }
                }
            }
        }
        Ok(prepared)
    }

    async fn settle_care(
        &self,
        tx: &Tx,
        picture: CarePicture,
        prepared: &Prepared,
        now: Timestamp,
    ) -> Result<(), Problem> {
        let mut care = picture.care.clone();
        let today = picture.account.today(now);
        let country = self.rules.policy.countries.of(&picture.account.country);
        let mut waits = false;
        let due: Vec<Uuid> = care
            .to_prepare(self.rules.care.prepare_days, today)
            .map(|review| review.review_id)
            .collect();
        for review in care.reviews.iter_mut().filter(|review| due.contains(&review.review_id)) {
            let figures = prepared.iter().find(|(id, _)| *id == review.review_id);
            let Some((_, figures)) = figures else {
                waits = true;
                continue;
            };
            let renewal_on = picture.next_deal.map_or(review.held_on, |(_, renewal_on)| renewal_on);
            let account = &picture.account;
            let preparation = care::prepare(
                figures.clone(),
                account.health,
                account.open_critical,
                country,
                review.held_on,
                renewal_on,
            );
            review.prepared(preparation);
        }
        self.save_care(tx, &picture, care, waits, now).await
    }

    /// Settles and writes a care that was changed; `waits` looks at it again soon.
    async fn save_care(
        &self,
        tx: &Tx,
        picture: &CarePicture,
        care: Care,
        waits: bool,
        now: Timestamp,
    ) -> Result<(), Problem> {
        let around = self.surroundings(picture);
        let (after, check_on) = care.decided(&picture.care, around, now);
        let tomorrow = days_before(picture.account.today(now), -1);
        // A review that is to be prepared is due every day until it is.
        let check_on = if waits { Some(tomorrow) } else { check_on };
        let check_at = check_on.and_then(|day| picture.account.start_of(day));
        let soon = now.checked_add(RETRY).ok().filter(|_| waits);
        let care_at = soon.into_iter().chain(check_at).min();
        store::care_save(tx, &picture.care, &after, care_at).await
    }

    fn surroundings<'a>(&'a self, picture: &'a CarePicture) -> Surroundings<'a> {
        Surroundings {
            account: &picture.account,
            country: self.rules.policy.countries.of(&picture.account.country),
            customer_from: picture.customer_from,
            anchor_on: picture.next_deal.map(|(anchor_on, _)| anchor_on),
            prepare_days: self.rules.care.prepare_days,
            minutes: self.rules.care.review_minutes,
        }
    }

    /// Changes a review.
    pub async fn change_review(
        &self,
        once: &Once,
        (review_id, etag): (Uuid, String),
        deed: ReviewDeed,
        render: fn(ListedReview) -> Vec<u8>,
    ) -> Result<Vec<u8>, RenewalError> {
        let fault = |fault| RenewalError::Review {
            id: review_id.to_string(),
            fault,
        };
        self.care_once(
            once,
            review_id,
            |care, account, now| {
                let found = care.reviews.iter_mut().find(|review| review.review_id == review_id);
                let review: &mut Review = found.ok_or_else(|| fault(ReviewFault::NoReview))?;
                match deed.clone() {
                    ReviewDeed::Move(day, reason) => review.moved(&etag, day, reason, account.today(now)),
                    ReviewDeed::Close(dropped) => review.closed(&etag, dropped),
                    ReviewDeed::Summarize(summary) => review.summarized(&etag, summary),
                }
                .map_err(fault)
            },
            |picture| {
                let review = picture
                    .care
                    .reviews
                    .iter()
                    .find(|review| review.review_id == review_id)?;
                Some(render(ListedReview {
                    account_id: picture.care.account_id.clone(),
                    account: picture.account.clone(),
                    review: review.clone(),
                }))
            },
        )
        .await
    }

    /// Gives an onboarding plan to another person.
    pub async fn give_plan(
        &self,
        once: &Once,
        (plan_id, etag): (Uuid, String),
        owner_id: String,
        render: fn(Care) -> Vec<u8>,
    ) -> Result<Vec<u8>, RenewalError> {
        let fault = |fault| RenewalError::Review {
            id: plan_id.to_string(),
            fault,
        };
        self.care_once(
            once,
            plan_id,
            |care, _, _| {
                let plan = care.plan.as_mut().filter(|plan| plan.plan_id == plan_id);
                let plan = plan.ok_or_else(|| fault(ReviewFault::NoPlan))?;
                if plan.version.to_string() != etag {
                    return Err(fault(ReviewFault::Changed));
                }
                plan.owner_id.clone_from(&owner_id);
                plan.given = true;
                Ok(())
            },
            |picture| Some(render(picture.care.clone())),
        )
        .await
    }

    async fn care_once(
        &self,
        once: &Once,
        subject_id: Uuid,
        change: impl Fn(&mut Care, &Account, Timestamp) -> Result<(), RenewalError>,
        answer: impl Fn(&CarePicture) -> Option<Vec<u8>>,
    ) -> Result<Vec<u8>, RenewalError> {
        let tx = self.db.begin().await?;
        if let Some(bytes) = once.begin(&tx).await? {
            return Ok(bytes);
        }
        let now = self.clock.now();
        let ids = self.care_lock(&tx, &subject_id.to_string()).await?;
        let missing = || {
            RenewalError::Below(Problem::not_found(
                "REVIEW_NOT_FOUND",
                format!("{subject_id} does not exist"),
            ))
        };
        let picture = store::care_load(&*tx, &ids).await?.pop().ok_or_else(missing)?;
        let mut care = picture.care.clone();
        change(&mut care, &picture.account, now)?;
        self.save_care(&tx, &picture, care, false, now).await?;
        let after = store::care_load(&*tx, &ids).await?.pop();
        let bytes = after.as_ref().and_then(answer).ok_or_else(missing)?;
        once.finish(&tx, &bytes, now).await?;
        tx.commit().await?;
        Ok(bytes)
    }

    /// The account of a plan or review, with its lock; empty when there is none.
    async fn care_lock(&self, tx: &Tx, subject_id: &str) -> Result<Vec<String>, Problem> {
        let ids: Vec<String> = store::care_account_fetch(&**tx, subject_id)
            .await?
            .into_iter()
            .collect();
        store::accounts_lock(tx, ids.iter().map(String::as_str)).await?;
        Ok(ids)
    }

    /// A person did a task of a plan or review.
    pub(super) async fn care_task_done(
        &self,
        tx: &Tx,
        subject_id: &str,
        task_id: Uuid,
        etag: &str,
        now: Timestamp,
    ) -> Result<(), RenewalError> {
        let ids = self.care_lock(tx, subject_id).await?;
        let missing = || RenewalError::TaskNotFound(task_id.to_string());
        let picture = store::care_load(&**tx, &ids).await?.pop().ok_or_else(missing)?;
        let mut care = picture.care.clone();
        let task = care
            .tasks
            .iter_mut()
            .find(|task| task.task_id == task_id)
            .ok_or_else(missing)?;
        let fault = |fault: DealFault| RenewalError::Fault {
            id: format!("task {task_id}"),
            fault,
        };
        task.done(etag, now).map_err(fault)?;
        Ok(self.save_care(tx, &picture, care, false, now).await?)
    }
}
