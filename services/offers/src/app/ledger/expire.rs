//! Frees reservations that nobody used (C-6); the offers they carried compete again (C-9).

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use async_trait::async_trait;
use jiff::Timestamp;
use upswell_runtime::{db::Db, jobs::Job, problem::Problem};

use super::{LedgerCtx, Noted, lock, save};
use crate::{app::released::released_in, domain::ledger::Touch, store::ledger as store};

/// Accounts are found by so many overdue reservations at a time.
const BATCH: u64 = 500;

/// The job `offers.expire_reservations`.
#[derive(Debug, Clone)]
pub struct ExpireReservations {
    db: Db,
    ctx: Arc<LedgerCtx>,
}

impl ExpireReservations {
    /// Over this ledger.
    pub fn new(db: Db, ctx: Arc<LedgerCtx>) -> Self {
        Self { db, ctx }
    }
}

#[async_trait]
impl Job for ExpireReservations {
    fn name(&self) -> &'static str {
        "offers.expire_reservations"
    }

    fn period(&self) -> Duration {
        Duration::from_secs(30)
    }

    async fn run_once(&self, now: Timestamp) -> Result<usize, Problem> {
        let mut freed = 0;
        loop {
            let overdue = store::touch_list_overdue(self.db.reader(), now, BATCH).await?;
            if overdue.is_empty() {
                return Ok(freed);
            }
            let accounts: BTreeSet<String> = overdue.into_iter().map(|touch| touch.account_id).collect();
            for account_id in accounts {
                let tx = self.db.begin().await?;
                let now = lock(&tx, &account_id, now).await?.now;
                let over = store::touch_list_over(&*tx, std::slice::from_ref(&account_id), now).await?;
                let expired: Vec<Touch> = over.iter().filter_map(|touch| touch.expire(now)).collect();
                let changed: Vec<Noted> = expired.iter().cloned().map(Noted::plain).collect();
                save(&tx, &self.ctx, &changed, now).await?;
                released_in(&tx, &self.ctx.routes, &expired, now).await?;
                freed += expired.len();
                tx.commit().await?;
            }
        }
    }
}
