//! Trainings and the models that came of them. One training is open at a time, and one model of a kind in use, each kept
//! by a partial unique index.

use jiff::Timestamp;
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, ExprTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
    sea_query::{Expr, OnConflict},
};
use upswell_runtime::{
    db::{Tx, micros},
    problem::Problem,
};

use self::entities::{fallback, model, training};
use super::{from_json, maybe_instant, to_json};
use crate::{
    app::models::{Drift, Made, Purpose, State, Training},
    domain::model::{history::Kind, trained::Trained},
};

mod entities;
mod schema;

pub(super) use self::schema::{Champions, Models};

/// The purpose of a judgement of scores.
const BACKTEST: &str = "backtest";

fn state_word(state: State) -> &'static str {
    match state {
        State::Waiting => "waiting",
        State::Running => "running",
        State::Done => "done",
        State::Cancelled => "cancelled",
        State::Failed => "failed",
    }
}

fn training_read(row: training::Model) -> Result<Training, Problem> {
    let state = [
        State::Waiting,
        State::Running,
        State::Done,
        State::Cancelled,
        State::Failed,
    ];
    let state = state.into_iter().find(|state| state_word(*state) == row.state);
    Ok(Training {
        state: state.ok_or_else(|| Problem::internal(format!("training state {}", row.state)))?,
        training_id: row.training_id,
        seed: row.seed,
        done: row.done,
        all: row.total,
        detail: row.detail,
        requested_at: upswell_runtime::db::from_micros(row.requested_at),
        ended_at: maybe_instant(row.ended_at),
        lease_until: row.lease_until,
        is_stopping: row.is_stopping,
        purpose: if row.purpose == BACKTEST {
            Purpose::Backtest
        } else {
            Purpose::Train
        },
        result: if row.result.is_empty() {
            Vec::new()
        } else {
            from_json(&row.result)?
        },
    })
}

/// One training.
pub async fn training_fetch(conn: &impl ConnectionTrait, training_id: &str) -> Result<Option<Training>, Problem> {
    let row = training::Entity::find_by_id(training_id).one(conn).await?;
    row.map(training_read).transpose()
}

/// The training that waits or runs.
pub async fn training_fetch_open(conn: &impl ConnectionTrait) -> Result<Option<Training>, Problem> {
    let open = training::Column::State.is_in(["waiting", "running"]);
    let row = training::Entity::find().filter(open).one(conn).await?;
    row.map(training_read).transpose()
}

/// Enters a training that waits.
pub async fn training_insert(tx: &Tx, training: &Training) -> Result<(), Problem> {
    let row = training::ActiveModel {
        training_id: Set(training.training_id.clone()),
        state: Set(state_word(training.state).to_owned()),
        seed: Set(training.seed),
        done: Set(training.done),
        total: Set(training.all),
        detail: Set(training.detail.clone()),
        requested_at: Set(micros(training.requested_at)),
        ended_at: Set(training.ended_at.map(micros)),
        lease_until: Set(training.lease_until),
        is_stopping: Set(training.is_stopping),
        slot: Set(1),
        purpose: Set(match training.purpose {
            Purpose::Train => "train".to_owned(),
            Purpose::Backtest => BACKTEST.to_owned(),
        }),
        result: Set(String::new()),
    };
    training::Entity::insert(row).exec_without_returning(&**tx).await?;
    Ok(())
}

/// Writes how a training stands, if its lease is still the one that was seen; false when somebody else took it.
pub async fn training_update(tx: &Tx, training: &Training, seen_lease: i64) -> Result<bool, Problem> {
    use training::Column;
    let result = if training.result.is_empty() {
        String::new()
    } else {
        to_json(&training.result)?
    };
    let update = training::Entity::update_many()
        .col_expr(Column::Result, Expr::value(result))
        .col_expr(Column::State, Expr::value(state_word(training.state)))
        .col_expr(Column::Done, Expr::value(training.done))
        .col_expr(Column::Total, Expr::value(training.all))
        .col_expr(Column::Detail, Expr::value(training.detail.clone()))
        .col_expr(Column::EndedAt, Expr::value(training.ended_at.map(micros)))
        .col_expr(Column::LeaseUntil, Expr::value(training.lease_until))
        .filter(Column::TrainingId.eq(training.training_id.clone()))
        .filter(Column::LeaseUntil.eq(seen_lease))
        .filter(Column::State.is_in(["waiting", "running"]));
    Ok(update.exec(&**tx).await?.rows_affected == 1)
}

