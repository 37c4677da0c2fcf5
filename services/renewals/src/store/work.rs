//! Add-ons, and who is told of late work.

use std::collections::BTreeMap;

use jiff::civil::Date;
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait, OnConflict},
};
use serde::{Deserialize, Serialize};
use upswell_runtime::{
    db::{Tx, epoch_day, from_epoch_day, from_micros, micros},
    money::Money,
    problem::Problem,
};

use super::{
    Reads,
    entities::{absence, add_on, alert, notice, task},
    rows::{id, word},
    upsert,
};
use crate::domain::{
    contract::AddOn,
    duty::{Absence, Alert, Notice},
};

/// Stores a version of an add-on as it stands now.
pub async fn add_on_save(tx: &Tx, account_id: &str, version: &AddOn) -> Result<(), Problem> {
    let row = add_on::Model {
        version_id: version.version_id.clone(),
        subscription_id: version.subscription_id.clone(),
        account_id: account_id.to_owned(),
        effective_on: epoch_day(version.effective_on),
        end_on: version.end_on.map(epoch_day),
        renewal_on: version.renewal_on.map(epoch_day),
        mrr_minor: version.mrr.minor,
        currency: version.mrr.currency.to_string(),
        occurred_at: micros(version.occurred_at),
        superseded: version.superseded,
    };
    upsert::<add_on::Entity>(tx, vec![row]).await
}

pub(super) fn read_add_on(row: add_on::Model) -> Result<AddOn, Problem> {
    Ok(AddOn {
        version_id: row.version_id,
        subscription_id: row.subscription_id,
        effective_on: from_epoch_day(row.effective_on),
        end_on: row.end_on.map(from_epoch_day),
        renewal_on: row.renewal_on.map(from_epoch_day),
        mrr: Money::new(row.mrr_minor, row.currency.parse().map_err(Problem::internal)?),
        occurred_at: from_micros(row.occurred_at),
        superseded: row.superseded,
    })
}

/// Open work whose next notice may be due.
#[derive(Clone, Debug)]
pub struct LateTask {
    /// The task.
    pub task_id: String,
    /// What it is.
    pub kind: String,
    /// The account.
    pub account_id: String,
    /// Who is in charge.
    pub assignee_id: String,
    /// By when.
    pub due_on: Date,
}

/// Up to `limit` open tasks behind `after` that are due by `day` and whose next notice is, by id.
pub async fn late_tasks_fetch(db: &impl Reads, day: Date, after: &str, limit: u64) -> Result<Vec<LateTask>, Problem> {
    let day = epoch_day(day);
    let join = task::Entity::belongs_to(alert::Entity)
        .from(task::Column::TaskId)
        .to(alert::Column::TaskId)
        .into();
    let waiting = Condition::any()
        .add(alert::Column::TaskId.is_null())
        .add(ExprTrait::ne(
            Expr::col((alert::Entity, alert::Column::DueOn)),
            Expr::col((task::Entity, task::Column::DueOn)),
        ))
        .add(alert::Column::NextOn.lte(day));
    let rows = task::Entity::find()
        .join(JoinType::LeftJoin, join)
        .filter(task::Column::Closed.eq(false))
        .filter(task::Column::DueOn.lte(day))
        .filter(task::Column::TaskId.gt(after))
        .filter(waiting)
        .order_by_asc(task::Column::TaskId)
        .limit(limit)
        .all(db)
        .await?;
    let late = |row: task::Model| LateTask {
        task_id: row.task_id,
        kind: row.kind,
        account_id: row.account_id,
        assignee_id: row.assignee_id,
        due_on: from_epoch_day(row.due_on),
    };
    Ok(rows.into_iter().map(late).collect())
}

