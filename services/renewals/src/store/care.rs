//! Onboarding plans and reviews.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait as _},
};
use serde::{Deserialize, Serialize};
use upswell_runtime::{
    db::{Tx, epoch_day, from_epoch_day, micros},
    problem::Problem,
};

use super::{
    Reads, accounts,
    entities::{account, deal, plan, review, subscription, task, version},
    rows::{from_json, id, json, read_task, task_row, word},
    upsert,
};
use crate::domain::{
    account::Account,
    care::{AgendaItem, Care, Figure, Plan, Review, ReviewState},
    task::Task,
};

/// The care of an account and what its decisions depend on.
#[derive(Clone, Debug)]
pub struct CarePicture {
    /// The care.
    pub care: Care,
    /// The account.
    pub account: Account,
    /// First day of its first contract.
    pub customer_from: Option<Date>,
    /// The nearest open deal: the day to which its stages count down, and the day it renews.
    pub next_deal: Option<(Date, Date)>,
}

/// The part of a review that is filled when it is prepared.
#[derive(Default, Serialize, Deserialize)]
struct Prepared {
    invited: Vec<String>,
    agenda: Vec<AgendaItem>,
    figures: Vec<Figure>,
}

/// Up to `limit` accounts whose care has to be looked at by `now`, the longest waiting first.
pub async fn care_due_fetch(db: &impl Reads, now: Timestamp, limit: u64) -> Result<Vec<String>, Problem> {
    let due = account::Entity::find()
        .select_only()
        .column(account::Column::AccountId)
        .filter(account::Column::CareAt.lte(micros(now)))
        .order_by_asc(account::Column::CareAt)
        .order_by_asc(account::Column::AccountId)
        .limit(limit);
    Ok(due.into_tuple().all(db).await?)
}

/// The care of these accounts; unknown ones are left out.
pub async fn care_load(db: &impl Reads, account_ids: &[String]) -> Result<Vec<CarePicture>, Problem> {
    let mut pictures = BTreeMap::new();
    for row in account::Entity::find()
        .filter(account::Column::AccountId.is_in(account_ids))
        .all(db)
        .await?
    {
        let account_id = row.account_id.clone();
        let picture = CarePicture {
            care: Care::new(account_id.as_str()),
            account: accounts::read(row)?,
            customer_from: None,
            next_deal: None,
        };
        pictures.insert(account_id, picture);
    }
    contracts_load(db, account_ids, &mut pictures).await?;
    for row in plan::Entity::find()
        .filter(plan::Column::AccountId.is_in(account_ids))
        .all(db)
        .await?
    {
        if let Some(picture) = pictures.get_mut(&row.account_id) {
            picture.care.plan = Some(read_plan(&row)?);
        }
    }
    let reviews = review::Entity::find().filter(review::Column::AccountId.is_in(account_ids));
    for row in reviews.order_by_asc(review::Column::QuarterOn).all(db).await? {
        if let Some(picture) = pictures.get_mut(&row.account_id) {
            picture.care.reviews.push(read_review(row)?);
        }
    }
    tasks_load(db, &mut pictures).await?;
    Ok(pictures.into_values().collect())
}

type Pictures = BTreeMap<String, CarePicture>;

async fn contracts_load(db: &impl Reads, account_ids: &[String], pictures: &mut Pictures) -> Result<(), Problem> {
    let first: Vec<(String, Option<i32>)> = subscription::Entity::find()
        .select_only()
        .column(subscription::Column::AccountId)
        .column_as(
            Expr::col((version::Entity, version::Column::EffectiveOn)).min(),
            "first_on",
        )
        .join(
            sea_orm::JoinType::InnerJoin,
            subscription::Entity::belongs_to(version::Entity)
                .from(subscription::Column::SubscriptionId)
                .to(version::Column::SubscriptionId)
                .into(),
        )
        .filter(subscription::Column::AccountId.is_in(account_ids))
        .filter(version::Column::Superseded.eq(false))
        .group_by(subscription::Column::AccountId)
        .into_tuple()
        .all(db)
        .await?;
    for (account_id, first_on) in first {
        if let Some(picture) = pictures.get_mut(&account_id) {
            picture.customer_from = first_on.map(from_epoch_day);
        }
    }
    let deals = deal::Entity::find()
        .filter(deal::Column::AccountId.is_in(account_ids))
        .filter(deal::Column::Closed.eq(false))
        .order_by_desc(deal::Column::AnchorOn);
    // The nearest one comes last and stays.
    for row in deals.all(db).await? {
        if let Some(picture) = pictures.get_mut(&row.account_id) {
            picture.next_deal = Some((from_epoch_day(row.anchor_on), from_epoch_day(row.renewal_on)));
        }
    }
    Ok(())
}

