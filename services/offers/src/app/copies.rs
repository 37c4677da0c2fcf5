//! Keeps local copies of what other services know, and does what follows from a change.

use upswell_runtime::{
    db::{Tx, micros},
    problem::Problem,
};

use super::{
    App,
    ledger::{Cause, observe_in, recheck_in, release_in},
    released::released_in,
};
use crate::{
    domain::ledger::{Observe, ReleaseReason},
    store::{
        accounts, copies,
        entities::{account, deal, signal},
        ledger::touch_fetch,
    },
};

impl App {
    /// The account's profile is new. A new account gets its first slot; another time zone moves the next one, and
    /// may move what the limits allow.
    pub(crate) async fn account_known(&self, tx: &Tx, mut account: account::Model) -> Result<(), Problem> {
        let now = self.clock.now();
        // A slot may be decided at this moment: what the row says of it is read when that is done.
        accounts::account_lock(tx, &account.account_id).await?;
        let before = accounts::account_fetch(&**tx, &account.account_id).await?;
        let moved = before
            .as_ref()
            .is_some_and(|before| before.time_zone != account.time_zone);
        match before {
            Some(before) if !moved => {
                (account.next_slot_at, account.decide_now) = (before.next_slot_at, before.decide_now);
            }
            _ => {
                account.next_slot_at = micros(self.slot_after(&account.time_zone, now));
                account.decide_now = true;
            }
        }
        let account_id = account.account_id.clone();
        accounts::account_save(tx, account).await?;
        if moved {
            self.recheck(tx, &account_id).await?;
        }
        Ok(())
    }

    /// A signal is new; an open one may be urgent.
    pub(crate) async fn signal_known(&self, tx: &Tx, signal: signal::Model) -> Result<(), Problem> {
        if signal.state == "open" {
            accounts::account_urgency_set(tx, &signal.account_id, true).await?;
        }
        copies::signal_save(tx, signal).await
    }

    /// A deal is new, moved or closed: reservations that became illegal are released, and their offers compete again
    /// (C-8).
    pub(crate) async fn deal_known(&self, tx: &Tx, deal: deal::Model) -> Result<(), Problem> {
        let before = copies::deal_fetch(&**tx, &deal.deal_id).await?;
        if before.as_ref() == Some(&deal) {
            return Ok(());
        }
        let account_id = deal.account_id.clone();
        copies::deal_save(tx, deal).await?;
        if accounts::account_exists(&**tx, &account_id).await? {
            self.recheck(tx, &account_id).await?;
        }
        Ok(())
    }

    /// Another tool made a touch: it counts (C-6).
    pub(crate) async fn touch_seen(&self, tx: &Tx, seen: &Observe) -> Result<(), Problem> {
        observe_in(tx, &self.ledger, seen, self.clock.now()).await?;
        Ok(())
    }

    /// The fact of such a touch was corrected: it gives its place back (I-5).
    pub(crate) async fn touch_unseen(&self, tx: &Tx, seen: &Observe) -> Result<(), Problem> {
        let now = self.clock.now();
        if touch_fetch(&**tx, seen.touch_id()).await?.is_some() {
            let released = release_in(tx, &self.ledger, seen.touch_id(), ReleaseReason::Superseded, now).await?;
            drop(released);
        }
        Ok(())
    }

    async fn recheck(&self, tx: &Tx, account_id: &str) -> Result<(), Problem> {
        let now = self.clock.now();
        let released = recheck_in(tx, &self.ledger, account_id, Cause::RenewalMoved, now).await?;
        released_in(tx, &self.ledger.routes, &released, now).await?;
        Ok(())
    }
}