/// Writes alerts; a notice that is there stays as it is. The number of notices that are new.
pub async fn alerts_save(tx: &Tx, alerts: &[(Date, Alert)]) -> Result<usize, Problem> {
    let mut rows = Vec::with_capacity(alerts.len());
    for (due_on, alert) in alerts {
        rows.push(alert::Model {
            task_id: alert.notice.subject_id.clone(),
            due_on: epoch_day(*due_on),
            level: alert.notice.kind.level(),
            person_id: alert.notice.person_id.clone(),
            next_on: alert.next_on.map(epoch_day),
        });
    }
    upsert::<alert::Entity>(tx, rows).await?;
    notices_insert(tx, alerts.iter().map(|(_, alert)| &alert.notice)).await
}

/// Keeps notices, each once; how many are new.
pub async fn notices_insert<'a>(tx: &Tx, notices: impl Iterator<Item = &'a Notice>) -> Result<usize, Problem> {
    let rows: Vec<_> = notices.map(notice_row).collect();
    if rows.is_empty() {
        return Ok(0);
    }
    let conflict = OnConflict::column(notice::Column::NoticeId).do_nothing().to_owned();
    let inserted = notice::Entity::insert_many(rows)
        .on_conflict(conflict)
        .exec_without_returning(&**tx)
        .await?;
    Ok(usize::try_from(inserted).unwrap_or_default())
}

fn notice_row(notice: &Notice) -> notice::ActiveModel {
    notice::ActiveModel {
        notice_id: sea_orm::Set(notice.notice_id.to_string()),
        person_id: sea_orm::Set(notice.person_id.clone()),
        kind: sea_orm::Set(notice.kind.to_string()),
        account_id: sea_orm::Set(notice.account_id.clone()),
        subject_id: sea_orm::Set(notice.subject_id.clone()),
        text: sea_orm::Set(notice.text.clone()),
        made_at: sea_orm::Set(micros(notice.made_at)),
    }
}

/// Level and person of the alerts of these tasks.
pub(super) async fn alerts_fetch(
    db: &impl Reads,
    tasks: &[task::Model],
) -> Result<BTreeMap<String, (i32, String)>, Problem> {
    let ids = tasks.iter().map(|task| task.task_id.as_str());
    let rows = alert::Entity::find()
        .filter(alert::Column::TaskId.is_in(ids))
        .all(db)
        .await?;
    let due: BTreeMap<&str, i32> = tasks.iter().map(|task| (task.task_id.as_str(), task.due_on)).collect();
    let current = rows
        .into_iter()
        .filter(|row| due.get(row.task_id.as_str()) == Some(&row.due_on));
    Ok(current.map(|row| (row.task_id, (row.level, row.person_id))).collect())
}

/// The place of a notice in its list: instant (later first), id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeKey(i64, String);

/// Up to `limit` notices after `after`, the newest first, and the key of each.
pub async fn notice_list(
    db: &impl Reads,
    person_id: Option<&str>,
    after: Option<&NoticeKey>,
    limit: u64,
) -> Result<Vec<(NoticeKey, Notice)>, Problem> {
    use notice::Column;
    let mut query = notice::Entity::find();
    if let Some(person_id) = person_id {
        query = query.filter(Column::PersonId.eq(person_id));
    }
    if let Some(NoticeKey(made_at, notice_id)) = after {
        let same = Condition::all()
            .add(Column::MadeAt.eq(*made_at))
            .add(Column::NoticeId.gt(notice_id));
        query = query.filter(Condition::any().add(Column::MadeAt.lt(*made_at)).add(same));
    }
    let query = query.order_by_desc(Column::MadeAt).order_by_asc(Column::NoticeId);
    let rows = query.limit(limit).all(db).await?;
    let read = |row: notice::Model| {
        let key = NoticeKey(row.made_at, row.notice_id.clone());
        let notice = Notice {
            notice_id: id(&row.notice_id)?,
            person_id: row.person_id,
            kind: word(&row.kind)?,
            account_id: row.account_id,
            subject_id: row.subject_id,
            text: row.text,
            made_at: from_micros(row.made_at),
        };
        Ok((key, notice))
    };
    rows.into_iter().map(read).collect()
}

/// Which absences.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AbsenceFilter {
    /// Only of this person.
    pub person_id: Option<String>,
    /// Only those that last on this day or longer.
    pub from_on: Option<Date>,
}

