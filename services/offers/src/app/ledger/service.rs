//! The ledger for senders outside this service: one transaction per step.

use std::sync::Arc;

use jiff::Timestamp;
use upswell_runtime::{clock::Clock, db::Db, problem::Problem};
use uuid::Uuid;

use super::{LedgerCtx, begin_in, check_time, confirm_in, release_in, replay, reserve_in, rows_in, standing};
use crate::{
    app::released::released_in,
    domain::{
        ledger::{Judgement, Proposal, ReleaseReason, Reserve, Touch, gates, judge_behind},
        vocabulary::{Channel, TouchClass},
    },
    store::ledger::{self as store, TouchFilter},
};

/// The touch ledger.
#[derive(Debug, Clone)]
pub struct Ledger {
    db: Db,
    ctx: Arc<LedgerCtx>,
    clock: Clock,
}

/// Asks whether a touch would be granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The account.
    pub account_id: String,
    /// What the touch is about.
    pub class: TouchClass,
    /// A renewal message that proposes expansion.
    pub proposes_expansion: bool,
    /// Who would send; empty for a sender that is not the autopilot.
    pub sender: String,
    /// Who would be contacted and how; `None` when that is not known yet.
    pub addressee: Option<(String, Channel)>,
    /// When; `None` means now.
    pub planned_at: Option<Timestamp>,
}

impl Ledger {
    /// The ledger over this store.
    pub fn new(db: Db, ctx: Arc<LedgerCtx>, clock: Clock) -> Self {
        Self { db, ctx, clock }
    }

    /// Asks for a place; see [`reserve_in`].
    #[tracing::instrument(name = "offers.reserve_touch", skip_all, fields(account.id = %command.account_id))]
    pub async fn reserve(&self, command: &Reserve) -> Result<Result<Touch, Judgement>, Problem> {
        // A refusal by what was committed a moment ago is as true as one that waited for the lock, and much cheaper. The
        // key is looked up after the judgement, since a twin of this call that was granted meanwhile stands against it.
        // A fault is left to the transaction: a key that was granted long ago has its answer whatever the time is now.
        if let Ok(judgement) = self.allowance(&Question::about(command)).await
            && !judgement.allowed()
            && replay(self.db.reader(), command).await?.is_none()
        {
            return Ok(Err(judgement));
        }
        let tx = self.db.begin().await?;
        let outcome = reserve_in(&tx, &self.ctx, command, self.clock.now()).await?;
        tx.commit().await?;
        Ok(outcome)
    }

    /// Sending begins; see [`begin_in`].
    #[tracing::instrument(name = "offers.begin_send", skip_all, fields(touch.id = %touch_id))]
    pub async fn begin_send(&self, touch_id: Uuid) -> Result<Touch, Problem> {
        let tx = self.db.begin().await?;
        let touch = begin_in(&tx, &self.ctx, touch_id, self.clock.now()).await??;
        tx.commit().await?;
        Ok(touch)
    }

    /// The touch was made; see [`confirm_in`].
    #[tracing::instrument(name = "offers.confirm_touch", skip_all, fields(touch.id = %touch_id))]
    pub async fn confirm(&self, touch_id: Uuid, actual_at: Option<Timestamp>) -> Result<Touch, Problem> {
        let now = self.clock.now();
        if actual_at.is_some_and(|at| at.duration_since(now) > self.ctx.policy.early_tolerance) {
            return Err(Problem::invalid_field("actual_time", "must not be in the future"));
        }
        let tx = self.db.begin().await?;
        let confirmed = confirm_in(&tx, &self.ctx, touch_id, actual_at, now).await??;
        released_in(&tx, &self.ctx.routes, &confirmed.displaced, now).await?;
        tx.commit().await?;
        Ok(confirmed.touch)
    }

    /// Gives the place back; see [`release_in`].
    #[tracing::instrument(name = "offers.release_touch", skip_all, fields(touch.id = %touch_id))]
    pub async fn release(&self, touch_id: Uuid, reason: ReleaseReason) -> Result<Touch, Problem> {
        let tx = self.db.begin().await?;
        let now = self.clock.now();
        let touch = release_in(&tx, &self.ctx, touch_id, reason, now).await??;
        released_in(&tx, &self.ctx.routes, std::slice::from_ref(&touch), now).await?;
        tx.commit().await?;
        Ok(touch)
    }

    /// What stands against a touch now, and when none of it does. Changes nothing. Errors: as [`reserve_in`].
    pub async fn allowance(&self, question: &Question) -> Result<Judgement, Problem> {
        let Question {
            account_id,
            class,
            proposes_expansion,
            sender,
            addressee,
            planned_at,
        } = question;
        let (ctx, db) = (&*self.ctx, self.db.reader());
        let now = store::account_touch_time(db, account_id, self.clock.now()).await?;
        check_time(*planned_at, &ctx.policy, now)?;
        let addressee = addressee
            .as_ref()
            .map(|(contact_id, channel)| (contact_id.as_str(), *channel));
        let standing = standing(db, ctx, account_id, addressee, now).await?;
        let rows = rows_in(db, ctx, &standing, account_id, now).await?;
        let at = planned_at.unwrap_or(now).max(now);
        let proposal = Proposal {
            class: *class,
            proposes_expansion: *proposes_expansion,
            at,
        };
        let gates = gates(&standing, *class, *proposes_expansion, sender);
        Ok(judge_behind(&ctx.policy, &standing.calendar, &rows, &proposal, &gates))
    }

    /// A page of touches by planned time, after the key `after`.
    pub async fn list(
        &self,
        filter: &TouchFilter,
        after: Option<(Timestamp, Uuid)>,
        limit: u64,
    ) -> Result<Vec<Touch>, Problem> {
        store::touch_list(self.db.reader(), filter, after, limit).await
    }
}

impl Question {
    fn about(command: &Reserve) -> Self {
        Self {
            account_id: command.account_id.clone(),
            class: command.class,
            proposes_expansion: command.proposes_expansion,
            sender: command.sender.clone(),
            addressee: Some((command.contact_id.clone(), command.channel)),
            planned_at: command.planned_at,
        }
    }
}
