//! What needs more than one service, in one binary: `cargo test -p upswell-tests`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may give up")]

mod caps;
mod contracts;
mod frontier_case;
mod kill;
mod model_case;
mod renewals;
mod support;
mod telemetry;
mod tidy;
mod trace;