/// The place of an absence in its list: first day, id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AbsenceKey(i32, String);

/// Up to `limit` absences after `after`, by first day, and the key of each.
pub async fn absence_list(
    db: &impl Reads,
    filter: &AbsenceFilter,
    after: Option<&AbsenceKey>,
    limit: u64,
) -> Result<Vec<(AbsenceKey, Absence)>, Problem> {
    use absence::Column;
    let mut query = absence::Entity::find();
    if let Some(person_id) = &filter.person_id {
        query = query.filter(Column::PersonId.eq(person_id));
    }
    if let Some(day) = filter.from_on {
        query = query.filter(Column::UntilOn.gte(epoch_day(day)));
    }
    if let Some(AbsenceKey(from_on, absence_id)) = after {
        let same = Condition::all()
            .add(Column::FromOn.eq(*from_on))
            .add(Column::AbsenceId.gt(absence_id));
        query = query.filter(Condition::any().add(Column::FromOn.gt(*from_on)).add(same));
    }
    let query = query.order_by_asc(Column::FromOn).order_by_asc(Column::AbsenceId);
    let rows = query.limit(limit).all(db).await?;
    let read = |row: absence::Model| Ok((AbsenceKey(row.from_on, row.absence_id.clone()), read_absence(row)?));
    rows.into_iter().map(read).collect()
}

/// One absence, if there.
pub async fn absence_fetch(db: &impl Reads, absence_id: &str) -> Result<Option<Absence>, Problem> {
    let row = absence::Entity::find_by_id(absence_id).one(db).await?;
    row.map(read_absence).transpose()
}

/// Inserts an absence; false when there is one of the same person and first day.
pub async fn absence_insert(tx: &Tx, absence: &Absence) -> Result<bool, Problem> {
    let row: absence::ActiveModel = absence_row(absence).into();
    let conflict = OnConflict::column(absence::Column::AbsenceId).do_nothing().to_owned();
    let inserted = absence::Entity::insert(row)
        .on_conflict(conflict)
        .exec_without_returning(&**tx)
        .await?;
    Ok(inserted == 1)
}

/// Replaces an absence that is at `version`; false when it is not, or no longer there.
pub async fn absence_replace(tx: &Tx, absence: &Absence, version: i64) -> Result<bool, Problem> {
    let update = absence::Entity::update_many()
        .col_expr(absence::Column::UntilOn, Expr::value(epoch_day(absence.until_on)))
        .col_expr(absence::Column::DelegateId, Expr::value(absence.delegate_id.as_str()))
        .col_expr(absence::Column::Version, Expr::value(absence.version))
        .filter(absence::Column::AbsenceId.eq(absence.absence_id.to_string()))
        .filter(absence::Column::Version.eq(version));
    Ok(update.exec(&**tx).await?.rows_affected == 1)
}

/// Removes an absence that is at `version`; false when it is not.
pub async fn absence_delete(tx: &Tx, absence_id: &str, version: i64) -> Result<bool, Problem> {
    let delete = absence::Entity::delete_many()
        .filter(absence::Column::AbsenceId.eq(absence_id))
        .filter(absence::Column::Version.eq(version));
    Ok(delete.exec(&**tx).await?.rows_affected == 1)
}

fn absence_row(absence: &Absence) -> absence::Model {
    absence::Model {
        absence_id: absence.absence_id.to_string(),
        person_id: absence.person_id.clone(),
        from_on: epoch_day(absence.from_on),
        until_on: epoch_day(absence.until_on),
        delegate_id: absence.delegate_id.clone(),
        version: absence.version,
    }
}

fn read_absence(row: absence::Model) -> Result<Absence, Problem> {
    Ok(Absence {
        absence_id: id(&row.absence_id)?,
        person_id: row.person_id,
        from_on: from_epoch_day(row.from_on),
        until_on: from_epoch_day(row.until_on),
        delegate_id: row.delegate_id,
        version: row.version,
    })
}
