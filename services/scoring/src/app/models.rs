//! Models learnt from the deployment's own history: asked for, trained in the background, put in use, rolled back.
//!
//! waiting → running → done | failed | cancelled. A replica holds a running training by a lease; when it is killed the
//! lease runs out and another begins anew, which changes nothing: models are entered only with the end of the training.

mod job;

use std::{collections::BTreeMap, sync::Arc};

use jiff::{Timestamp, tz::TimeZone};
use tokio::sync::Notify;
use upswell_runtime::{
    clock::Clock,
    db::{Db, epoch_day},
    problem::Problem,
};

pub use self::job::TrainModels;
use crate::{
    clients::Histories,
    domain::model::{
        history::{Kind, point},
        trained::{Explained, Trained},
    },
    store,
};

/// Where a training is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Waits for a replica.
    Waiting,
    /// A replica works on it.
    Running,
    /// Its models are listed.
    Done,
    /// It was told to stop.
    Cancelled,
    /// It cannot be done.
    Failed,
}

/// A training of both models.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Training {
    /// Its id, made of the request's.
    pub training_id: String,
    /// Where it is.
    pub state: State,
    /// Decides all chance.
    pub seed: i64,
    /// Steps done.
    pub done: i32,
    /// Steps in all.
    pub all: i32,
    /// What was done last, or why it ended.
    pub detail: String,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Until when a replica holds it, in microseconds; 0 while none does.
    pub lease_until: i64,
    /// Somebody asked it to stop.
    pub is_stopping: bool,
}

/// A model that was made.
#[derive(Clone, Debug, PartialEq)]
pub struct Made {
    /// The kind and its number, e.g. `churn-3`.
    pub model_id: String,
    /// What it predicts.
    pub kind: Kind,
    /// Counts up per kind.
    pub number: i32,
    /// It is in use.
    pub in_use: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// Why it is or is not in use.
    pub verdict: String,
    /// The model.
    pub model: Trained,
}

/// A prediction by a model in use.
#[derive(Clone, Debug, PartialEq)]
pub struct Forecast {
    /// What is predicted.
    pub kind: Kind,
    /// What predicted it.
    pub model_id: String,
    /// The probability and its reasons.
    pub explained: Explained,
}

/// The use cases of models.
#[derive(Clone)]
pub struct ModelApp(Arc<Parts>);

struct Parts {
    db: Db,
    clock: Clock,
    histories: Histories,
    wake: Arc<Notify>,
}

impl ModelApp {
    /// Use cases over an open store; `wake` wakes the training.
    pub fn new(db: Db, clock: Clock, histories: Histories, wake: Arc<Notify>) -> Self {
        Self(Arc::new(Parts {
            db,
            clock,
            histories,
            wake,
        }))
    }

    /// Asks for a training, or returns the one that waits or runs. The same request id is the same training.
    pub async fn train(&self, request_id: &str, seed: i64) -> Result<Training, Problem> {
        let tx = self.0.db.begin().await?;
        if let Some(known) = store::training_fetch(&*tx, request_id).await? {
            return Ok(known);
        }
        if let Some(open) = store::training_fetch_open(&*tx).await? {
            return Ok(open);
        }
        let training = Training {
            training_id: request_id.to_owned(),
            state: State::Waiting,
            seed: if seed == 0 { 17 } else { seed },
            done: 0,
            all: 0,
            detail: "waits".to_owned(),
            requested_at: self.0.clock.now(),
            ended_at: None,
            lease_until: 0,
            is_stopping: false,
        };
        store::training_insert(&tx, &training).await?;
        tx.commit().await?;
        self.0.wake.notify_waiters();
        Ok(training)
    }

    /// How a training stands. Errors: NOT_FOUND.
    pub async fn training(&self, training_id: &str) -> Result<Training, Problem> {
        let known = store::training_fetch(self.0.db.reader(), training_id).await?;
        known.ok_or_else(|| not_found("TRAINING_NOT_FOUND", "training", training_id))
    }

    /// Asks a training to stop; one that waits has stopped. Errors: NOT_FOUND.
    pub async fn cancel(&self, training_id: &str) -> Result<Training, Problem> {
        let tx = self.0.db.begin().await?;
        let known = store::training_fetch(&*tx, training_id).await?;
        let mut training = known.ok_or_else(|| not_found("TRAINING_NOT_FOUND", "training", training_id))?;
        store::training_stop(&tx, training_id).await?;
        training.is_stopping = true;
        if training.state == State::Waiting {
            training.state = State::Cancelled;
            training.detail = "cancelled before it began".to_owned();
            training.ended_at = Some(self.0.clock.now());
            store::training_update(&tx, &training, training.lease_until).await?;
        }
        tx.commit().await?;
        Ok(training)
    }

    /// A page of models.
    pub async fn models(
        &self,
        kind: Option<Kind>,
        before: Option<(i64, &str)>,
        limit: u64,
    ) -> Result<Vec<Made>, Problem> {
        store::model_list(self.0.db.reader(), kind, before, limit).await
    }

    /// Puts a model in use. Errors: NOT_FOUND.
    pub async fn promote(&self, model_id: &str) -> Result<Made, Problem> {
        let tx = self.0.db.begin().await?;
        let known = store::model_fetch(&*tx, model_id).await?;
        let mut made = known.ok_or_else(|| not_found("MODEL_NOT_FOUND", "model", model_id))?;
        store::model_use(&tx, made.kind, model_id, true, self.0.clock.now()).await?;
        tx.commit().await?;
        made.in_use = true;
        Ok(made)
    }

    /// Returns to the model that was in use before. Errors: FAILED_PRECONDITION without one.
    pub async fn rollback(&self, kind: Kind) -> Result<Made, Problem> {
        let tx = self.0.db.begin().await?;
        let former = store::model_fetch_former(&*tx, kind).await?;
        let Some(mut made) = former else {
            let message = format!("no other model of {} was in use before", kind.as_str());
            return Err(Problem::failed_precondition("NO_FORMER_MODEL", message));
        };
        store::model_use(&tx, kind, &made.model_id, false, self.0.clock.now()).await?;
        tx.commit().await?;
        made.in_use = true;
        Ok(made)
    }

    /// Predicts an account from its history up to now. Errors: NOT_FOUND, UNAVAILABLE.
    pub async fn predict(&self, account_id: &str) -> Result<Vec<Forecast>, Problem> {
        let today = epoch_day(TimeZone::UTC.to_datetime(self.0.clock.now()).date());
        let history = self.0.histories.one(account_id, today - 1).await?;
        let history = history.ok_or_else(|| not_found("ACCOUNT_NOT_FOUND", "account", account_id))?;
        let known: BTreeMap<String, f64> = point(&history, today - 1).into_iter().collect();
        let mut forecasts = Vec::new();
        for kind in Kind::ALL {
            if let Some(made) = store::model_fetch_in_use(self.0.db.reader(), kind).await? {
                let value = |name: &String| known.get(name).copied().unwrap_or(f64::NAN);
                let row: Vec<f64> = made.model.features.iter().map(value).collect();
                forecasts.push(Forecast {
                    kind,
                    model_id: made.model_id,
                    explained: made.model.explain(&row),
                });
            }
        }
        Ok(forecasts)
    }
}

fn not_found(reason: &'static str, what: &str, id: &str) -> Problem {
    Problem::not_found(reason, format!("{what} {id} is not known"))
}
