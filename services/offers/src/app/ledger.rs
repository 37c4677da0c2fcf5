//! The use cases of the touch ledger. The functions ending in `_in` work inside the caller's transaction, so that an
//! offer and its touch change together; each takes the account's lock, decides by the domain, and appends events.

mod expire;
mod service;

use jiff::Timestamp;
use upswell_runtime::{
    db::Tx,
    outbox::{self, Routes},
    problem::{Kind, Problem},
};
use uuid::Uuid;

pub use self::{
    expire::ExpireReservations,
    service::{Ledger, Question},
};
use crate::{
    NAME,
    api::ledger::touch_changed,
    domain::{
        ledger::{
            AUTOMATIC_SENDER, AccountCalendar, CapPolicy, HORIZON, Judgement, Observe, ReleaseReason, Reserve, Row,
            Standing, Touch, TouchFault, is_commercial, recheck,
        },
        vocabulary::{Channel, TouchClass, TouchState},
    },
    store::{Reads, ledger as store},
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

/// A touch that was confirmed, and the reservations that had to make way for its actual instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmed {
    /// The touch.
    pub touch: Touch,
    /// Released touches; the offers they carried have to be deferred again (C-9).
    pub displaced: Vec<Touch>,
}

/// Asks for a place. The same key of the same sender gives the touch that was granted under it, as it stands now.
/// Errors: NOT_FOUND `ACCOUNT_NOT_FOUND`; INVALID_ARGUMENT for a planned time in the past or more than a year ahead,
/// and `REQUEST_ID_REUSED` for a key that was granted with other content.
pub async fn reserve_in(
    tx: &Tx,
    ctx: &LedgerCtx,
    command: &Reserve,
    now: Timestamp,
) -> Result<Result<Touch, Judgement>, Problem> {
    let now = store::account_touch_lock(tx, &command.account_id, now).await?;
    if let Some(touch) = replay(&**tx, command).await? {
        return Ok(Ok(touch));
    }
    check_time(command.planned_at, &ctx.policy, now)?;
    let addressee = Some((command.contact_id.as_str(), command.channel));
    let standing = standing(&**tx, ctx, &command.account_id, addressee, now).await?;
    expire_in(tx, ctx, &command.account_id, now).await?;
    let rows = rows_in(&**tx, ctx, &standing, &command.account_id, now).await?;
    let touch = match command.decide(&ctx.policy, &standing, &rows, now) {
        Ok(touch) => touch,
        Err(refusal) => return Ok(Err(refusal)),
    };
    save(tx, ctx, std::slice::from_ref(&touch), note(&touch, &standing), now).await?;
    Ok(Ok(touch))
}

