//! The ledger for senders outside this service: one transaction per step, again where others got in its way.

use std::sync::Arc;

use jiff::Timestamp;
use tracing::Span;
use upswell_runtime::{
    clock::Clock,
    db::{Db, retrying},
    problem::Problem,
};
use uuid::Uuid;

use super::{
    LedgerCtx, begin_in, check_time,
    coalesce::{Coalescer, Desk},
    confirm_in, families, release_in,
    reserve::Ask,
    sheet::{Sheets, Wanted},
};
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
    desk: Desk,
    coalescer: Coalescer,
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
        let coalescer = Coalescer::new(&db);
        Self {
            desk: Desk::new(db, ctx, clock),
            coalescer,
        }
    }

    /// Asks for a place; see [`super::reserve_in`]. Calls that wait at the same time are decided together.
    #[tracing::instrument(name = "offers.reserve_touch", skip_all, fields(account.id = %command.account_id))]
    pub async fn reserve(&self, command: &Reserve) -> Result<Result<Touch, Judgement>, Problem> {
        self.coalescer.reserve(&self.desk, command).await
    }

    /// Asks for many places at once: what stands refused now is refused, the rest is granted one after the other under the
    /// locks of all their accounts.
    pub async fn reserve_all(&self, commands: &[Reserve]) -> Vec<Result<Result<Touch, Judgement>, Problem>> {
        let ask = |command: &Reserve| Ask {
            command: command.clone(),
            span: Span::current(),
        };
        self.desk
            .decide_all(&commands.iter().map(ask).collect::<Vec<_>>())
            .await
    }

    /// Sending begins; see [`begin_in`].
    #[tracing::instrument(name = "offers.begin_send", skip_all, fields(touch.id = %touch_id))]
    pub async fn begin_send(&self, touch_id: Uuid) -> Result<Touch, Problem> {
        retrying(|| async {
            let (tx, now) = (self.desk.db.begin().await?, self.desk.clock.now());
            let begun = begin_in(&tx, &self.desk.ctx, touch_id, now).await??;
            released_in(&tx, &self.desk.ctx.routes, &begun.displaced, now).await?;
            tx.commit().await?;
            Ok(begun.touch)
        })
        .await
    }

    /// The touch was made; see [`confirm_in`].
    #[tracing::instrument(name = "offers.confirm_touch", skip_all, fields(touch.id = %touch_id))]
    pub async fn confirm(&self, touch_id: Uuid, actual_at: Option<Timestamp>) -> Result<Touch, Problem> {
        let now = self.desk.clock.now();
        if actual_at.is_some_and(|at| at.duration_since(now) > self.desk.ctx.policy.early_tolerance) {
            return Err(Problem::invalid_field("actual_time", "must not be in the future"));
        }
        retrying(|| async {
            let tx = self.desk.db.begin().await?;
            let confirmed = confirm_in(&tx, &self.desk.ctx, touch_id, actual_at, now).await??;
            released_in(&tx, &self.desk.ctx.routes, &confirmed.displaced, now).await?;
            tx.commit().await?;
            Ok(confirmed.touch)
        })
        .await
    }

    /// Gives the place back; see [`release_in`].
    #[tracing::instrument(name = "offers.release_touch", skip_all, fields(touch.id = %touch_id))]
    pub async fn release(&self, touch_id: Uuid, reason: ReleaseReason) -> Result<Touch, Problem> {
        retrying(|| async {
            let (tx, now) = (self.desk.db.begin().await?, self.desk.clock.now());
            let touch = release_in(&tx, &self.desk.ctx, touch_id, reason, now).await??;
            released_in(&tx, &self.desk.ctx.routes, std::slice::from_ref(&touch), now).await?;
            tx.commit().await?;
            Ok(touch)
        })
        .await
    }

    /// What stands against a touch now, and when none of it does. Changes nothing. Errors: as [`super::reserve_in`].
    pub async fn allowance(&self, question: &Question) -> Result<Judgement, Problem> {
        let Question {
            account_id,
            class,
            proposes_expansion,
            sender,
            addressee,
            planned_at,
        } = question;
        let (ctx, db, now) = (&*self.desk.ctx, self.desk.db.reader(), self.desk.clock.now());
        let families = families(db, [account_id].into_iter(), now).await?;
        let wanted = Wanted {
            addressees: addressee.iter().cloned().collect(),
            ..Wanted::default()
        };
        let sheets = Sheets::gather(db, ctx, families, wanted, now).await?;
        let sheet = sheets.of(account_id)?;
        check_time(*planned_at, &ctx.policy, sheet.now)?;
        let addressee = addressee
            .as_ref()
            .map(|(contact_id, channel)| (contact_id.as_str(), *channel));
        let (standing, rows) = (sheets.standing(account_id, addressee)?, sheet.rows());
        let proposal = Proposal {
            class: *class,
            proposes_expansion: *proposes_expansion,
            at: planned_at.unwrap_or(sheet.now).max(sheet.now),
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
        store::touch_list(self.desk.db.reader(), filter, after, limit).await
    }
}
