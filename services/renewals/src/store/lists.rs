//! Deals by money at risk (RN-3), tasks by due date; paged by key.

use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait};
use serde::{Deserialize, Serialize};
use upswell_runtime::problem::Problem;

use super::{
    Reads,
    entities::{alert, deal, task},
    rows::{read_deal, read_task},
    work::alerts_fetch,
};
use crate::domain::{deal::Deal, task::Task};

/// Which deals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DealFilter {
    /// Only of this account.
    pub account_id: Option<String>,
    /// Also renewed and lost ones.
    pub include_closed: bool,
}

/// A deal and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedDeal {
    /// The account.
    pub account_id: String,
    /// The subscription.
    pub subscription_id: String,
    /// The deal.
    pub deal: Deal,
}

/// The place of a deal in its list: currency, money at risk, renewal day, id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DealKey(String, i64, i32, String);

/// One deal, if there is such a deal.
pub async fn deal_fetch(db: &impl Reads, deal_id: &str) -> Result<Option<ListedDeal>, Problem> {
    let row = deal::Entity::find_by_id(deal_id).one(db).await?;
    row.map(|row| listed(row).map(|(_, deal)| deal)).transpose()
}

/// Up to `limit` deals after `after`, and the key of each. Amounts of two currencies are never compared: each currency is
/// a list of its own, one behind the other.
pub async fn deal_list(
    db: &impl Reads,
    filter: &DealFilter,
    after: Option<&DealKey>,
    limit: u64,
) -> Result<Vec<(DealKey, ListedDeal)>, Problem> {
    let mut query = deal::Entity::find();
    if let Some(account_id) = &filter.account_id {
        query = query.filter(deal::Column::AccountId.eq(account_id));
    }
    if !filter.include_closed {
        query = query.filter(deal::Column::Closed.eq(false));
    }
    if let Some(key) = after {
        query = query.filter(behind(key));
    }
    let rows = query
        .order_by_asc(deal::Column::Currency)
        .order_by_desc(deal::Column::AtRiskMinor)
        .order_by_asc(deal::Column::RenewalOn)
        .order_by_asc(deal::Column::DealId)
        .limit(limit)
        .all(db)
        .await?;
    rows.into_iter().map(listed).collect()
}

fn behind(DealKey(currency, at_risk, renewal_on, deal_id): &DealKey) -> Condition {
    use deal::Column;
    let by_date = Condition::any().add(Column::RenewalOn.gt(*renewal_on)).add(
        Condition::all()
            .add(Column::RenewalOn.eq(*renewal_on))
            .add(Column::DealId.gt(deal_id)),
    );
    let by_money = Condition::any()
        .add(Column::AtRiskMinor.lt(*at_risk))
        .add(Condition::all().add(Column::AtRiskMinor.eq(*at_risk)).add(by_date));
    Condition::any()
        .add(Column::Currency.gt(currency))
        .add(Condition::all().add(Column::Currency.eq(currency)).add(by_money))
}

fn listed(row: deal::Model) -> Result<(DealKey, ListedDeal), Problem> {
    let deal = read_deal(&row)?;
    let deal::Model {
        account_id,
        subscription_id,
        currency,
        at_risk_minor,
        renewal_on,
        deal_id,
        ..
    } = row;
    Ok((
        DealKey(currency, at_risk_minor, renewal_on, deal_id),
        ListedDeal {
            account_id,
            subscription_id,
            deal,
        },
    ))
}

/// Which tasks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskFilter {
    /// Only of this person: those in whose charge they are, and those that came to them because they are late.
    pub assignee_id: Option<String>,
    /// Only of this deal, onboarding plan or review.
    pub deal_id: Option<String>,
    /// Only of this account.
    pub account_id: Option<String>,
    /// Also done and cancelled ones.
    pub include_closed: bool,
}

/// A task and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedTask {
    /// The account.
    pub account_id: String,
    /// The task.
    pub task: Task,
    /// How far it has gone, and who was told last.
    pub alert: Option<(i32, String)>,
}

/// One task, if there is such a task.
pub async fn task_fetch(db: &impl Reads, task_id: &str) -> Result<Option<ListedTask>, Problem> {
    let rows: Vec<task::Model> = task::Entity::find_by_id(task_id).all(db).await?;
    Ok(tasks_listed(db, rows).await?.pop().map(|(_, task)| task))
}

/// The place of a task in its list: due day, id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskKey(i32, String);

/// Up to `limit` tasks after `after`, and the key of each; the earliest due comes first.
pub async fn task_list(
    db: &impl Reads,
    filter: &TaskFilter,
    after: Option<&TaskKey>,
    limit: u64,
) -> Result<Vec<(TaskKey, ListedTask)>, Problem> {
    use task::Column;
    let mut query = task::Entity::find();
    if let Some(assignee_id) = &filter.assignee_id {
        let told = alert::Entity::find()
            .select_only()
            .column(alert::Column::TaskId)
            .filter(alert::Column::PersonId.eq(assignee_id));
        let told = Column::TaskId.in_subquery(QueryTrait::into_query(told));
        query = query.filter(Condition::any().add(Column::AssigneeId.eq(assignee_id)).add(told));
    }
    if let Some(deal_id) = &filter.deal_id {
        query = query.filter(Column::DealId.eq(deal_id));
    }
    if let Some(account_id) = &filter.account_id {
        query = query.filter(Column::AccountId.eq(account_id));
    }
    if !filter.include_closed {
        query = query.filter(Column::Closed.eq(false));
    }
    if let Some(TaskKey(due_on, task_id)) = after {
        let same_day = Condition::all()
            .add(Column::DueOn.eq(*due_on))
            .add(Column::TaskId.gt(task_id));
        query = query.filter(Condition::any().add(Column::DueOn.gt(*due_on)).add(same_day));
    }
    let rows = query
        .order_by_asc(Column::DueOn)
        .order_by_asc(Column::TaskId)
        .limit(limit)
        .all(db)
        .await?;
    tasks_listed(db, rows).await
}

async fn tasks_listed(db: &impl Reads, rows: Vec<task::Model>) -> Result<Vec<(TaskKey, ListedTask)>, Problem> {
    let mut alerts = alerts_fetch(db, &rows).await?;
    let mut listed = |row: task::Model| {
        let key = TaskKey(row.due_on, row.task_id.clone());
        let task = ListedTask {
            account_id: row.account_id.clone(),
            alert: alerts.remove(&row.task_id),
            task: read_task(row)?,
        };
        Ok((key, task))
    };
    rows.into_iter().map(&mut listed).collect()
}