async fn tasks_load(db: &impl Reads, pictures: &mut Pictures) -> Result<(), Problem> {
    let mut owners = BTreeMap::new();
    for (account_id, picture) in pictures.iter() {
        let reviews = picture.care.reviews.iter().map(|review| review.review_id);
        let plan = picture.care.plan.iter().map(|plan| plan.plan_id);
        owners.extend(reviews.chain(plan).map(|id| (id.to_string(), account_id.clone())));
    }
    let subjects = owners.keys().map(String::as_str);
    let tasks = task::Entity::find().filter(task::Column::DealId.is_in(subjects));
    for row in tasks.order_by_asc(task::Column::TaskId).all(db).await? {
        if let Some(picture) = owners.get(&row.deal_id).and_then(|id| pictures.get_mut(id)) {
            picture.care.tasks.push(read_task(row)?);
        }
    }
    Ok(())
}

/// Writes what changed, and when to look again.
pub async fn care_save(tx: &Tx, before: &Care, after: &Care, care_at: Option<Timestamp>) -> Result<(), Problem> {
    let plans = after.plan.iter().filter(|plan| before.plan.as_ref() != Some(plan));
    upsert::<plan::Entity>(tx, plans.map(|plan| plan_row(&after.account_id, plan)).collect()).await?;
    let changed = after.reviews.iter().filter(|review| !before.reviews.contains(review));
    let reviews = changed
        .map(|review| review_row(&after.account_id, review))
        .collect::<Result<_, _>>()?;
    upsert::<review::Entity>(tx, reviews).await?;
    let tasks = after.tasks.iter().filter(|task: &&Task| !before.tasks.contains(task));
    upsert::<task::Entity>(tx, tasks.map(|task| task_row(&after.account_id, task)).collect()).await?;
    let update = account::Entity::update_many()
        .col_expr(account::Column::CareAt, Expr::value(care_at.map(micros)))
        .filter(account::Column::AccountId.eq(after.account_id.as_str()));
    update.exec(&**tx).await?;
    Ok(())
}

/// The account of an onboarding plan, a review, or a task of one of them, if there.
pub async fn care_account_fetch(db: &impl Reads, subject_id: &str) -> Result<Option<String>, Problem> {
    let review = review::Entity::find_by_id(subject_id)
        .select_only()
        .column(review::Column::AccountId);
    if let Some(found) = review.into_tuple().one(db).await? {
        return Ok(Some(found));
    }
    let plan = plan::Entity::find_by_id(subject_id)
        .select_only()
        .column(plan::Column::AccountId);
    Ok(plan.into_tuple().one(db).await?)
}

/// Which reviews.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReviewFilter {
    /// Only of this account.
    pub account_id: Option<String>,
    /// Only of accounts of this person.
    pub owner_id: Option<String>,
    /// Also those that were held or dropped.
    pub include_closed: bool,
}

/// The place of a review or plan in its list: day, id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayKey(i32, String);

/// A review and whose it is.
#[derive(Clone, Debug, PartialEq)]
pub struct ListedReview {
    /// The account's id.
    pub account_id: String,
    /// The account.
    pub account: Account,
    /// The review.
    pub review: Review,
}

/// Up to `limit` reviews after `after`, by day, and the key of each.
pub async fn review_list(
    db: &impl Reads,
    filter: &ReviewFilter,
    after: Option<&DayKey>,
    limit: u64,
) -> Result<Vec<(DayKey, ListedReview)>, Problem> {
    use review::Column;
    let mut query = review::Entity::find();
    if let Some(account_id) = &filter.account_id {
        query = query.filter(Column::AccountId.eq(account_id));
    }
    if let Some(owner_id) = &filter.owner_id {
        let own = account::Entity::find()
            .select_only()
            .column(account::Column::AccountId)
            .filter(account::Column::OwnerId.eq(owner_id));
        query = query.filter(Column::AccountId.in_subquery(sea_orm::QueryTrait::into_query(own)));
    }
    if !filter.include_closed {
        query = query.filter(Column::Closed.eq(false));
    }
    if let Some(DayKey(day, review_id)) = after {
        let same = Condition::all()
            .add(Column::HeldOn.eq(*day))
            .add(Column::ReviewId.gt(review_id));
        query = query.filter(Condition::any().add(Column::HeldOn.gt(*day)).add(same));
    }
    let query = query.order_by_asc(Column::HeldOn).order_by_asc(Column::ReviewId);
    let rows = query.limit(limit).all(db).await?;
    let ids = rows.iter().map(|row| row.account_id.as_str());
    let accounts = account::Entity::find()
        .filter(account::Column::AccountId.is_in(ids))
        .all(db)
        .await?;
    let accounts: BTreeMap<String, account::Model> =
        accounts.into_iter().map(|row| (row.account_id.clone(), row)).collect();
    let listed = |row: review::Model| {
        let key = DayKey(row.held_on, row.review_id.clone());
        let account = accounts.get(&row.account_id).cloned();
        let item = ListedReview {
            account_id: row.account_id.clone(),
            account: account.map_or(Ok(Account::unknown()), accounts::read)?,
            review: read_review(row)?,
        };
        Ok((key, item))
    };
    rows.into_iter().map(listed).collect()
}

