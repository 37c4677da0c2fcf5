//! The use cases of the touch ledger. The functions ending in `_in` work inside the caller's transaction, so that an
//! offer and its touch change together; each takes the account's lock, decides by the domain, and appends events.

mod coalesce;
mod expire;
mod merge;
mod reserve;
mod service;
mod sheet;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use tracing::Span;
use upswell_runtime::{
    db::Tx,
    outbox::{self, Routes},
    problem::Problem,
};
use uuid::Uuid;

use self::sheet::{Sheet, Sheets, Wanted};
pub use self::{
    expire::ExpireReservations,
    merge::{merge_in, unmerge_in},
    reserve::reserve_in,
    service::{Ledger, Question},
};
use crate::{
    NAME,
    api::ledger::touch_changed,
    domain::{
        ledger::{
            AccountCalendar, CapPolicy, HORIZON, Moved, Observe, ReleaseReason, Touch, TouchFault, recheck, recheck_all,
        },
        vocabulary::TouchState,
    },
    store::{
        Reads,
        ledger::{self as store, Family},
    },
};

/// What every step in the ledger needs.
#[derive(Debug, Clone)]
pub struct LedgerCtx {
    /// The limits in force.
    pub policy: CapPolicy,
    /// Where events go.
    pub routes: Routes,
    /// The epoch whose arms hold accounts out (C-12).
    pub holdout_epoch: i32,
}

/// A touch after a step, and the reservations that had to make way for its actual instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stepped {
    /// The touch.
    pub touch: Touch,
    /// Released touches; the offers they carried have to be deferred again (C-9).
    pub displaced: Vec<Touch>,
}

/// A changed touch, what is worth knowing of the change, and the span that its event belongs to.
pub(super) struct Noted {
    touch: Touch,
    /// It was not there before.
    is_new: bool,
    note: &'static str,
    span: Span,
}

impl Noted {
    fn plain(touch: Touch) -> Self {
        Self::with(touch, "")
    }

    fn with(touch: Touch, note: &'static str) -> Self {
        Self {
            touch,
            is_new: false,
            note,
            span: Span::current(),
        }
    }

    fn added(touch: Touch, note: &'static str, span: Span) -> Self {
        Self {
            touch,
            is_new: true,
            note,
            span,
        }
    }
}

/// Sending begins. The inner error says why it may not. The offers of displaced touches have to be deferred again (C-9).
pub async fn begin_in(
    tx: &Tx,
    ctx: &LedgerCtx,
    touch_id: Uuid,
    now: Timestamp,
) -> Result<Result<Stepped, TouchFault>, Problem> {
    let (touch, sheets) = touch_locked(tx, ctx, touch_id, None, now).await?;
    let sheet = sheets.of(&touch.account_id)?;
    let standing = sheets.standing(&touch.account_id, Some((touch.contact_id.as_str(), touch.channel)))?;
    match touch.begin(&ctx.policy, &standing, &sheet.rows(), sheet.now) {
        Ok(moved) => Ok(Ok(step(tx, ctx, sheet, touch, moved, "").await?)),
        Err(fault) => Ok(Err(fault)),
    }
}

/// The touch was made, at `actual_at` or now.
pub async fn confirm_in(
    tx: &Tx,
    ctx: &LedgerCtx,
    touch_id: Uuid,
    actual_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<Result<Stepped, TouchFault>, Problem> {
    let (touch, sheets) = touch_locked(tx, ctx, touch_id, actual_at, now).await?;
    let sheet = sheets.of(&touch.account_id)?;
    let standing = sheets.standing(&touch.account_id, None)?;
    let moved = match touch.confirm(&ctx.policy, &standing.calendar, &sheet.rows(), actual_at, sheet.now) {
        Ok(moved) => moved,
        Err(fault) => return Ok(Err(fault)),
    };
    let kept = moved.as_ref().and_then(|moved| moved.touch.actual_at);
    let late = actual_at.is_some_and(|at| kept.is_some_and(|kept| kept < at));
    let note = if late {
        "the given instant stands against other touches; that of the beginning stays"
    } else {
        ""
    };
    Ok(Ok(step(tx, ctx, sheet, touch, moved, note).await?))
}

/// Gives the place back.
pub async fn release_in(
    tx: &Tx,
    ctx: &LedgerCtx,
    touch_id: Uuid,
    reason: ReleaseReason,
    now: Timestamp,
) -> Result<Result<Touch, TouchFault>, Problem> {
    let seen = touch_fetch(&**tx, touch_id).await?;
    let now = lock(tx, &seen.account_id, now).await?.now;
    let touch = touch_fetch(&**tx, touch_id).await?;
    match touch.release(reason) {
        Ok(None) => Ok(Ok(touch)),
        Ok(Some(released)) => {
            save(tx, ctx, &[Noted::plain(released.clone())], now).await?;
            Ok(Ok(released))
        }
        Err(fault) => Ok(Err(fault)),
    }
}

/// Records a touch that another tool made unannounced: it counts (C-6). The same fact twice is one touch.
pub async fn observe_in(tx: &Tx, ctx: &LedgerCtx, seen: &Observe, now: Timestamp) -> Result<Touch, Problem> {
    let family = lock(tx, &seen.account_id, now).await?;
    if let Some(known) = store::touch_fetch(&**tx, seen.touch_id()).await? {
        return Ok(known);
    }
    let mut standings = store::standings_fetch(&**tx, [&family], ctx.holdout_epoch, now).await?;
    let calendar = standings.remove(&family.root).map(|standing| standing.calendar);
    let touch = seen.touch(&ctx.policy, &calendar.unwrap_or_else(AccountCalendar::utc), family.now);
    save(tx, ctx, &[Noted::added(touch.clone(), "", Span::current())], family.now).await?;
    Ok(touch)
}

/// What gave cause to look at an account's reservations again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// A renewal date moved, a deal opened or closed, or the time zone changed (C-8).
    RenewalMoved,
    /// Accounts were merged, so that their touches count together (I-3).
    Merged,
}

