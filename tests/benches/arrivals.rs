//! Load: callers who wait for their answers (for what a path can do at most), and callers who come when they come (for
//! how long an answer takes then). The latency of the latter counts from the intended start, so that a server which
//! stalls is charged for everybody who would have come meanwhile.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures::future::BoxFuture;
use hdrhistogram::Histogram;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use serde::Serialize;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until, timeout},
};

/// More calls than this under way at once are not made, and count as failed.
const UNDER_WAY_MAX: usize = 20_000;
/// How long the last calls of a load are waited for.
const PATIENCE: Duration = Duration::from_secs(15);
/// Shares of the saturation at which latency is taken.
const LEVELS: [u32; 4] = [25, 50, 75, 90];

/// What became of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Answered, with so many facts or decisions in it.
    Done(u64),
    /// The server was too busy and said so.
    Refused,
    /// Anything else.
    Failed,
}

/// One call by its number in the load.
pub(crate) type Op = Arc<dyn Fn(u64) -> BoxFuture<'static, Outcome> + Send + Sync>;

/// What a load came to.
pub(crate) struct Load {
    /// Facts or decisions of the answered calls.
    pub(crate) units: u64,
    pub(crate) answered: u64,
    pub(crate) refused: u64,
    pub(crate) failed: u64,
    /// From the first call to the last answer.
    pub(crate) seconds: f64,
    /// Of the answered calls, in µs.
    latency: Histogram<u64>,
}

/// Latency at a share of the saturation.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Level {
    /// The share in percent.
    pub(crate) percent: u32,
    /// Calls a second that were meant to come.
    pub(crate) offered: f64,
    /// Calls a second that were answered.
    pub(crate) answered: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) failed: u64,
}

impl Load {
    pub(crate) fn new() -> Self {
        let latency = Histogram::new_with_bounds(1, 120_000_000, 3);
        Self {
            units: 0,
            answered: 0,
            refused: 0,
            failed: 0,
            seconds: 0.0,
            latency: latency.unwrap_or_else(|_| unreachable!("the bounds are good")),
        }
    }

    /// Facts or decisions a second.
    pub(crate) fn rate(&self) -> f64 {
        self.units as f64 / self.seconds
    }

    /// Answered calls a second.
    pub(crate) fn calls(&self) -> f64 {
        self.answered as f64 / self.seconds
    }

    /// A quantile of the latency in ms.
    pub(crate) fn quantile_ms(&self, quantile: f64) -> f64 {
        self.latency.value_at_quantile(quantile) as f64 / 1e3
    }

    /// Notes how long something took.
    pub(crate) fn note(&mut self, outcome: Outcome, took: Duration) {
        match outcome {
            Outcome::Done(units) => {
                self.units += units;
                self.answered += 1;
                self.latency.saturating_record(took.as_micros() as u64);
            }
            Outcome::Refused => self.refused += 1,
            Outcome::Failed => self.failed += 1,
        }
    }

    fn add(&mut self, other: &Self) {
        self.units += other.units;
        self.answered += other.answered;
        self.refused += other.refused;
        self.failed += other.failed;
        let added = self.latency.add(&other.latency);
        added.unwrap_or_else(|_| unreachable!("both have the same bounds"));
    }
}

/// `in_flight` callers, each of whom calls again when answered, for `span`.
pub(crate) async fn closed(in_flight: usize, span: Duration, op: &Op) -> Load {
    let next = Arc::new(AtomicU64::new(0));
    let begun = Instant::now();
    let mut callers = JoinSet::new();
    for _ in 0..in_flight {
        let (op, next) = (Arc::clone(op), Arc::clone(&next));
        callers.spawn(async move {
            let mut load = Load::new();
            while begun.elapsed() < span {
                let started = Instant::now();
                let outcome = op(next.fetch_add(1, Ordering::Relaxed)).await;
                load.note(outcome, started.elapsed());
            }
            load
        });
    }
    let mut sum = Load::new();
    while let Some(Ok(load)) = callers.join_next().await {
        sum.add(&load);
    }
    sum.seconds = begun.elapsed().as_secs_f64();
    sum
}

/// Callers who come at random, `rate` a second on average (Poisson), for `span`, whatever became of those before. The
/// arrivals are the same in every run. `each` hears of every answer, with the seconds since the beginning.
pub(crate) async fn open_watched(
    rate: f64,
    span: Duration,
    op: &Op,
    each: &mut dyn FnMut(f64, Outcome, Duration),
) -> Load {
    let mut chance = StdRng::seed_from_u64(42);
    let begun = Instant::now();
    let (mut load, mut calls) = (Load::new(), JoinSet::new());
    let (mut due, mut number) = (0.0_f64, 0);
    let mut note = |load: &mut Load, (outcome, took): (Outcome, Duration)| {
        load.note(outcome, took);
        each(begun.elapsed().as_secs_f64(), outcome, took);
    };
    loop {
        due -= chance.random_range(f64::MIN_POSITIVE..1.0).ln() / rate;
        if due >= span.as_secs_f64() {
            break;
        }
        let at = begun + Duration::from_secs_f64(due);
        if at > Instant::now() {
            sleep_until(at).await;
        }
        while let Some(done) = calls.try_join_next() {
            note(&mut load, done.unwrap_or((Outcome::Failed, Duration::ZERO)));
        }
        if calls.len() >= UNDER_WAY_MAX {
            load.failed += 1;
            continue;
        }
        let call = op(number);
        calls.spawn(async move {
            let outcome = call.await;
            (outcome, at.elapsed())
        });
        number += 1;
    }
    let rest = async {
        while let Some(done) = calls.join_next().await {
            note(&mut load, done.unwrap_or((Outcome::Failed, Duration::ZERO)));
        }
    };
    let in_time = timeout(PATIENCE, rest).await.is_ok();
    load.failed += if in_time { 0 } else { calls.len() as u64 };
    load.seconds = begun.elapsed().as_secs_f64();
    load
}

/// As [`open_watched`], with nobody watching.
pub(crate) async fn open(rate: f64, span: Duration, op: &Op) -> Load {
    open_watched(rate, span, op, &mut |_, _, _| ()).await
}

/// Latency at a quarter, half, three quarters and nine tenths of `peak` calls a second.
pub(crate) async fn levels(peak: f64, span: Duration, op: &Op) -> Vec<Level> {
    let mut levels = Vec::new();
    for percent in LEVELS {
        let offered = peak * f64::from(percent) / 100.0;
        let load = open(offered, span, op).await;
        levels.push(Level {
            percent,
            offered,
            answered: load.calls(),
            p50_ms: load.quantile_ms(0.5),
            p99_ms: load.quantile_ms(0.99),
            failed: load.failed + load.refused,
        });
    }
    levels
}
