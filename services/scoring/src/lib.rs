//! Turns facts into signals "why now" and scores.
//!
//! Invariants:
//! - at most one open signal per account, kind and subject (SG-R2), kept by [`domain::lifecycle`] and a unique index;
//! - a score stands on facts at least as new as the change version that it clears: a change during the scoring leaves
//!   the account dirty;
//! - scores, signals and the events that tell of them are written in one transaction;
//! - nothing in [`domain`] reads a clock: the same facts at the same instant give the same answer.

pub mod api;
pub mod app;
pub mod clients;
pub mod config;
pub mod domain;
pub mod error;
pub mod store;

pub use self::{app::build, config::Settings, store::Migrator};

/// The service's name, which is also its name as a peer and its section of the settings.
pub const NAME: &str = "scoring";

/// Every key with its default: the content of the section `[scoring]`.
pub const DEFAULTS: &str = include_str!("../config.toml");
