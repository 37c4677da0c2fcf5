//! The service as its neighbours see it: its store, its API and its events over real channels.

#![expect(
    clippy::unwrap_used,
    reason = "clippy knows the test functions as tests, but not what they call"
)]

mod api;
mod contacts;
mod events;
mod ledger;
mod locks;
mod pipeline;
mod reach;
mod steps;
mod store;
mod world;
