//! The second case: 40 accounts in three countries, in dollars, with everything that goes wrong in real data and real
//! accounts: a control group, enterprise approvals, renewals that are near or move, late, doubled, corrected and broken
//! facts, other tools that write too, and a critical ticket in the middle of good news.

mod odd;
mod ordinary;

use super::lines::Lines;

/// First day that is played.
pub(super) const START: &str = "2026-03-02";
/// Days that are played.
pub(super) const PLAYED_DAYS: i64 = 49;
/// Days of history before.
pub(super) const HISTORY_DAYS: i64 = 130;

/// Content of `facts.jsonl`.
pub(super) fn facts() -> String {
    let mut lines = Lines::new("frontier-2026");
    for account in ordinary::accounts() {
        account.write(&mut lines);
    }
    odd::write(&mut lines);
    lines.finish()
}
