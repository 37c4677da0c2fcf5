//! Trains what was asked for: gathers rows from ingestion, learns from the earlier ones, judges on the later ones, and
//! puts a model in use only when it is better beyond noise. A judgement of scores runs the same way.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::mpsc;
use upswell_runtime::{db::micros, jobs::Job, problem::Problem};

use super::{Made, ModelApp, Purpose, State, Training};
use crate::{
    domain::model::{
        challenge::{Challenge, TooLittle, challenge},
        history::Kind,
        train::{Cancelled, Options, Step},
        trial::Trial,
    },
    store,
};

/// Days of the outcome (SC-5).
pub(super) const HORIZON: i32 = 90;
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

pub(super) struct Run<'a> {
    pub(super) app: &'a ModelApp,
    pub(super) training: Training,
    pub(super) now: Timestamp,
}

impl Run<'_> {
    async fn work(&mut self) -> Result<(), Problem> {
        let Some(mut trial) = self.gather().await? else {
            return self.cancelled().await;
        };
        if self.training.purpose == Purpose::Backtest {
            self.recall(&mut trial).await?;
        }
        let trial = Arc::new(trial);
        let (mut made, mut refused, mut judged) = (Vec::new(), Vec::new(), Vec::new());
        for kind in Kind::ALL {
            if self.training.purpose == Purpose::Backtest {
                match self.judge(kind, Arc::clone(&trial)).await? {
                    Some(found) => judged.push(found),
                    None => return self.cancelled().await,
                }
                continue;
            }
            match self.learn(kind, Arc::clone(&trial)).await? {
                Some(Ok(challenge)) => made.push((kind, challenge)),
                Some(Err(too_little)) => refused.push((kind, too_little)),
                None => return self.cancelled().await,
            }
        }
        match self.training.purpose {
            Purpose::Train => self.finish(made, refused).await,
            Purpose::Backtest => self.conclude(judged).await,
        }
    }

    async fn cancelled(&mut self) -> Result<(), Problem> {
        self.tell(State::Cancelled, self.training.done, "cancelled".to_owned())
            .await?;
        Ok(())
    }

    /// Learns one kind; `None` when it was told to stop.
    async fn learn(&mut self, kind: Kind, trial: Arc<Trial>) -> Result<Option<Result<Challenge, TooLittle>>, Problem> {
        let champion = store::model_fetch_in_use(self.app.0.db.reader(), kind)
            .await?
            .map(|made| made.model);
        let (options, margin) = (self.options(), self.app.0.settings.margin_percent);
        self.compute(kind, move |told| {
            challenge(&trial.corpus().dataset(kind), champion.as_ref(), margin, &options, told)
        })
        .await
    }

    pub(super) fn options(&self) -> Options {
        Options {
            seed: self.training.seed.unsigned_abs(),
            folds: 4,
            gap_days: HORIZON,
        }
    }

    /// Computes on a thread of its own, tells of every step and keeps the lease; `None` when it was told to stop.
    pub(super) async fn compute<T: Send + 'static>(
        &mut self,
        kind: Kind,
        work: impl FnOnce(&mut dyn FnMut(Step) -> bool) -> Result<T, Cancelled> + Send + 'static,
    ) -> Result<Option<T>, Problem> {
        let stop = Arc::new(AtomicBool::new(self.training.is_stopping));
        let (steps, mut told) = mpsc::unbounded_channel::<Step>();
        let asked = Arc::clone(&stop);
        let learning = tokio::task::spawn_blocking(move || {
            work(&mut |step| {
                let _ = steps.send(step);
                !asked.load(Ordering::Relaxed)
            })
        });
        while let Some(step) = told.recv().await {
            let done = i32::try_from(step.done).unwrap_or(i32::MAX);
            self.training.all = i32::try_from(step.all).unwrap_or(i32::MAX);
            if !self.goes_on(done, format!("{}: {}", kind.as_str(), step.what)).await? {
                stop.store(true, Ordering::Relaxed);
            }
        }
        let learnt = learning.await.map_err(Problem::internal)?;
        Ok(learnt.ok())
    }

    /// Tells how far it is; false when somebody else took it or asked it to stop.
    pub(super) async fn goes_on(&mut self, done: i32, detail: String) -> Result<bool, Problem> {
        let held = self.tell(State::Running, done, detail).await?;
        let asked = store::training_fetch(self.app.0.db.reader(), &self.training.training_id).await?;
        Ok(held && asked.is_some_and(|training| !training.is_stopping))
    }

    /// Enters the models and ends the training in one transaction.
    async fn finish(&mut self, made: Vec<(Kind, Challenge)>, refused: Vec<(Kind, TooLittle)>) -> Result<(), Problem> {
        let tx = self.app.0.db.begin().await?;
        let now = self.app.0.clock.now();
        let seen = self.training.lease_until;
        let mut said = Vec::new();
        self.training.state = if made.is_empty() { State::Failed } else { State::Done };
        for (kind, too_little) in refused {
            said.push(format!("{}: {too_little}", kind.as_str()));
            store::fallback_upsert(&tx, kind, &format!("too little history: {too_little}")).await?;
        }
        for (kind, challenge) in made {
            let number = store::model_last_number(&tx, kind).await? + 1;
            let model_id = format!("{}-{number}", kind.as_str());
            said.push(format!("{model_id}: {}", challenge.verdict));
            store::fallback_upsert(&tx, kind, &format!("{model_id} is {}", challenge.verdict)).await?;
            let made = Made {
                model_id: model_id.clone(),
                kind,
                number,
                in_use: false,
                created_at: now,
                used_at: None,
                drift: None,
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