/// Sending begins. The inner error says why it may not.
pub async fn begin_in(
    tx: &Tx,
    ctx: &LedgerCtx,
    touch_id: Uuid,
    now: Timestamp,
) -> Result<Result<Touch, TouchFault>, Problem> {
    let (touch, now) = lock(tx, touch_id, now).await?;
    let addressee = Some((touch.contact_id.as_str(), touch.channel));
    let standing = standing(&**tx, ctx, &touch.account_id, addressee, now).await?;
    expire_in(tx, ctx, &touch.account_id, now).await?;
    let rows = rows_in(&**tx, ctx, &standing, &touch.account_id, now).await?;
    match touch.begin(&ctx.policy, &standing, &rows, now) {
        Ok(None) => Ok(Ok(touch)),
        Ok(Some(begun)) => {
            save(tx, ctx, std::slice::from_ref(&begun), "", now).await?;
            Ok(Ok(begun))
        }
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
) -> Result<Result<Confirmed, TouchFault>, Problem> {
    let (touch, now) = lock(tx, touch_id, now).await?;
    let standing = standing(&**tx, ctx, &touch.account_id, None, now).await?;
    expire_in(tx, ctx, &touch.account_id, now).await?;
    let since = ctx.policy.since(&standing.calendar, touch.counts_at().min(now));
    let counting = store::touch_list_counting(&**tx, &touch.account_id, since).await?;
    let rows: Vec<Row> = counting.iter().map(Touch::row).collect();
    let confirmation = match touch.confirm(&ctx.policy, &standing.calendar, &rows, actual_at, now) {
        Ok(None) => {
            return Ok(Ok(Confirmed {
                touch,
                displaced: Vec::new(),
            }));
        }
        Ok(Some(confirmation)) => confirmation,
        Err(fault) => return Ok(Err(fault)),
    };
    let late = actual_at.is_some_and(|at| confirmation.touch.actual_at.is_some_and(|kept| kept < at));
    let note = if late {
        "the given instant stands against other touches; that of the beginning stays"
    } else {
        ""
    };
    save(tx, ctx, std::slice::from_ref(&confirmation.touch), note, now).await?;
    let displaced = displace(tx, ctx, counting, &confirmation.displaced, now).await?;
    Ok(Ok(Confirmed {
        touch: confirmation.touch,
        displaced,
    }))
}

/// Gives the place back.
pub async fn release_in(
    tx: &Tx,
    ctx: &LedgerCtx,
    touch_id: Uuid,
    reason: ReleaseReason,
    now: Timestamp,
) -> Result<Result<Touch, TouchFault>, Problem> {
    let (touch, now) = lock(tx, touch_id, now).await?;
    match touch.release(reason) {
        Ok(None) => Ok(Ok(touch)),
        Ok(Some(released)) => {
            save(tx, ctx, std::slice::from_ref(&released), "", now).await?;
            Ok(Ok(released))
        }
        Err(fault) => Ok(Err(fault)),
    }
}

/// Records a touch that another tool made unannounced: it counts (C-6). The same fact twice is one touch.
pub async fn observe_in(tx: &Tx, ctx: &LedgerCtx, seen: &Observe, now: Timestamp) -> Result<Touch, Problem> {
    let now = store::account_touch_lock(tx, &seen.account_id, now).await?;
    if let Some(known) = store::touch_fetch(&**tx, seen.touch_id()).await? {
        return Ok(known);
    }
    let standing = store::standing_fetch(&**tx, &seen.account_id, ctx.holdout_epoch, None, now).await?;
    let calendar = standing.map_or_else(AccountCalendar::utc, |standing| standing.calendar);
    let touch = seen.touch(&ctx.policy, &calendar, now);
    save(tx, ctx, std::slice::from_ref(&touch), "", now).await?;
    Ok(touch)
}

/// To be called when a renewal date of the account moved, a deal opened or closed, or its time zone changed, after the
/// change was stored. Releases the reservations that became illegal (C-8) and returns them: the offers they carried
/// have to be deferred again (C-9). Those that stay record the date by which they were judged anew.
pub async fn renewal_moved_in(
    tx: &Tx,
    ctx: &LedgerCtx,
    account_id: &str,
    now: Timestamp,
) -> Result<Vec<Touch>, Problem> {
    let now = store::account_touch_lock(tx, account_id, now).await?;
    let standing = standing(&**tx, ctx, account_id, None, now).await?;
    expire_in(tx, ctx, account_id, now).await?;
    let since = ctx.policy.since(&standing.calendar, now);
    let counting = store::touch_list_counting(&**tx, account_id, since).await?;
    let rows: Vec<Row> = counting.iter().map(Touch::row).collect();
    let illegal = recheck(&ctx.policy, &standing.calendar, &rows);
    let renewal_on = standing.calendar.renewal();
    let stay: Vec<Touch> = counting
        .iter()
        .filter(|touch| {
            touch.state == TouchState::Reserved && touch.renewal_on != renewal_on && !illegal.contains(&touch.id)
        })
        .map(|touch| Touch {
            renewal_on,
            ..touch.clone()
        })
        .collect();
    save(tx, ctx, &stay, "judged anew by another renewal date", now).await?;
    displace(tx, ctx, counting, &illegal, now).await
}

/// The account's touches that use a place at `now`, as far as they can matter to a touch at or after `now`.
pub async fn rows_in(
    db: &impl Reads,
    ctx: &LedgerCtx,
    standing: &Standing,
    account_id: &str,
    now: Timestamp,
) -> Result<Vec<Row>, Problem> {
    let since = ctx.policy.since(&standing.calendar, now);
    let touches = store::touch_list_counting(db, account_id, since).await?;
    // A reservation whose time is over may not have been freed yet.
    Ok(touches
        .iter()
        .filter(|touch| !touch.is_over(now))
        .map(Touch::row)
        .collect())
}

/// Frees the account's reservations whose time is over, before anything is judged by them.
async fn expire_in(tx: &Tx, ctx: &LedgerCtx, account_id: &str, now: Timestamp) -> Result<Vec<Touch>, Problem> {
    let expired = store::touch_list_over(&**tx, account_id, now).await?;
    let expired: Vec<Touch> = expired.iter().filter_map(|touch| touch.expire(now)).collect();
    save(tx, ctx, &expired, "", now).await?;
    Ok(expired)
}

async fn displace(
    tx: &Tx,
    ctx: &LedgerCtx,
    counting: Vec<Touch>,
    ids: &[Uuid],
    now: Timestamp,
) -> Result<Vec<Touch>, Problem> {
    let touches = counting.iter().filter(|touch| ids.contains(&touch.id));
    let released: Vec<Touch> = touches
        .filter_map(|touch| touch.release(ReleaseReason::Displaced).ok().flatten())
        .collect();
    save(tx, ctx, &released, "", now).await?;
    Ok(released)
}

/// Stores touches with a log entry and a TouchChanged event each.
async fn save(tx: &Tx, ctx: &LedgerCtx, touches: &[Touch], note: &str, now: Timestamp) -> Result<(), Problem> {
    if touches.is_empty() {
        return Ok(());
    }
    store::touches_save(tx, touches).await?;
    let entries: Vec<_> = touches
        .iter()
        .map(|touch| store::LogEntry { touch, note, at: now })
        .collect();
    store::touch_log_append(tx, &entries).await?;
    let events = touches.iter().map(|touch| touch_changed(touch, now)).collect();
    outbox::append(tx, NAME, &ctx.routes, events).await
}

/// What the audit must be able to find: exemptions (C-4) and contamination of the holdout (C-12).
fn note(touch: &Touch, standing: &Standing) -> &'static str {
    let commercial = is_commercial(touch.class, touch.proposes_expansion);
    match touch.class {
        TouchClass::Contractual => "exempt from the limits (C-4)",
        _ if standing.holdout && commercial && touch.sender != AUTOMATIC_SENDER => "contaminates the holdout (C-12)",
        _ => "",
    }
}

