//! Approval requests (C-14).

use jiff::Timestamp;
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr};
use upswell_runtime::{
    db::{Tx, from_micros, micros},
    problem::Problem,
};
use uuid::Uuid;

use super::{
    Reads,
    entities::approval::{Column, Entity, Model},
    from_json, json, upsert, word,
};
use crate::domain::approval::{Approval, ApprovalState};

/// One request.
pub async fn approval_fetch(db: &impl Reads, id: Uuid) -> Result<Option<Approval>, Problem> {
    Entity::find_by_id(id).one(db).await?.map(from_row).transpose()
}

/// Stores requests as they stand now.
pub async fn approvals_save(tx: &Tx, approvals: &[Approval]) -> Result<(), Problem> {
    let rows: Result<Vec<_>, _> = approvals.iter().map(to_row).collect();
    upsert::<Entity>(tx, rows?).await
}

/// Uses an approval up for one touch, by compare-and-set: it must still be approved, for this very content. False
/// when it is not.
pub async fn approval_consume(tx: &Tx, id: Uuid, content_hash: &str, touch_id: Uuid) -> Result<bool, Problem> {
    let update = Entity::update_many()
        .col_expr(Column::State, Expr::value(ApprovalState::Consumed.as_str()))
        .col_expr(Column::ConsumedByTouch, Expr::value(touch_id))
        .filter(Column::ApprovalId.eq(id))
        .filter(Column::State.eq(ApprovalState::Approved.as_str()))
        .filter(Column::ContentHash.eq(content_hash));
    Ok(update.exec(&**tx).await?.rows_affected == 1)
}

/// Up to `limit` requests that nobody decided in time.
pub async fn approval_list_overdue(db: &impl Reads, now: Timestamp, limit: u64) -> Result<Vec<Approval>, Problem> {
    let found = Entity::find()
        .filter(Column::State.eq(ApprovalState::Pending.as_str()))
        .filter(Column::ExpiresAt.lte(micros(now)))
        .order_by_asc(Column::ExpiresAt)
        .order_by_asc(Column::ApprovalId);
    found.limit(limit).all(db).await?.into_iter().map(from_row).collect()
}

/// A page of requests, the longest waiting first, after the one with this request time and id.
pub async fn approval_list(
    db: &impl Reads,
    approver_id: &str,
    states: &[ApprovalState],
    after: Option<(i64, Uuid)>,
    limit: u64,
) -> Result<Vec<Approval>, Problem> {
    let mut found = Entity::find();
    if !approver_id.is_empty() {
        found = found.filter(Column::ApproverId.eq(approver_id));
    }
    if !states.is_empty() {
        found = found.filter(Column::State.is_in(states.iter().map(|state| state.as_str())));
    }
    if let Some((at, id)) = after {
        let same = Condition::all()
            .add(Column::RequestedAt.eq(at))
            .add(Column::ApprovalId.gt(id));
        found = found.filter(Condition::any().add(Column::RequestedAt.gt(at)).add(same));
    }
    let found = found.order_by_asc(Column::RequestedAt).order_by_asc(Column::ApprovalId);
    found.limit(limit).all(db).await?.into_iter().map(from_row).collect()
}

/// The requests of a person that were decided at or after `since`, at most `limit`; an empty `decided_by` means everybody.
pub async fn approval_list_decided(
    db: &impl Reads,
    decided_by: &str,
    since: Timestamp,
    limit: u64,
) -> Result<Vec<Approval>, Problem> {
    let mut found = Entity::find()
        .filter(Column::DecidedAt.gte(micros(since)))
        .filter(Column::DecidedBy.ne(""));
    if !decided_by.is_empty() {
        found = found.filter(Column::DecidedBy.eq(decided_by));
    }
    let found = found.order_by_desc(Column::DecidedAt).order_by_asc(Column::ApprovalId);
    found.limit(limit).all(db).await?.into_iter().map(from_row).collect()
}

fn to_row(approval: &Approval) -> Result<Model, Problem> {
    Ok(Model {
        approval_id: approval.id,
        offer_id: approval.offer_id,
        account_id: approval.account_id.clone(),
        snapshot: json(&approval.snapshot)?,
        content_hash: approval.content_hash.clone(),
        author: approval.author.clone(),
        approver_id: approval.approver_id.clone(),
        passed_over: json(&approval.passed_over)?,
        state: approval.state.to_string(),
        requested_at: micros(approval.requested_at),
        expires_at: micros(approval.expires_at),
        decided_at: approval.decided_at.map(micros),
        decided_by: approval.decided_by.clone(),
        comment: approval.comment.clone(),
        consumed_by_touch: approval.consumed_by_touch,
    })
}

fn from_row(row: Model) -> Result<Approval, Problem> {
    Ok(Approval {
        id: row.approval_id,
        offer_id: row.offer_id,
        account_id: row.account_id,
        snapshot: from_json(&row.snapshot)?,
        content_hash: row.content_hash,
        author: row.author,
        approver_id: row.approver_id,
        passed_over: from_json(&row.passed_over)?,
        state: word(&row.state)?,
        requested_at: from_micros(row.requested_at),
        expires_at: from_micros(row.expires_at),
        decided_at: row.decided_at.map(from_micros),
        decided_by: row.decided_by,
        comment: row.comment,
        consumed_by_touch: row.consumed_by_touch,
    })
}
