//! Facts to record: usage of a few metrics by ten thousand accounts over thirty days, never twice the same.

use std::sync::{
    OnceLock,
    atomic::{AtomicU64, Ordering},
};

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use upswell::wire::{to_date, to_instant};
use upswell_proto::ingestion::v1::{Fact, UsageCount, fact::Body};
use upswell_runtime::clock::Clock;

/// Accounts that facts are about.
pub(crate) const ACCOUNTS: u64 = 10_000;
/// Accounts of one request of [`Mix::Export`].
const ACCOUNTS_A_REQUEST: u64 = 100;
const METRICS: u64 = 5;
const DAYS: u64 = 30;

/// How the facts of a request lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mix {
    /// As a product exports them: several metrics and days of 100 accounts.
    Export,
    /// Each about another account.
    Scattered,
}

static NEXT: AtomicU64 = AtomicU64::new(0);
/// Facts are made again with the same content, so their time must not move during a run.
static TODAY: OnceLock<Timestamp> = OnceLock::new();

/// The source of all facts of a benchmark.
pub(crate) const SOURCE: &str = "bench";

/// Numbers of facts that nobody else has; the first of them.
pub(crate) fn allot(count: u64) -> u64 {
    NEXT.fetch_add(count, Ordering::Relaxed)
}

/// The facts `first` to `first + count`.
pub(crate) fn facts(first: u64, count: u64, mix: Mix) -> Vec<Fact> {
    let now = *TODAY.get_or_init(|| Clock::system().now());
    (first..first + count).map(|number| fact(number, mix, now)).collect()
}

/// The external id of a fact; ids come in order, as those of a log do.
pub(crate) fn external_id(number: u64) -> String {
    format!("fact-{number:012}")
}

/// The name of an account.
pub(crate) fn account(number: u64) -> String {
    format!("acct-{:06}", number % ACCOUNTS)
}

fn fact(number: u64, mix: Mix, now: Timestamp) -> Fact {
    let (batch, place) = (number / 1000, number % 1000);
    let owner = match mix {
        Mix::Export => batch * ACCOUNTS_A_REQUEST + place % ACCOUNTS_A_REQUEST,
        // A multiplication scatters: neighbours are far apart, and none is met twice in a request.
        Mix::Scattered => number.wrapping_mul(7_919),
    };
    let turn = place / ACCOUNTS_A_REQUEST;
    let back = 1 + (batch / 100 * 2 + turn / METRICS) % DAYS;
    let day = day_before(now, back);
    Fact {
        source: SOURCE.to_owned(),
        external_id: external_id(number),
        account_id: account(owner),
        occur_time: Some(to_instant(now - SignedDuration::from_hours(24 * back as i64))),
        body: Some(Body::Usage(UsageCount {
            metric: format!("metric-{}", turn % METRICS),
            day: Some(to_date(day)),
            value: 1 + number as i64 % 1000,
        })),
        ..Fact::default()
    }
}

/// The day so many days before `now`, in UTC.
pub(crate) fn day_before(now: Timestamp, days: u64) -> Date {
    let then = now - SignedDuration::from_hours(24 * days as i64);
    then.to_zoned(TimeZone::UTC).date()
}
