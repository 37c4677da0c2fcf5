//! Signals that people raised (SG-21), and what became of them.

use std::collections::BTreeMap;

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, FromQueryResult, QueryFilter as _, QueryOrder as _,
    sea_query::{Expr, OnConflict},
};
use upswell_runtime::{
    db::{Tx, from_micros, micros},
    problem::Problem,
};
use uuid::Uuid;

use super::entities::{
    raised::{ActiveModel, Column, Entity},
    signal,
};
use crate::domain::{
    facts::{Happening, What},
    signal::Raised,
};

/// Keeps a report; the same id again changes nothing.
pub async fn raised_insert(tx: &Tx, raised: &Raised) -> Result<(), Problem> {
    let row = ActiveModel {
        raised_id: Set(raised.id),
        account_id: Set(raised.account_id.clone()),
        what: Set(raised.what.as_str().to_owned()),
        subject: Set(raised.subject.clone()),
        author: Set(raised.author.clone()),
        note: Set(raised.note.clone()),
        raised_at: Set(micros(raised.raised_at)),
    };
    let known = OnConflict::column(Column::RaisedId).do_nothing().to_owned();
    Entity::insert(row)
        .on_conflict(known)
        .exec_without_returning(&**tx)
        .await?;
    Ok(())
}

/// What people reported of `account_ids`, by account.
pub async fn raised_list(
    conn: &impl ConnectionTrait,
    account_ids: &[String],
) -> Result<BTreeMap<String, Vec<Happening>>, Problem> {
    let rows = Entity::find()
        .filter(Column::AccountId.is_in(account_ids))
        .order_by_asc(Column::RaisedAt);
    let mut raised: BTreeMap<String, Vec<Happening>> = BTreeMap::new();
    for row in rows.all(conn).await? {
        let what = What::parse(&row.what).ok_or_else(|| Problem::internal("a report of an unknown sort"))?;
        raised.entry(row.account_id).or_default().push(Happening {
            what,
            subject: row.subject,
            at: from_micros(row.raised_at),
            percent: None,
            by: row.author,
        });
    }
    Ok(raised)
}

/// Notes how far the offers on these signals came, by the offer's state.
pub async fn signals_note_outcome(tx: &Tx, signal_ids: &[Uuid], outcome: &str) -> Result<(), Problem> {
    signal::Entity::update_many()
        .col_expr(signal::Column::Outcome, Expr::value(outcome))
        .filter(signal::Column::SignalId.is_in(signal_ids.iter().copied()))
        .exec(&**tx)
        .await?;
    Ok(())
}

/// What became of the signals that one person raised.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Raiser {
    /// The person.
    pub raised_by: String,
    /// Signals raised.
    pub raised: i64,
    /// Those that an offer took up.
    pub offered: i64,
    /// Those whose offer was accepted.
    pub accepted: i64,
}

/// Everybody who raised a signal, by name.
pub async fn raisers_list(conn: &impl ConnectionTrait) -> Result<Vec<Raiser>, Problem> {
    let sql = "SELECT raised_by, COUNT(*) AS raised, \
               CAST(SUM(CASE WHEN outcome IS NULL THEN 0 ELSE 1 END) AS BIGINT) AS offered, \
               CAST(SUM(CASE WHEN outcome = 'accepted' THEN 1 ELSE 0 END) AS BIGINT) AS accepted \
               FROM signals WHERE raised_by IS NOT NULL GROUP BY raised_by ORDER BY raised_by";
    super::select(conn, sql, []).await
}
