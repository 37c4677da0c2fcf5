//! Granting places, to one or to many at once.

use std::collections::BTreeSet;

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
    let mut changed: Vec<Noted> = expired.into_iter().map(Noted::plain).collect();
    let mut outcomes = Vec::with_capacity(asks.len());
    for Ask { command, span } in asks {
        let outcome = match sheets.decide(ctx, command) {
            Ok(Verdict::Known(touch)) => Ok(Ok(touch)),
            Ok(Verdict::Refused(judgement)) => {
                count_refused(command, &judgement);
                Ok(Err(judgement))
            }
            Ok(Verdict::Granted(touch)) => {
                count(command, "granted");
                sheets.add(&touch);
                let note = note(&touch, &sheets.standing(&command.account_id, None)?);
                changed.push(Noted::added(touch.clone(), note, span.clone()));
                Ok(Ok(touch))
            }
            Err(problem) => Err(problem),
        };
        outcomes.push(outcome);
    }
    save(tx, ctx, &changed, now).await?;
    Ok(outcomes)
}

/// Counts a refusal under the first of its rules.
pub(super) fn count_refused(command: &Reserve, judgement: &Judgement) {
    count(
        command,
        judgement.blocking.first().map_or("none", |blocking| blocking.rule),
    );
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
