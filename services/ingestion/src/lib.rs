//! The way in for facts, and the whole picture of an account (`domain.md` §2).
//!
//! Invariants:
//! - (source, external_id) names one fact, whatever the order, the batch or the replica (I-4);
//! - what is shown of an account depends on the set of its facts, never on the order of their arrival (I-5);
//! - a recorded fact, its effects and the events about them become durable together, before the caller is answered;
//! - every figure can be traced to its facts (I-8).

pub mod domain;

mod api;
mod app;
pub mod config;
pub mod error;
pub mod jsonl;
pub mod mapping;
pub mod store;

pub use self::{app::build, config::Settings, store::migrations::Migrator};

/// Name of the service, of its section in the settings and of its events' source.
pub const NAME: &str = "ingestion";

/// The documented defaults.
pub const DEFAULTS: &str = include_str!("../config.toml");
