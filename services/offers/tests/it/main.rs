//! The offers service over a real channel and a real SQLite store.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod approvals;
mod events;
mod flow;
mod ledger;
mod ledger_api;
mod limits;
mod world;
