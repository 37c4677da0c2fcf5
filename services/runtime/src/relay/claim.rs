//! Which relay sends which lane.
//!
//! Relays over one PostgreSQL share the lanes: a lane with something to send is claimed by whoever finds it free, the
//! holder renews its lease by the clock of the database, and gives lanes back when it has more than its share. A claim
//! raises the lane's epoch, so that the one who had it before is refused, by the cursor here and by the receiver there.
//! A driver with a manual clock and the one process over an SQLite store take what they want.

use jiff::{SignedDuration, Timestamp};
use sea_orm::{DbBackend, FromQueryResult, Value};
use tokio::time::Instant;

use super::{
    Inner,
    lane::Held,
    store::{LaneId, Position},
};
use crate::{
    db::{execute, select},
    failpoints::failpoint,
    lease::{DB_NOW, LEASE_MICROS},
    problem::Problem,
};

/// Prefix of the lease by which a living relay is counted.
const PRESENCE: &str = "relay:";
/// How long a lane that was given back is left to others.
const GIVEN_BACK: SignedDuration = SignedDuration::from_secs(1);

impl Inner {
    /// True when other relays may work over the same store.
    pub(super) fn is_shared(&self) -> bool {
        self.db.backend() == DbBackend::Postgres && !self.clock.is_manual()
    }

    /// A condition on `l`, a lane: it is this relay's, or nobody's.
    pub(super) fn free(&self) -> String {
        if self.is_shared() {
            // The owner is made of hexadecimal digits.
            let owner = self.leases.owner();
            format!("(l.lease_owner = '{owner}' OR l.lease_until < {DB_NOW})")
        } else {
            "1 = 1".to_owned()
        }
    }

    /// Takes the lease on a lane; None while another relay has it. The epoch is at least `epoch_min`.
    pub(super) async fn claim(&self, lane: &LaneId, epoch_min: i64) -> Result<Option<Held>, Problem> {
        let greatest = match self.db.backend() {
            DbBackend::Postgres => "GREATEST",
            _ => "MAX",
        };
        let until = if self.is_shared() {
            format!("{DB_NOW} + {LEASE_MICROS}")
        } else {
            "0".to_owned()
        };
        let update = format!(
            "UPDATE outbox_lane AS l SET lease_owner = $1, lease_until = {until}, \
             lease_epoch = {greatest}(l.lease_epoch + 1, $2) WHERE l.dest = $3 AND l.shard = $4 AND {} \
             RETURNING lease_epoch, txid, position",
            self.free()
        );
        let values: [Value; 4] = [
            self.leases.owner().into(),
            epoch_min.into(),
            lane.dest.as_str().into(),
            lane.shard.into(),
        ];
        let rows: Vec<Claimed> = select(self.db.writer(), &update, values).await?;
        failpoint!("relay.claim");
        Ok(rows.first().map(|row| Held {
            epoch: row.lease_epoch,
            position: Position {
                txid: row.txid,
                id: row.position,
            },
            has_blocked: true,
        }))
    }

    /// Renews this relay's leases when that is due, forgets those that were lost, and gives back what is more than its
    /// share. Lanes at work are left alone.
    pub(super) async fn tend(&self) -> Result<(), Problem> {
        let mut tended_at = self.tended_at.lock().await;
        let third = std::time::Duration::from_micros(LEASE_MICROS.unsigned_abs() / 3);
        if !self.is_shared() || tended_at.is_some_and(|last: Instant| last.elapsed() < third) {
            return Ok(());
        }
        self.leases.take(&format!("{PRESENCE}{}", self.leases.owner())).await?;
        let renew = format!(
            "UPDATE outbox_lane SET lease_until = {DB_NOW} + {LEASE_MICROS} \
             WHERE lease_owner = $1 AND lease_until >= {DB_NOW} RETURNING dest, shard"
        );
        let held: Vec<LaneId> = select(self.db.writer(), &renew, [self.leases.owner().into()]).await?;
        let relays = self.leases.count(PRESENCE).await?.max(1);
        let all: Vec<Number> = select(self.db.reader(), "SELECT COUNT(*) AS number FROM outbox_lane", []).await?;
        let lanes = all.first().map_or(0, |row| row.number);
        let share = usize::try_from((lanes + relays - 1) / relays).unwrap_or_default();
        self.give_back(&held, held.len().saturating_sub(share)).await?;
        *tended_at = Some(Instant::now());
        Ok(())
    }

    async fn give_back(&self, held: &[LaneId], mut too_many: usize) -> Result<(), Problem> {
        for (id, lane) in self.lanes.lock().await.iter() {
            let Ok(mut lane) = lane.try_lock() else { continue };
            if !held.contains(id) {
                lane.held = None;
            } else if too_many > 0 {
                too_many -= 1;
                lane.held = None;
                // Others look first, or this relay would have it back at once.
                lane.not_before = Some(self.clock.now().saturating_add(GIVEN_BACK).unwrap_or(Timestamp::MAX));
                let release = "UPDATE outbox_lane SET lease_until = 0 WHERE dest = $1 AND shard = $2 \
                               AND lease_owner = $3";
                let owner = self.leases.owner();
                execute(
                    self.db.writer(),
                    release,
                    [id.dest.as_str().into(), id.shard.into(), owner.into()],
                )
                .await?;
            }
        }
        Ok(())
    }

    /// Gives everything back, so that others need not wait for the leases to end.
    pub(super) async fn retire(&self) -> Result<(), Problem> {
        if self.is_shared() {
            let owner = self.leases.owner();
            let release = "UPDATE outbox_lane SET lease_until = 0 WHERE lease_owner = $1";
            execute(self.db.writer(), release, [owner.into()]).await?;
            self.leases.release(&format!("{PRESENCE}{owner}")).await?;
        }
        Ok(())
    }
}

#[derive(FromQueryResult)]
struct Claimed {
    lease_epoch: i64,
    txid: i64,
    position: i64,
}

#[derive(FromQueryResult)]
struct Number {
    number: i64,
}
