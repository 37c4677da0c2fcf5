//! People's judgements. They are added and ended, never changed or deleted (SC-11).

use std::collections::BTreeMap;

use jiff::Timestamp;
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _, sea_query::Expr,
};
use upswell_runtime::{
    db::{Tx, from_micros, micros},
    problem::Problem,
};
use uuid::Uuid;

use super::{
    entities::judgement::{ActiveModel, Column, Entity, Model},
    maybe_instant, maybe_micros,
};
use crate::domain::overrides::{Override, Subject};

/// Adds a judgement; the one on the same subject that stood until now ends.
pub async fn override_insert(tx: &Tx, made: &Override) -> Result<(), Problem> {
    let standing = Condition::all()
        .add(Column::AccountId.eq(&made.account_id))
        .add(Column::Subject.eq(made.subject.as_str()))
        .add(Column::EndedAt.is_null());
    Entity::update_many()
        .col_expr(Column::EndedAt, Expr::value(micros(made.made_at)))
        .filter(standing)
        .exec(&**tx)
        .await?;
    let row = ActiveModel {
        override_id: Set(made.id),
        account_id: Set(made.account_id.clone()),
        subject: Set(made.subject.as_str().to_owned()),
        value: Set(made.value),
        computed: Set(made.computed),
        author: Set(made.author.clone()),
        reason: Set(made.reason.clone()),
        made_at: Set(micros(made.made_at)),
        expires_at: Set(micros(made.expires_at)),
        ended_at: Set(maybe_micros(made.ended_at)),
    };
    Entity::insert(row).exec_without_returning(&**tx).await?;
    Ok(())
}

/// The judgements that stand at `now`, by account.
pub async fn overrides_standing(
    conn: &impl ConnectionTrait,
    account_ids: &[String],
    now: Timestamp,
) -> Result<BTreeMap<String, Vec<Override>>, Problem> {
    let rows = Entity::find()
        .filter(Column::AccountId.is_in(account_ids))
        .filter(Column::EndedAt.is_null())
        .filter(Column::ExpiresAt.gt(micros(now)))
        .order_by_asc(Column::Subject);
    let mut standing: BTreeMap<String, Vec<Override>> = BTreeMap::new();
    for row in rows.all(conn).await? {
        standing.entry(row.account_id.clone()).or_default().push(read(row)?);
    }
    Ok(standing)
}

/// A page of all judgements about an account, the newest first; `after` is (instant in µs, id) of the last of the page
/// before.
pub async fn override_list(
    conn: &impl ConnectionTrait,
    account_id: &str,
    after: Option<(i64, Uuid)>,
    limit: u64,
) -> Result<Vec<Override>, Problem> {
    let mut rows = Entity::find().filter(Column::AccountId.eq(account_id));
    if let Some((made_at, id)) = after {
        let same = Condition::all()
            .add(Column::MadeAt.eq(made_at))
            .add(Column::OverrideId.lt(id));
        rows = rows.filter(Condition::any().add(Column::MadeAt.lt(made_at)).add(same));
    }
    let newest = rows.order_by_desc(Column::MadeAt).order_by_desc(Column::OverrideId);
    newest.limit(limit).all(conn).await?.into_iter().map(read).collect()
}

fn read(row: Model) -> Result<Override, Problem> {
    let subject = Subject::parse(&row.subject);
    Ok(Override {
        id: row.override_id,
        subject: subject.ok_or_else(|| Problem::internal(format!("a judgement on \"{}\"", row.subject)))?,
        account_id: row.account_id,
        value: row.value,
        computed: row.computed,
        author: row.author,
        reason: row.reason,
        made_at: from_micros(row.made_at),
        expires_at: from_micros(row.expires_at),
        ended_at: maybe_instant(row.ended_at),
    })
}