/// Asks an open training to stop.
pub async fn training_stop(tx: &Tx, training_id: &str) -> Result<(), Problem> {
    training::Entity::update_many()
        .col_expr(training::Column::IsStopping, Expr::value(true))
        .filter(training::Column::TrainingId.eq(training_id))
        .exec(&**tx)
        .await?;
    Ok(())
}

fn model_read(row: &model::Model) -> Result<Made, Problem> {
    let model: Trained = from_json(&row.document)?;
    model.check().map_err(Problem::internal)?;
    Ok(Made {
        model_id: row.model_id.clone(),
        kind: kind_read(&row.kind)?,
        number: row.number,
        in_use: row.in_use,
        created_at: upswell_runtime::db::from_micros(row.created_at),
        used_at: maybe_instant(row.used_at),
        verdict: row.verdict.clone(),
        drift: row.drift.as_deref().map(from_json::<Drift>).transpose()?,
        model,
    })
}

/// One model.
pub async fn model_fetch(conn: &impl ConnectionTrait, model_id: &str) -> Result<Option<Made>, Problem> {
    let row = model::Entity::find_by_id(model_id).one(conn).await?;
    row.as_ref().map(model_read).transpose()
}

/// The model of `kind` in use.
pub async fn model_fetch_in_use(conn: &impl ConnectionTrait, kind: Kind) -> Result<Option<Made>, Problem> {
    let rows = model::Entity::find()
        .filter(model::Column::Kind.eq(kind.as_str()))
        .filter(model::Column::InUse.eq(true));
    rows.one(conn).await?.as_ref().map(model_read).transpose()
}

/// The model of `kind` that was in use last and is not now.
pub async fn model_fetch_former(conn: &impl ConnectionTrait, kind: Kind) -> Result<Option<Made>, Problem> {
    use model::Column::{InUse, Kind as OfKind, UsedAt};
    let rows = model::Entity::find()
        .filter(OfKind.eq(kind.as_str()))
        .filter(InUse.eq(false))
        .filter(UsedAt.is_not_null());
    rows.order_by_desc(UsedAt)
        .one(conn)
        .await?
        .as_ref()
        .map(model_read)
        .transpose()
}

/// A page of models, the newest first; `before` is (created_at, model_id) of the last of the page before.
pub async fn model_list(
    conn: &impl ConnectionTrait,
    kind: Option<Kind>,
    before: Option<(i64, &str)>,
    limit: u64,
) -> Result<Vec<Made>, Problem> {
    use model::Column::{CreatedAt, Kind as OfKind, ModelId};
    let mut rows = model::Entity::find();
    if let Some(kind) = kind {
        rows = rows.filter(OfKind.eq(kind.as_str()));
    }
    if let Some((created_at, model_id)) = before {
        let same = CreatedAt.eq(created_at).and(ModelId.gt(model_id));
        rows = rows.filter(CreatedAt.lt(created_at).or(same));
    }
    let rows = rows
        .order_by_desc(CreatedAt)
        .order_by_asc(ModelId)
        .limit(limit)
        .all(conn)
        .await?;
    rows.iter().map(model_read).collect()
}

/// The highest number of a kind; 0 without a model.
pub async fn model_last_number(tx: &Tx, kind: Kind) -> Result<i32, Problem> {
    let rows = model::Entity::find().filter(model::Column::Kind.eq(kind.as_str()));
    let last = rows.order_by_desc(model::Column::Number).one(&**tx).await?;
    Ok(last.map_or(0, |row| row.number))
}

/// Enters a model, not in use.
pub async fn model_insert(tx: &Tx, made: &Made) -> Result<(), Problem> {
    let row = model::ActiveModel {
        model_id: Set(made.model_id.clone()),
        kind: Set(made.kind.as_str().to_owned()),
        number: Set(made.number),
        in_use: Set(false),
        created_at: Set(micros(made.created_at)),
        used_at: Set(None),
        verdict: Set(made.verdict.clone()),
        drift: Set(None),
        document: Set(to_json(&made.model)?),
    };
    model::Entity::insert(row).exec_without_returning(&**tx).await?;
    Ok(())
}

