//! Models learnt from the deployment's own history: asked for, trained in the background, put in use, rolled back.
//!
//! waiting → running → done | failed | cancelled. A replica holds a running training by a lease; when it is killed the
//! lease runs out and another begins anew, which changes nothing: models are entered only with the end of the training.

mod drift;
mod job;
mod seat;
mod trial;

use std::{collections::BTreeMap, sync::Arc};

use jiff::{Timestamp, ToSpan as _, tz::TimeZone};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use upswell_runtime::{clock::Clock, db::Db, problem::Problem, service::Deps};

pub use self::{drift::WatchDrift, job::TrainModels, seat::Change};
use crate::{
    clients::Ingestion,
    config::{ModelSettings, Settings},
    domain::{
        assess::Rulebook,
        model::{
            history::{History, Kind, LOOK_BACK, day_number, point},
            trained::{Explained, Trained},
            trial::Judged,
        },
        moment::Moment,
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

/// What a training is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// New models.
    Train,
    /// A judgement of the scores by history (SC-6).
    Backtest,
}

/// A training of both models, or a judgement of scores, which runs like one.
#[derive(Clone, Debug, PartialEq)]
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
    /// What it is for.
    pub purpose: Purpose,
    /// What a judgement found.
    pub result: Vec<Judged>,
}

/// How far the accounts of a day are from those that a model learnt from (SC-5).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Drift {
    /// Stability index of the predictions.
    pub predictions: f64,
    /// The largest of a feature that matters.
    pub feature: f64,
    /// That feature.
    pub feature_name: String,
    /// When it was looked at.
    pub checked_at: Timestamp,
    /// Accounts looked at.
    pub accounts: u32,
    /// It is told.
    pub is_alarming: bool,
    /// The rules stand in.
    pub is_set_aside: bool,
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
    /// When it was put in use, if a roll-back may return to it.
    pub used_at: Option<Timestamp>,
    /// How far the accounts have moved since it learnt.
    pub drift: Option<Drift>,
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
    ingestion: Ingestion,
    rules: Rulebook,
    settings: ModelSettings,
    batch_size: usize,
    wake: Arc<Notify>,
}

impl ModelApp {
    /// Use cases over an open store; `wake` wakes the training. Errors: INTERNAL without an address of ingestion.
    pub fn new(db: Db, settings: &Settings, deps: &Deps, wake: Arc<Notify>) -> Result<Self, Problem> {
        Ok(Self(Arc::new(Parts {
            db,
            clock: deps.clock.clone(),
            ingestion: Ingestion::new(&deps.peers, settings.client.clone(), settings.history_days)?,
            rules: super::rulebook(settings),
            settings: settings.models,
            batch_size: settings.batch_size,
            wake,
        })))
    }

    /// Asks for a training or a judgement, or returns the one for the same purpose that waits or runs. The same request
    /// id is the same training. Errors: FAILED_PRECONDITION while one for another purpose is open.
    pub async fn train(&self, request_id: &str, seed: i64, purpose: Purpose) -> Result<Training, Problem> {
        let tx = self.0.db.begin().await?;
        if let Some(known) = store::training_fetch(&*tx, request_id).await? {
            return Ok(known);
        }
        if let Some(open) = store::training_fetch_open(&*tx).await? {
            if open.purpose == purpose {
                return Ok(open);
            }
            let message = format!("training {} is open; one runs at a time", open.training_id);
            return Err(Problem::failed_precondition("TRAINING_RUNS", message));
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
            purpose,
            result: Vec::new(),
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

    /// Predicts an account as it stood at the end of its last complete day. Errors: NOT_FOUND, UNAVAILABLE.
    pub async fn predict(&self, account_id: &str) -> Result<Vec<Forecast>, Problem> {
        let now = self.0.clock.now();
        let facts = self.0.ingestion.facts(vec![account_id.to_owned()], now, LOOK_BACK + 3);
        let facts = facts.await?.remove(account_id);
        let facts = facts.ok_or_else(|| not_found("ACCOUNT_NOT_FOUND", "account", account_id))?;
        let day = day_number(Moment::at(now, &facts.time_zone()).as_of);
        let known: BTreeMap<String, f64> = point(&History::of(account_id, &facts), day).into_iter().collect();
        let mut forecasts = Vec::new();
        for kind in Kind::ALL {
            if let Some(made) = store::model_fetch_in_use(self.0.db.reader(), kind).await? {
                forecasts.push(Forecast {
                    kind,
                    model_id: made.model_id,
                    explained: made.model.explain(&made.model.row(&known)),
                });
            }
        }
        Ok(forecasts)
    }
}

/// The last day that is complete in every time zone.
fn last_day(now: Timestamp) -> jiff::civil::Date {
    TimeZone::UTC.to_datetime(now).date().saturating_sub(1.day())
}

fn not_found(reason: &'static str, what: &str, id: &str) -> Problem {
    Problem::not_found(reason, format!("{what} {id} is not known"))
}
