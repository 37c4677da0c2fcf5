//! The offers service over a real channel and a real store.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod approvals;
mod calendar;
mod channels;
mod contest;
mod events;
mod evidence;
mod flow;
mod impossible;
mod ladder;
mod learning;
mod ledger;
mod ledger_api;
mod limits;
mod merges;
mod races;
mod reach;
mod simulate;
mod world;
