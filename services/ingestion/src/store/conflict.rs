//! Contents that were refused because another one stands (I-4).

use jiff::Timestamp;
use sea_orm::{
    ConnectionTrait, ExprTrait as _, QueryResult,
    sea_query::{Expr, Order, Query, SelectStatement},
};
use upswell_runtime::{
    db::{Column, Rows, Tx, from_micros, micros},
    problem::Problem,
};

use super::tables::{Conflict, Fact};
use crate::domain::intake::ContentHash;

/// A refused content to note.
#[derive(Clone, Copy, Debug)]
pub struct NewConflict<'a> {
    /// Number of the fact that stands.
    pub fact_id: i64,
    /// Account of the fact that stands.
    pub account_id: &'a str,
    /// Hash of the refused content.
    pub hash: ContentHash,
    /// The refused content.
    pub refused: &'a [u8],
}

/// Two contents.
#[derive(Clone, Debug)]
pub struct StoredConflict {
    /// Its number.
    pub id: i64,
    /// What stands.
    pub recorded: Vec<u8>,
    /// What was refused.
    pub refused: Vec<u8>,
    /// When that arrived first.
    pub at: Timestamp,
    /// What was decided.
    pub resolved: Option<Resolved>,
}

impl StoredConflict {
    /// Changes when the conflict is decided.
    pub fn etag(&self) -> &'static str {
        if self.resolved.is_some() { "decided" } else { "open" }
    }
}

/// Ways to decide a conflict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// What is recorded stands.
    Keep,
    /// What was refused is recorded as its correction.
    Replace,
}

/// How a conflict was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// What was decided.
    pub resolution: Resolution,
    /// Who decided.
    pub actor: String,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
}

/// Notes what was decided; false when the conflict is decided already.
pub async fn conflict_resolve(tx: &Tx, id: i64, resolved: &Resolved) -> Result<bool, Problem> {
    let code: i16 = match resolved.resolution {
        Resolution::Keep => 1,
        Resolution::Replace => 2,
    };
    let mut update = Query::update();
    update
        .table(Conflict::Table)
        .values([
            (Conflict::Resolution, code.into()),
            (Conflict::Resolver, resolved.actor.as_str().into()),
            (Conflict::ResolvedAt, micros(resolved.at).into()),
            (Conflict::Reason, resolved.reason.as_str().into()),
        ])
        .and_where(Expr::col(Conflict::Id).eq(id))
        .and_where(Expr::col(Conflict::Resolution).eq(0_i16));
    Ok(tx.execute(&update).await?.rows_affected() == 1)
}

/// The conflict of a number.
pub async fn conflict_fetch(connection: &impl ConnectionTrait, id: i64) -> Result<Option<StoredConflict>, Problem> {
    let mut select = conflicts_select();
    select.and_where(Expr::col((Conflict::Table, Conflict::Id)).eq(id));
    connection.query_one(&select).await?.as_ref().map(read).transpose()
}

/// Notes refused contents; one that was noted before is not noted again.
pub async fn conflicts_insert(tx: &Tx, conflicts: &[NewConflict<'_>], now: Timestamp) -> Result<(), Problem> {
    let mut rows = Rows::new([
        ("fact_id", Column::BigInt),
        ("account_id", Column::Text),
        ("refused_hash", Column::Bytes),
        ("refused", Column::Bytes),
        ("conflicted_at", Column::BigInt),
    ]);
    for conflict in conflicts {
        rows.push([
            conflict.fact_id.into(),
            conflict.account_id.into(),
            conflict.hash.to_vec().into(),
            conflict.refused.to_vec().into(),
            micros(now).into(),
        ]);
    }
    rows.insert(tx, "conflict", "ON CONFLICT (fact_id, refused_hash) DO NOTHING")
        .await?;
    Ok(())
}

/// Up to `limit` conflicts before number `before`, the newest first, of these accounts or (none) of all; only open ones
/// unless `decided`.
pub async fn conflicts_list(
    connection: &impl ConnectionTrait,
    account_ids: &[&str],
    decided: bool,
    before: i64,
    limit: u64,
) -> Result<Vec<StoredConflict>, Problem> {
    let conflict = |column| Expr::col((Conflict::Table, column));
    let of_accounts = || conflict(Conflict::AccountId).is_in(account_ids.iter().copied());
    let mut select = conflicts_select();
    select
        .and_where(conflict(Conflict::Id).lt(before))
        .and_where_option((!account_ids.is_empty()).then(of_accounts))
        .and_where_option((!decided).then(|| conflict(Conflict::Resolution).eq(0_i16)))
        .order_by((Conflict::Table, Conflict::Id), Order::Desc)
        .limit(limit);
    connection.query_all(&select).await?.iter().map(read).collect()
}

fn conflicts_select() -> SelectStatement {
    let columns = [
        Conflict::Id,
        Conflict::Refused,
        Conflict::ConflictedAt,
        Conflict::Resolution,
        Conflict::Resolver,
        Conflict::ResolvedAt,
        Conflict::Reason,
    ];
    Query::select()
        .columns(columns.map(|column| (Conflict::Table, column)))
        .column((Fact::Table, Fact::Payload))
        .from(Conflict::Table)
        .inner_join(
            Fact::Table,
            Expr::col((Fact::Table, Fact::Id)).equals((Conflict::Table, Conflict::FactId)),
        )
        .take()
}

fn read(row: &QueryResult) -> Result<StoredConflict, Problem> {
    let code: i16 = row.try_get("", "resolution")?;
    let resolution = match code {
        1 => Some(Resolution::Keep),
        2 => Some(Resolution::Replace),
        _ => None,
    };
    let (actor, reason): (String, String) = (row.try_get("", "resolver")?, row.try_get("", "reason")?);
    let at: Option<i64> = row.try_get("", "resolved_at")?;
    let resolved = resolution.map(|resolution| Resolved {
        resolution,
        actor,
        at: from_micros(at.unwrap_or_default()),
        reason,
    });
    Ok(StoredConflict {
        id: row.try_get("", "id")?,
        recorded: row.try_get("", "payload")?,
        refused: row.try_get("", "refused")?,
        at: from_micros(row.try_get("", "conflicted_at")?),
        resolved,
    })
}
