//! Granting places, to one or to many at once.

use std::{collections::BTreeSet, ops::ControlFlow};

use jiff::Timestamp;
use tracing::Span;
use upswell_runtime::{db::Tx, problem::Problem, telemetry::meters};

use super::{
    LedgerCtx, Noted, save,
    sheet::{Sheets, Verdict, Wanted},
};
use crate::{
    domain::{
        ledger::{AUTOMATIC_SENDER, Judgement, Reserve, Standing, Touch, is_commercial},
        vocabulary::TouchClass,
    },
    store::ledger as store,
};

/// A command with the span that its events belong to.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    /// What is asked for.
    pub(super) command: Reserve,
    /// Of the caller.
    pub(super) span: Span,
}

/// What becomes of one command.
pub(super) type Outcome = Result<Result<Touch, Judgement>, Problem>;

/// Asks for a place. The same key of the same sender gives the touch that was granted under it, as it stands now.
/// Errors: NOT_FOUND `ACCOUNT_NOT_FOUND`; INVALID_ARGUMENT for a planned time in the past or more than a year ahead,
/// and `REQUEST_ID_REUSED` for a key that was granted with other content.
pub async fn reserve_in(
    tx: &Tx,
    ctx: &LedgerCtx,
    command: &Reserve,
    now: Timestamp,
) -> Result<Result<Touch, Judgement>, Problem> {
    let ask = Ask {
        command: command.clone(),
        span: Span::current(),
    };
    let mut outcomes = reserve_all_in(tx, ctx, &[&ask], now).await?;
    let lost = || Err(Problem::internal("a command was not answered"));
    outcomes.pop().unwrap_or_else(lost)
}

/// Asks for many places, one after the other in the given order, under the locks of all their accounts. Errors: as
/// [`reserve_in`], each for its command; the outer one leaves nothing granted.
pub(super) async fn reserve_all_in(
    tx: &Tx,
    ctx: &LedgerCtx,
    asks: &[&Ask],
    now: Timestamp,
) -> Result<Vec<Outcome>, Problem> {
    let accounts: BTreeSet<String> = asks.iter().map(|ask| ask.command.account_id.clone()).collect();
    let families = store::account_touch_lock(tx, &accounts, now).await?;
    let wanted = Wanted::by(asks.iter().map(|ask| &ask.command));
    let mut sheets = Sheets::gather(&**tx, ctx, families, wanted, now).await?;
    let expired = sheets.expire();
    let mut granted = Vec::new();
    // What stands refused before anything is granted is refused, whether it was looked at without the locks or not.
    let mut early: Vec<Option<Outcome>> = match accounts.len() == asks.len() {
        true => asks.iter().map(|_| None).collect(),
        false => asks
            .iter()
            .map(|ask| settle(&sheets, ctx, &ask.command).break_value())
            .collect(),
    };
    let mut outcomes = Vec::with_capacity(asks.len());
    for (Ask { command, span }, early) in asks.iter().zip(&mut early) {
        if let Some(outcome) = early.take() {
            outcomes.push(outcome);
            continue;
        }
        outcomes.push(match settle(&sheets, ctx, command) {
            ControlFlow::Break(outcome) => outcome,
            ControlFlow::Continue(touch) => {
                count(command, "granted");
                sheets.add(&touch);
                let note = note(&touch, &sheets.standing(&command.account_id, None)?);
                granted.push(Noted::added(touch.clone(), note, span.clone()));
                Ok(Ok(touch))
            }
        });
    }
    // An answer that changes nothing leaves what is overdue to the job.
    if !granted.is_empty() {
        let changed: Vec<Noted> = expired.into_iter().map(Noted::plain).chain(granted).collect();
        save(tx, ctx, &changed, now).await?;
    }
    Ok(outcomes)
}

/// The answer to a command as the sheets stand, or the touch that is to be granted to it.
pub(super) fn settle(sheets: &Sheets, ctx: &LedgerCtx, command: &Reserve) -> ControlFlow<Outcome, Touch> {
    ControlFlow::Break(match sheets.decide(ctx, command) {
        Ok(Verdict::Granted(touch)) => return ControlFlow::Continue(touch),
        Ok(Verdict::Known(touch)) => Ok(Ok(touch)),
        Ok(Verdict::Refused(judgement)) => {
            count(
                command,
                judgement.blocking.first().map_or("none", |blocking| blocking.rule),
            );
            Ok(Err(judgement))
        }
        Err(problem) => Err(problem),
    })
}

fn count(command: &Reserve, verdict: &'static str) {
    if let Some(meters) = meters() {
        meters.touch(command.class.as_str(), verdict);
    }
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
