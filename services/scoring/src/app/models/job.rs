//! Trains what was asked for: gathers rows from ingestion, learns from the earlier ones, judges on the later ones, and
//! puts a model in use only when it is better beyond noise.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use jiff::{Timestamp, tz::TimeZone};
use tokio::sync::mpsc;
use upswell_runtime::{
    db::{epoch_day, micros},
    jobs::Job,
    problem::Problem,
};

use super::{Made, ModelApp, State, Training};
use crate::{
    domain::model::{
        challenge::{Challenge, TooLittle, challenge},
        history::{Corpus, Kind},
        train::{Options, Step},
    },
    store,
};

/// Days of the outcome (SC-5).
const HORIZON: i32 = 90;
/// How long a replica holds a training without a sign of life, in µs.
const LEASE: i64 = 10 * 60 * 1_000_000;

/// Works on the open training.
pub struct TrainModels(ModelApp);

impl TrainModels {
    /// The job over the use cases.
    pub fn new(app: ModelApp) -> Self {
        Self(app)
    }
}

#[async_trait]
impl Job for TrainModels {
    fn name(&self) -> &'static str {
        "scoring.train_models"
    }

    fn period(&self) -> Duration {
        Duration::from_secs(30)
    }

    async fn run_once(&self, now: Timestamp) -> Result<usize, Problem> {
        let Some(open) = store::training_fetch_open(self.0.0.db.reader()).await? else {
            return Ok(0);
        };
        if open.lease_until > micros(now) {
            return Ok(0);
        }
        let mut run = Run {
            app: &self.0,
            training: open,
            now,
        };
        // Whoever loses the race for the lease leaves it to the other.
        if !run
            .tell(State::Running, 0, "reads the history of all accounts".to_owned())
            .await?
        {
            return Ok(0);
        }
        run.work().await?;
        Ok(1)
    }
}

struct Run<'a> {
    app: &'a ModelApp,
    training: Training,
    now: Timestamp,
}

impl Run<'_> {
    async fn work(&mut self) -> Result<(), Problem> {
        let today = epoch_day(TimeZone::UTC.to_datetime(self.now).date());
        let mut corpus = Corpus::default();
        self.app
            .0
            .histories
            .all(today - 1, |history| corpus.take(&history, HORIZON, today - 1))
            .await?;
        let corpus = Arc::new(corpus);
        let mut made = Vec::new();
        let mut refused = Vec::new();
        for kind in Kind::ALL {
            match self.learn(kind, Arc::clone(&corpus)).await? {
                Some(Ok(challenge)) => made.push((kind, challenge)),
                Some(Err(too_little)) => refused.push(format!("{}: {too_little}", kind.as_str())),
                None => {
                    self.tell(State::Cancelled, self.training.done, "cancelled".to_owned())
                        .await?;
                    return Ok(());
                }
            }
        }
        self.finish(made, refused).await
    }

    /// Learns one kind on a thread of its own; `None` when it was told to stop.
    async fn learn(
        &mut self,
        kind: Kind,
        corpus: Arc<Corpus>,
    ) -> Result<Option<Result<Challenge, TooLittle>>, Problem> {
        let champion = store::model_fetch_in_use(self.app.0.db.reader(), kind)
            .await?
            .map(|made| made.model);
        let options = Options {
            seed: self.training.seed.unsigned_abs(),
            folds: 4,
            gap_days: HORIZON,
        };
        let stop = Arc::new(AtomicBool::new(self.training.is_stopping));
        let (steps, mut told) = mpsc::unbounded_channel::<Step>();
        let asked = Arc::clone(&stop);
        let learning = tokio::task::spawn_blocking(move || {
            let dataset = corpus.dataset(kind);
            challenge(&dataset, champion.as_ref(), &options, &mut |step| {
                let _ = steps.send(step);
                !asked.load(Ordering::Relaxed)
            })
        });
        while let Some(step) = told.recv().await {
            let done = i32::try_from(step.done).unwrap_or(i32::MAX);
            self.training.all = i32::try_from(step.all).unwrap_or(i32::MAX);
            let held = self
                .tell(State::Running, done, format!("{}: {}", kind.as_str(), step.what))
                .await?;
            let asked = store::training_fetch(self.app.0.db.reader(), &self.training.training_id).await?;
            if !held || asked.is_none_or(|training| training.is_stopping) {
                stop.store(true, Ordering::Relaxed);
            }
        }
        let learnt = learning.await.map_err(Problem::internal)?;
        Ok(learnt.ok())
    }

    /// Enters the models and ends the training in one transaction.
    async fn finish(&mut self, made: Vec<(Kind, Challenge)>, refused: Vec<String>) -> Result<(), Problem> {
        let tx = self.app.0.db.begin().await?;
        let now = self.app.0.clock.now();
        let seen = self.training.lease_until;
        let mut said: Vec<String> = refused;
        self.training.state = if made.is_empty() { State::Failed } else { State::Done };
        for (kind, challenge) in made {
            let number = store::model_last_number(&tx, kind).await? + 1;
            let model_id = format!("{}-{number}", kind.as_str());
            said.push(format!("{model_id}: {}", challenge.verdict));
            let made = Made {
                model_id: model_id.clone(),
                kind,
                number,
                in_use: false,
                created_at: now,
                verdict: challenge.verdict,
                model: challenge.model,
            };
            store::model_insert(&tx, &made).await?;
            if challenge.is_better {
                store::model_use(&tx, kind, &model_id, true, now).await?;
            }
        }
        self.training.detail = said.join("; ");
        self.training.ended_at = Some(now);
        self.training.lease_until = 0;
        // Whoever took the lease meanwhile will enter the models of its own run.
        if store::training_update(&tx, &self.training, seen).await? {
            tx.commit().await?;
        }
        Ok(())
    }

    /// Writes how far it is and prolongs the lease; false when the training is no longer ours.
    async fn tell(&mut self, state: State, done: i32, detail: String) -> Result<bool, Problem> {
        let now = self.app.0.clock.now();
        let seen = self.training.lease_until;
        self.training.state = state;
        self.training.done = done;
        self.training.detail = detail;
        // A lease never repeats, so that it also tells two replicas apart.
        self.training.lease_until = (micros(now) + LEASE).max(seen + 1);
        self.training.ended_at = (state == State::Cancelled).then_some(now);
        let tx = self.app.0.db.begin().await?;
        let held = store::training_update(&tx, &self.training, seen).await?;
        tx.commit().await?;
        Ok(held)
    }
}