/// The models in use as (kind, id, what was said of their drift), without the models themselves.
pub async fn models_in_use(conn: &impl ConnectionTrait) -> Result<Vec<InUse>, Problem> {
    use model::Column;
    let rows = model::Entity::find()
        .select_only()
        .columns([Column::ModelId, Column::Kind, Column::Drift])
        .filter(Column::InUse.eq(true));
    let rows: Vec<(String, String, Option<String>)> = rows.into_tuple().all(conn).await?;
    let read = |(model_id, kind, drift): (String, String, Option<String>)| {
        Ok(InUse {
            model_id,
            kind: kind_read(&kind)?,
            drift: drift.as_deref().map(from_json::<Drift>).transpose()?,
        })
    };
    rows.into_iter().map(read).collect()
}

/// A model in use, without the model itself.
#[derive(Clone, Debug, PartialEq)]
pub struct InUse {
    /// Its id.
    pub model_id: String,
    /// What it predicts.
    pub kind: Kind,
    /// How far the accounts have moved.
    pub drift: Option<Drift>,
}

/// Writes how far the accounts have moved from those that a model learnt from.
pub async fn model_note_drift(tx: &Tx, model_id: &str, drift: &Drift) -> Result<(), Problem> {
    model::Entity::update_many()
        .col_expr(model::Column::Drift, Expr::value(to_json(drift)?))
        .filter(model::Column::ModelId.eq(model_id))
        .exec(&**tx)
        .await?;
    Ok(())
}

/// Why the last training made no model of `kind`; an empty reason forgets it.
pub async fn fallback_upsert(tx: &Tx, kind: Kind, reason: &str) -> Result<(), Problem> {
    let row = fallback::ActiveModel {
        kind: Set(kind.as_str().to_owned()),
        reason: Set(reason.to_owned()),
    };
    let again = OnConflict::column(fallback::Column::Kind)
        .update_column(fallback::Column::Reason)
        .to_owned();
    fallback::Entity::insert(row)
        .on_conflict(again)
        .exec_without_returning(&**tx)
        .await?;
    Ok(())
}

/// Why there is no model, by kind.
pub async fn fallbacks_list(conn: &impl ConnectionTrait) -> Result<Vec<(Kind, String)>, Problem> {
    let rows = fallback::Entity::find().all(conn).await?;
    let read = |row: fallback::Model| Ok((kind_read(&row.kind)?, row.reason));
    rows.into_iter().map(read).collect()
}

fn kind_read(word: &str) -> Result<Kind, Problem> {
    let kind = Kind::ALL.into_iter().find(|kind| kind.as_str() == word);
    kind.ok_or_else(|| Problem::internal(format!("model kind {word}")))
}

/// Takes the model of `kind` out of use; it is not returned to by a roll-back.
pub async fn model_retire(tx: &Tx, kind: Kind) -> Result<(), Problem> {
    use model::Column::{InUse, Kind as OfKind, UsedAt};
    model::Entity::update_many()
        .col_expr(InUse, Expr::value(false))
        .col_expr(UsedAt, Expr::value(None::<i64>))
        .filter(OfKind.eq(kind.as_str()))
        .filter(InUse.eq(true))
        .exec(&**tx)
        .await?;
    Ok(())
}

/// Puts a model in use instead of the one that was. `keeps_former` says whether a later roll-back may return to it.
pub async fn model_use(tx: &Tx, kind: Kind, model_id: &str, keeps_former: bool, now: Timestamp) -> Result<(), Problem> {
    use model::Column::{InUse, Kind as OfKind, ModelId, UsedAt};
    let mut out = model::Entity::update_many().col_expr(InUse, Expr::value(false));
    if !keeps_former {
        out = out.col_expr(UsedAt, Expr::value(None::<i64>));
    }
    out.filter(OfKind.eq(kind.as_str()))
        .filter(InUse.eq(true))
        .filter(ModelId.ne(model_id))
        .exec(&**tx)
        .await?;
    model::Entity::update_many()
        .col_expr(InUse, Expr::value(true))
        .col_expr(UsedAt, Expr::value(Some(micros(now))))
        // What was seen of its drift when it was in use before is old.
        .col_expr(model::Column::Drift, Expr::value(None::<String>))
        .filter(ModelId.eq(model_id))
        .exec(&**tx)
        .await?;
    Ok(())
}
