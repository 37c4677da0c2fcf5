//! What the answers to a batch mean for the keys in it. Pure.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use upswell_proto::delivery::v1::{EventResult, event_result::Outcome};

use super::{RelaySettings, store::Row};

/// The longest pause between attempts.
const BACKOFF_MAX_MS: i64 = 15 * 60 * 1000;

/// Where a key that lags behind the cursor stands afterwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stand {
    pub(super) key: String,
    /// The event to send next.
    pub(super) seq: i64,
    /// How often that event was sent in vain.
    pub(super) attempts: i32,
    /// What the destination said last.
    pub(super) error: String,
    /// When to send it again.
    pub(super) retry_at: Timestamp,
    /// Set when it is not to be sent again by itself.
    pub(super) parked_at: Option<Timestamp>,
}

/// How many events were acknowledged, and where their keys stand: a key that failed stands at the failed event, and a
/// lagging key whose events all went through stands behind them. A key that never lagged has no entry.
pub(super) fn settle(
    rows: &[Row],
    results: &[EventResult],
    now: Timestamp,
    settings: &RelaySettings,
) -> (usize, Vec<Stand>) {
    let mut acknowledged = 0;
    let mut stands: BTreeMap<&str, (bool, Stand)> = BTreeMap::new();
    for (row, result) in rows.iter().zip(results) {
        let delivered = is_delivered(result);
        acknowledged += usize::from(delivered);
        if stands.get(row.key.as_str()).is_some_and(|(stopped, _)| *stopped) {
            continue;
        }
        if !delivered {
            stands.insert(&row.key, (true, stopped(row, result, now, settings)));
        } else if row.attempts.is_some() {
            stands.insert(&row.key, (false, behind(row, now)));
        }
    }
    (acknowledged, stands.into_values().map(|(_, stand)| stand).collect())
}

/// True when the destination has the event, now or from before.
pub(super) fn is_delivered(result: &EventResult) -> bool {
    matches!(result.outcome(), Outcome::Applied | Outcome::Duplicate)
}

fn behind(row: &Row, now: Timestamp) -> Stand {
    Stand {
        key: row.key.clone(),
        seq: row.seq + 1,
        attempts: 0,
        error: String::new(),
        retry_at: now,
        parked_at: None,
    }
}

fn stopped(row: &Row, result: &EventResult, now: Timestamp, settings: &RelaySettings) -> Stand {
    let attempts = row.attempts.unwrap_or_default().saturating_add(1);
    let parked = result.outcome() == Outcome::Refused || attempts >= settings.max_attempts.max(1);
    Stand {
        key: row.key.clone(),
        seq: row.seq,
        attempts,
        error: format!("{}: {}", result.outcome().as_str_name(), result.detail),
        retry_at: later(now, attempts, settings),
        parked_at: parked.then_some(now),
    }
}

/// When to try again after `attempts` in vain: the pause doubles each time, up to 15 minutes.
pub(super) fn later(now: Timestamp, attempts: i32, settings: &RelaySettings) -> Timestamp {
    let doublings = u32::try_from(attempts - 1).unwrap_or_default().min(20);
    let first = i64::try_from(settings.backoff_ms)
        .unwrap_or(BACKOFF_MAX_MS)
        .min(BACKOFF_MAX_MS);
    let pause = first.saturating_mul(1 << doublings).min(BACKOFF_MAX_MS);
    now.saturating_add(SignedDuration::from_millis(pause)).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn check(rows: &[(&str, i64, Option<i32>, Outcome)], acknowledged: usize, stands: &[(&str, i64, i32, bool)]) {
        let settings = RelaySettings {
            max_attempts: 3,
            ..RelaySettings::default()
        };
        let (rows, results): (Vec<_>, Vec<_>) = rows
            .iter()
            .map(|(key, seq, attempts, outcome)| {
                let row = Row {
                    id: 0,
                    txid: 0,
                    event_id: Uuid::nil(),
                    key: (*key).into(),
                    seq: *seq,
                    topic: String::new(),
                    payload: Vec::new(),
                    occurred_at: 0,
                    traceparent: String::new(),
                    tracestate: String::new(),
                    attempts: *attempts,
                };
                (
                    row,
                    EventResult {
                        outcome: (*outcome).into(),
                        ..EventResult::default()
                    },
                )
            })
            .unzip();
        let (count, after) = settle(&rows, &results, Timestamp::UNIX_EPOCH, &settings);
        let after: Vec<_> = after
            .iter()
            .map(|s| (s.key.as_str(), s.seq, s.attempts, s.parked_at.is_some()))
            .collect();
        assert_eq!((count, after.as_slice()), (acknowledged, stands));
    }

    #[test]
    fn answers_decide_where_a_key_stands() {
        use Outcome::{Applied, Duplicate, OutOfOrder, Refused, Retry};
        check(&[("a", 1, None, Applied), ("b", 1, None, Duplicate)], 2, &[]);
        check(
            &[
                ("a", 1, None, Retry),
                ("b", 1, None, Applied),
                ("a", 2, None, OutOfOrder),
            ],
            1,
            &[("a", 1, 1, false)],
        );
        check(&[("a", 1, None, Refused)], 0, &[("a", 1, 1, true)]);
        check(&[("a", 1, Some(2), Retry)], 0, &[("a", 1, 3, true)]);
        check(
            &[("a", 1, Some(2), Applied), ("a", 2, Some(0), Applied)],
            2,
            &[("a", 3, 0, false)],
        );
        check(
            &[("a", 1, Some(2), Applied), ("a", 2, Some(0), Retry)],
            1,
            &[("a", 2, 1, false)],
        );
    }

    #[test]
    fn pauses_double_up_to_a_quarter_of_an_hour() {
        let settings = RelaySettings {
            backoff_ms: 1000,
            ..RelaySettings::default()
        };
        let pause = |attempts| later(Timestamp::UNIX_EPOCH, attempts, &settings).as_millisecond();
        assert_eq!(
            [pause(1), pause(2), pause(5), pause(i32::MAX)],
            [1000, 2000, 16000, BACKOFF_MAX_MS]
        );
    }
}
