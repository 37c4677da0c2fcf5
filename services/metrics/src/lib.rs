//! Money proven: what moved MRR, what the programme caused, and how it felt for the accounts.
//!
//! Invariants:
//! - MRR at the end = MRR at the start + movements, checked in every answer; a broken sum gives an error, not a number.
//! - The same facts in any order give the same numbers, also when they are late or corrected.
//! - Only subscription facts move MRR; only an order of Upswell that is known for the account attributes it.
//! - Money of two currencies is never added.
//!
//! The service takes events and answers questions: it has no mutating RPC, no job of its own, and sends no events.

// from the outside in
pub mod api;
pub mod app;
pub mod config;
pub mod domain;
pub mod error;
pub mod store;

pub use self::{app::build, config::Settings, store::Migrator};

/// Name of the service, of its settings' section, and as a peer.
pub const NAME: &str = "metrics";

/// Every setting with its default and a comment.
pub const DEFAULTS: &str = include_str!("../config.toml");