/// Up to `limit` onboarding plans after `after`, by first day, and the key of each; `owner_id` and unfinished ones only.
pub async fn plan_list(
    db: &impl Reads,
    owner_id: Option<&str>,
    include_finished: bool,
    after: Option<&DayKey>,
    limit: u64,
) -> Result<Vec<(DayKey, Care)>, Problem> {
    use plan::Column;
    let mut query = plan::Entity::find();
    if let Some(owner_id) = owner_id {
        query = query.filter(Column::OwnerId.eq(owner_id));
    }
    if !include_finished {
        query = query.filter(Column::Finished.eq(false));
    }
    if let Some(DayKey(day, plan_id)) = after {
        let same = Condition::all()
            .add(Column::StartedOn.eq(*day))
            .add(Column::PlanId.gt(plan_id));
        query = query.filter(Condition::any().add(Column::StartedOn.gt(*day)).add(same));
    }
    let query = query.order_by_asc(Column::StartedOn).order_by_asc(Column::PlanId);
    let rows = query.limit(limit).all(db).await?;
    let ids = rows.iter().map(|row| row.plan_id.as_str());
    let mut tasks: BTreeMap<String, Vec<Task>> = BTreeMap::new();
    for row in task::Entity::find()
        .filter(task::Column::DealId.is_in(ids))
        .all(db)
        .await?
    {
        tasks.entry(row.deal_id.clone()).or_default().push(read_task(row)?);
    }
    let listed = |row: plan::Model| {
        let mut care = Care::new(row.account_id.as_str());
        care.plan = Some(read_plan(&row)?);
        care.tasks = tasks.get(&row.plan_id).cloned().unwrap_or_default();
        Ok((DayKey(row.started_on, row.plan_id), care))
    };
    rows.into_iter().map(listed).collect()
}

fn plan_row(account_id: &str, plan: &Plan) -> plan::Model {
    plan::Model {
        plan_id: plan.plan_id.to_string(),
        account_id: account_id.to_owned(),
        owner_id: plan.owner_id.clone(),
        given: plan.given,
        started_on: epoch_day(plan.started_on),
        finished: plan.finished,
        version: plan.version,
    }
}

fn read_plan(row: &plan::Model) -> Result<Plan, Problem> {
    Ok(Plan {
        plan_id: id(&row.plan_id)?,
        owner_id: row.owner_id.clone(),
        given: row.given,
        started_on: from_epoch_day(row.started_on),
        finished: row.finished,
        version: row.version,
    })
}

fn review_row(account_id: &str, review: &Review) -> Result<review::Model, Problem> {
    let preparation = Prepared {
        invited: review.invited.clone(),
        agenda: review.agenda.clone(),
        figures: review.figures.clone(),
    };
    Ok(review::Model {
        review_id: review.review_id.to_string(),
        account_id: account_id.to_owned(),
        quarter_on: epoch_day(review.quarter_on),
        held_on: epoch_day(review.held_on),
        chosen: review.chosen,
        minutes: review.minutes,
        state: review.state.to_string(),
        closed: matches!(review.state, ReviewState::Summarized | ReviewState::Dropped),
        preparation: json(&preparation)?,
        expansion_talk: review.expansion_talk,
        reason: review.reason.clone(),
        summary: review.summary.clone(),
        version: review.version,
    })
}

fn read_review(row: review::Model) -> Result<Review, Problem> {
    let Prepared {
        invited,
        agenda,
        figures,
    } = from_json(&row.preparation)?;
    Ok(Review {
        review_id: id(&row.review_id)?,
        quarter_on: from_epoch_day(row.quarter_on),
        held_on: from_epoch_day(row.held_on),
        chosen: row.chosen,
        minutes: row.minutes,
        state: word(&row.state)?,
        invited,
        agenda,
        figures,
        expansion_talk: row.expansion_talk,
        reason: row.reason,
        summary: row.summary,
        version: row.version,
    })
}
