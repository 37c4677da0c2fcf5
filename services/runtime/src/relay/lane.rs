//! One lane: read a batch, send it, write down how far it got.

use std::{collections::HashSet, time::Duration};

use jiff::{SignedDuration, Timestamp};
use upswell_proto::delivery::v1::EventResult;

use super::{
    BATCH_BYTES, Inner, settle,
    store::{self, LaneId, Position, Row},
};
use crate::{db::micros, failpoints::failpoint, problem::Problem, telemetry::meters};

/// The longest a lane rests. Asking a destination that is away costs one call, and when it is back all of its events
/// wait for the end of the rest.
const REST_MAX: SignedDuration = SignedDuration::from_secs(5);
/// After how many failures in a row a person is told.
const FAILURES_TOLD: i32 = 3;

/// What this relay remembers of a lane; a new process begins without it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Lane {
    /// Set while this relay may send it.
    pub(super) held: Option<Held>,
    /// The receiver has seen a higher epoch than ours.
    behind: bool,
    failures: i32,
    /// It is left alone until then.
    pub(super) not_before: Option<Timestamp>,
}

/// A lease, and where the cursor stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    pub(super) epoch: i64,
    pub(super) position: Position,
    /// False while no key of the lane lags. Only the holder of the lane lets one fall behind.
    pub(super) has_blocked: bool,
}

/// What to send next.
struct Batch {
    /// Rows to send: those of lagging keys first.
    rows: Vec<Row>,
    /// Where the cursor stands after the batch.
    to: Position,
    /// Some keys of the lane lag.
    has_blocked: bool,
}

impl Inner {
    /// Sends one batch of a lane, if it can be had; the number of events acknowledged.
    pub(super) async fn lane_run(
        &self,
        id: &LaneId,
        lane: &mut Lane,
        horizon: i64,
        now: Timestamp,
    ) -> Result<usize, Problem> {
        if lane.not_before.is_some_and(|until| now < until) {
            return Ok(0);
        }
        loop {
            let held = match lane.held {
                Some(held) => held,
                None => {
                    // A store that was restored from a copy has epochs behind those that the receiver has seen.
                    let epoch_min = if lane.behind { micros(now) } else { 0 };
                    let Some(held) = self.claim(id, epoch_min).await? else {
                        return Ok(0);
                    };
                    *lane.held.insert(held)
                }
            };
            let from = held.position;
            let batch = self.batch_read(id, held, horizon, now).await?;
            if batch.rows.is_empty() && batch.to == from {
                return Ok(0);
            }
            let results = match self.send(id, held.epoch, &batch.rows).await {
                Ok(results) => results,
                Err(problem) => {
                    self.lane_rest(id, lane, now, &problem);
                    return Ok(0);
                }
            };
            let (acknowledged, stands) = settle::settle(&batch.rows, &results, now, &self.settings);
            if !self.batch_settle(id, held.epoch, batch.to, &stands).await? {
                let overtaken = Problem::failed_precondition("LANE_LOST", "a newer relay has taken over");
                self.lane_rest(id, lane, now, &overtaken);
                return Ok(0);
            }
            self.delivered(id, &batch.rows, &results);
            failpoint!("relay.cursor");
            lane.held = Some(Held {
                position: batch.to,
                has_blocked: batch.has_blocked || !stands.is_empty(),
                ..held
            });
            (lane.failures, lane.behind) = (0, false);
            if acknowledged > 0 || batch.to == from {
                return Ok(acknowledged);
            }
            // The cursor passed rows of waiting or failing keys only; behind them there may be others.
        }
    }

    async fn batch_read(&self, id: &LaneId, held: Held, horizon: i64, now: Timestamp) -> Result<Batch, Problem> {
        let from = held.position;
        let limit = self.settings.batch.clamp(1, 1000);
        let mut bytes = 0;
        let mut fits = |row: &Row| {
            let first = bytes == 0;
            bytes += row.payload.len().max(1);
            first || bytes <= BATCH_BYTES
        };
        let blocked = if held.has_blocked {
            store::blocked_keys(&self.db, id).await?
        } else {
            HashSet::new()
        };
        let mut rows = Vec::new();
        if !blocked.is_empty() {
            rows = store::due(&self.db, id, from, micros(now), limit.div_ceil(2)).await?;
            rows.truncate(rows.iter().take_while(|row| fits(row)).count());
        }
        let mut to = from;
        for row in store::fresh(&self.db, id, from, horizon, limit - rows.len() as u64).await? {
            let waits = blocked.contains(&row.key);
            if !waits && !fits(&row) {
                break;
            }
            to = row.position();
            if !waits {
                rows.push(row);
            }
        }
        let has_blocked = !blocked.is_empty();
        Ok(Batch { rows, to, has_blocked })
    }

    /// Cursor and standing keys move together; false when another relay has the lease.
    fn delivered(&self, id: &LaneId, rows: &[Row], results: &[EventResult]) {
        let Some(meters) = meters() else {
            return;
        };
        let now = micros(self.clock.now());
        let waited = rows
            .iter()
            .zip(results)
            .filter(|(_, result)| settle::is_delivered(result));
        let waited = waited.map(|(row, _)| Duration::from_micros((now - row.occurred_at).max(0).unsigned_abs()));
        meters.events_sent(self.source, &id.dest, waited);
    }

    async fn batch_settle(
        &self,
        id: &LaneId,
        epoch: i64,
        to: Position,
        stands: &[settle::Stand],
    ) -> Result<bool, Problem> {
        if stands.is_empty() {
            return store::cursor_move_alone(&self.db, id, to, epoch).await;
        }
        let tx = self.db.begin().await?;
        if !store::cursor_move(&*tx, id, to, epoch).await? {
            return Ok(false);
        }
        store::stands_write(&tx, self.source, id, to, stands).await?;
        tx.commit().await?;
        for stand in stands.iter().filter(|stand| stand.parked_at.is_some()) {
            tracing::error!(
                upswell.service = self.source,
                event.destination = id.dest,
                event.sequence = stand.seq,
                event.attempts = stand.attempts,
                error = stand.error,
                "an event was parked and its key waits"
            );
        }
        Ok(true)
    }

    /// Leaves a lane alone for a while. Who was overtaken has to claim it again.
    fn lane_rest(&self, id: &LaneId, lane: &mut Lane, now: Timestamp, problem: &Problem) {
        if ["RELAY_FENCED", "LANE_LOST"].contains(&problem.reason()) {
            lane.held = None;
            lane.behind = problem.reason() == "RELAY_FENCED";
        }
        lane.failures = lane.failures.saturating_add(1);
        let latest = now.saturating_add(REST_MAX).unwrap_or(now);
        lane.not_before = Some(settle::later(now, lane.failures, &self.settings).min(latest));
        let failures = lane.failures;
        // One or two failures are what a replica that restarts costs.
        if failures == FAILURES_TOLD {
            tracing::warn!(
                upswell.service = self.source,
                event.destination = id.dest,
                event.shard = id.shard,
                failures,
                error = %problem,
                "a destination does not take events and is tried again later"
            );
        } else {
            tracing::debug!(event.destination = id.dest, failures, error = %problem, "the destination is away");
        }
    }
}