async fn lock(tx: &Tx, touch_id: Uuid, now: Timestamp) -> Result<(Touch, Timestamp), Problem> {
    let missing = || Problem::not_found("TOUCH_NOT_FOUND", format!("touch {touch_id} does not exist"));
    // The account of a touch never changes, so it may be read before the lock; its state may not.
    let touch = store::touch_fetch(&**tx, touch_id).await?.ok_or_else(missing)?;
    let now = store::account_touch_lock(tx, &touch.account_id, now).await?;
    let touch = store::touch_fetch(&**tx, touch_id).await?.ok_or_else(missing)?;
    Ok((touch, now))
}

async fn replay(db: &impl Reads, command: &Reserve) -> Result<Option<Touch>, Problem> {
    match store::touch_fetch(db, command.touch_id()).await? {
        Some(touch) if touch.content != command.content() => {
            let message = "idempotency_key: it was used before for another touch";
            Err(Problem::new(Kind::InvalidArgument, "REQUEST_ID_REUSED", message).with("touch_id", touch.id))
        }
        known => Ok(known),
    }
}

async fn standing(
    db: &impl Reads,
    ctx: &LedgerCtx,
    account_id: &str,
    addressee: Option<(&str, Channel)>,
    now: Timestamp,
) -> Result<Standing, Problem> {
    let found = store::standing_fetch(db, account_id, ctx.holdout_epoch, addressee, now).await?;
    found.ok_or_else(|| Problem::not_found("ACCOUNT_NOT_FOUND", format!("account {account_id} is not known")))
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