/// To be called after the change was stored. Releases the reservations that became illegal and returns them: the offers
/// they carried have to be deferred again (C-9). Those that stay record the date by which they were judged anew.
pub async fn recheck_in(
    tx: &Tx,
    ctx: &LedgerCtx,
    account_id: &str,
    cause: Cause,
    now: Timestamp,
) -> Result<Vec<Touch>, Problem> {
    let families = BTreeMap::from([(account_id.to_owned(), lock(tx, account_id, now).await?)]);
    let sheets = expire_all(
        tx,
        ctx,
        Sheets::gather(&**tx, ctx, families, Wanted::default(), now).await?,
        now,
    )
    .await?;
    let (sheet, standing) = (sheets.of(account_id)?, sheets.standing(account_id, None)?);
    let illegal = match cause {
        Cause::RenewalMoved => recheck(&ctx.policy, &standing.calendar, &sheet.rows()),
        Cause::Merged => recheck_all(&ctx.policy, &standing.calendar, &sheet.rows()),
    };
    let renewal_on = standing.calendar.renewal();
    let judged_anew = |touch: &&Touch| {
        touch.state == TouchState::Reserved && touch.renewal_on != renewal_on && !illegal.contains(&touch.id)
    };
    let stay = sheet.touches.iter().filter(judged_anew).map(|touch| {
        let touch = Touch {
            renewal_on,
            ..touch.clone()
        };
        Noted::with(touch, "judged anew by another renewal date")
    });
    save(tx, ctx, &stay.collect::<Vec<_>>(), sheet.now).await?;
    displace(tx, ctx, &sheet.touches, &illegal, sheet.now).await
}

/// The families of accounts, without a lock.
async fn families<'a>(
    db: &impl Reads,
    account_ids: impl Iterator<Item = &'a String>,
    now: Timestamp,
) -> Result<BTreeMap<String, Family>, Problem> {
    store::account_touch_families(db, &account_ids.cloned().collect(), now).await
}

/// Stores the step that a touch took, if it took one, and releases what has to make way for it.
async fn step(
    tx: &Tx,
    ctx: &LedgerCtx,
    sheet: &Sheet,
    touch: Touch,
    moved: Option<Moved>,
    note: &'static str,
) -> Result<Stepped, Problem> {
    let Some(Moved { touch, displaced }) = moved else {
        let displaced = Vec::new();
        return Ok(Stepped { touch, displaced });
    };
    save(tx, ctx, &[Noted::with(touch.clone(), note)], sheet.now).await?;
    let displaced = displace(tx, ctx, &sheet.touches, &displaced, sheet.now).await?;
    Ok(Stepped { touch, displaced })
}

async fn displace(
    tx: &Tx,
    ctx: &LedgerCtx,
    counting: &[Touch],
    ids: &[Uuid],
    now: Timestamp,
) -> Result<Vec<Touch>, Problem> {
    let touches = counting.iter().filter(|touch| ids.contains(&touch.id));
    let released: Vec<Touch> = touches
        .filter_map(|touch| touch.release(ReleaseReason::Displaced).ok().flatten())
        .collect();
    let changed: Vec<Noted> = released.iter().cloned().map(Noted::plain).collect();
    save(tx, ctx, &changed, now).await?;
    Ok(released)
}

