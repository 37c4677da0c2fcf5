//! The service over a real channel and a real store.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what the helpers of a test cannot do fails the test"
)]

mod any_order;
mod batches;
mod conflicts;
mod corrections;
mod groups;
mod harness;
mod inbox;
mod lists;
mod merges;
mod pictures;
mod steps;
mod store;
mod streams;
