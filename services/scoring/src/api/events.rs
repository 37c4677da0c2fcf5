//! The events that are told. They carry the span in which they are made.

use jiff::Timestamp;
use upswell_proto::scoring::v1::{ScoreChanged, SignalChanged};
use upswell_runtime::outbox::NewEvent;

use super::convert;
use crate::domain::{score::Score, signal::Signal};

/// A signal opened, moved materially or closed.
pub(crate) fn signal_changed(signal: &Signal, at: Timestamp) -> NewEvent {
    let event = SignalChanged {
        signal: Some(convert::signal(signal)),
    };
    NewEvent::of(signal.account_id.clone(), at, &event)
}

/// Something in a score is new.
pub(crate) fn score_changed(score: &Score, at: Timestamp) -> NewEvent {
    let event = ScoreChanged {
        score: Some(convert::score(score, &[])),
    };
    NewEvent::of(score.account_id.clone(), at, &event)
}