/// Stores new and changed touches with a log entry and a TouchChanged event each.
async fn save(tx: &Tx, ctx: &LedgerCtx, changed: &[Noted], now: Timestamp) -> Result<(), Problem> {
    if changed.is_empty() {
        return Ok(());
    }
    let (added, known): (Vec<&Noted>, Vec<&Noted>) = changed.iter().partition(|noted| noted.is_new);
    let touches = |some: Vec<&Noted>| some.iter().map(|noted| noted.touch.clone()).collect::<Vec<_>>();
    store::touches_save(tx, &touches(known)).await?;
    store::touches_insert(tx, &touches(added)).await?;
    let entries = changed.iter().map(|noted| store::LogEntry {
        touch: &noted.touch,
        note: noted.note,
        at: now,
    });
    store::touch_log_append(tx, entries).await?;
    let event = |noted: &Noted| noted.span.in_scope(|| touch_changed(&noted.touch, now));
    outbox::append(tx, NAME, &ctx.routes, changed.iter().map(event).collect()).await
}

/// Locks an account and those that count together with it.
async fn lock(tx: &Tx, account_id: &str, now: Timestamp) -> Result<Family, Problem> {
    let mut locked = store::account_touch_lock(tx, &BTreeSet::from([account_id.to_owned()]), now).await?;
    let found = locked.remove(account_id);
    found.ok_or_else(|| Problem::internal("an account could not be locked"))
}

/// Locks the account of a touch, frees what is over, and reads what the touch's next step is judged by.
async fn touch_locked(
    tx: &Tx,
    ctx: &LedgerCtx,
    touch_id: Uuid,
    since: Option<Timestamp>,
    now: Timestamp,
) -> Result<(Touch, Sheets), Problem> {
    // The account of a touch never changes, so it may be read before the lock; its state may not.
    let seen = touch_fetch(&**tx, touch_id).await?;
    let since = since.into_iter().chain([seen.counts_at()]).min();
    let wanted = Wanted {
        addressees: BTreeSet::from([(seen.contact_id.clone(), seen.channel)]),
        touch_ids: vec![touch_id],
        since,
    };
    let families = BTreeMap::from([(seen.account_id.clone(), lock(tx, &seen.account_id, now).await?)]);
    let sheets = expire_all(tx, ctx, Sheets::gather(&**tx, ctx, families, wanted, now).await?, now).await?;
    let touch = sheets.touch(touch_id).cloned().unwrap_or(seen);
    Ok((touch, sheets))
}

async fn expire_all(tx: &Tx, ctx: &LedgerCtx, mut sheets: Sheets, now: Timestamp) -> Result<Sheets, Problem> {
    let expired: Vec<Noted> = sheets.expire().into_iter().map(Noted::plain).collect();
    save(tx, ctx, &expired, now).await?;
    Ok(sheets)
}

async fn touch_fetch(db: &impl Reads, touch_id: Uuid) -> Result<Touch, Problem> {
    let missing = || Problem::not_found("TOUCH_NOT_FOUND", format!("touch {touch_id} does not exist"));
    store::touch_fetch(db, touch_id).await?.ok_or_else(missing)
}

fn unknown(account_id: &str) -> Problem {
    Problem::not_found("ACCOUNT_NOT_FOUND", format!("account {account_id} is not known"))
}

/// A planned time may lie as far in the past as sending may begin early: the clocks of senders differ.
fn check_time(planned_at: Option<Timestamp>, policy: &CapPolicy, now: Timestamp) -> Result<(), Problem> {
    let Some(planned_at) = planned_at else { return Ok(()) };
    if now.duration_since(planned_at) > policy.early_tolerance {
        return Err(Problem::invalid_field(
            "planned_time",
            format!("must not be in the past, it is {now}"),
        ));
    }
    if planned_at.duration_since(now) > HORIZON {
        return Err(Problem::invalid_field("planned_time", "must be at most 365 days ahead"));
    }
    Ok(())
}

impl From<TouchFault> for Problem {
    fn from(fault: TouchFault) -> Self {
        let text = fault.to_string();
        match fault {
            TouchFault::Expired => Self::failed_precondition("TOUCH_EXPIRED", text),
            TouchFault::Released(_) => Self::failed_precondition("TOUCH_RELEASED", text),
            TouchFault::NotDue(from) => Self::failed_precondition("TOUCH_NOT_DUE", text).with("due_time", from),
            TouchFault::Blocked(judgement) => {
                let rules: Vec<_> = judgement.blocking.iter().map(|blocking| blocking.rule).collect();
                let problem = Self::failed_precondition("TOUCH_BLOCKED", text).with("rules", rules.join(","));
                match judgement.earliest {
                    Some(earliest) => problem.with("earliest_time", earliest),
                    None => problem,
                }
            }
            TouchFault::NotSending(state) => Self::failed_precondition("TOUCH_NOT_SENDING", text).with("state", state),
            TouchFault::Sending => Self::failed_precondition("TOUCH_SENDING", text),
            TouchFault::Confirmed => Self::failed_precondition("TOUCH_CONFIRMED", text),
        }
    }
}
