//! The service from outside: its store, its RPCs over a real channel, and the events in and out.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails here")]

mod api;
mod beside;
mod double;
mod flow;
mod models;
mod store;
mod wire;
mod world;
