//! Which events of a batch are next for their key. Pure.

use std::collections::{BTreeMap, HashSet};

use upswell_proto::delivery::v1::{EventResult, event_result::Outcome};
use uuid::Uuid;

use super::Inbound;

/// The last sequence number applied, per key.
pub(super) type Positions = BTreeMap<String, i64>;

/// What to do with an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Apply,
    Duplicate,
    /// The key stands before this number.
    OutOfOrder(i64),
}

impl Verdict {
    /// The answer to the relay. An event which was to be applied and had its row already is a duplicate after all.
    pub(super) fn result(self, event: &Inbound, fresh: &HashSet<Uuid>) -> EventResult {
        let (outcome, detail) = match self {
            Self::Apply if fresh.contains(&event.event_id) => (Outcome::Applied, String::new()),
            Self::Apply | Self::Duplicate => (Outcome::Duplicate, String::new()),
            Self::OutOfOrder(expected) => (
                Outcome::OutOfOrder,
                format!("expected sequence {expected}, got {}", event.seq),
            ),
        };
        EventResult {
            event_id: event.event_id.to_string(),
            outcome: outcome.into(),
            detail,
        }
    }
}

/// A verdict per event, and the positions of the keys that move.
pub(super) fn decide(events: &[&Inbound], mut positions: Positions) -> (Vec<Verdict>, Positions) {
    let mut moved = Positions::new();
    let verdicts = events
        .iter()
        .map(|event| {
            let position = positions.entry(event.key.clone()).or_default();
            let expected = *position + 1;
            match event.seq.cmp(&expected) {
                std::cmp::Ordering::Less => Verdict::Duplicate,
                std::cmp::Ordering::Greater => Verdict::OutOfOrder(expected),
                std::cmp::Ordering::Equal => {
                    *position = expected;
                    moved.insert(event.key.clone(), expected);
                    Verdict::Apply
                }
            }
        })
        .collect();
    (verdicts, moved)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use crate::telemetry::TraceContext;

    fn event(key: &str, seq: i64) -> Inbound {
        Inbound {
            source: "a".into(),
            event_id: Uuid::nil(),
            key: key.into(),
            seq,
            topic: "t".into(),
            payload: Vec::new(),
            occurred_at: Timestamp::UNIX_EPOCH,
            trace: TraceContext::default(),
        }
    }

    #[test]
    fn each_key_moves_by_itself() {
        let events = [
            event("k", 1),
            event("k", 3),
            event("l", 5),
            event("k", 2),
            event("k", 1),
            event("k", 3),
        ];
        let (verdicts, after) = decide(&events.each_ref(), Positions::from([("l".into(), 4)]));
        use Verdict::{Apply, Duplicate, OutOfOrder};
        assert_eq!(verdicts, [Apply, OutOfOrder(2), Apply, Apply, Duplicate, Apply]);
        assert_eq!(after, Positions::from([("k".into(), 3), ("l".into(), 5)]));
    }

    proptest! {
        #[test]
        fn whatever_arrives_is_applied_once_and_in_order(arrivals in prop::collection::vec((0..3_u8, 1..8_i64), 0..60)) {
            let events: Vec<_> = arrivals.iter().map(|(key, seq)| event(&key.to_string(), *seq)).collect();
            let (verdicts, after) = decide(&events.iter().collect::<Vec<_>>(), Positions::new());
            let mut applied = Positions::new();
            for (event, _) in events.iter().zip(&verdicts).filter(|(_, verdict)| **verdict == Verdict::Apply) {
                let last = applied.insert(event.key.clone(), event.seq).unwrap_or_default();
                prop_assert_eq!(event.seq, last + 1);
            }
            prop_assert_eq!(applied, after);
        }
    }
}
