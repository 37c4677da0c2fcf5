//! Renewals as a pipeline: every coming renewal of a plan is a deal with a stage, an owner, tasks and a history.
//!
//! Invariants:
//! - A subscription has at most one open deal, and it stands at the renewal date of the contract as it is known now.
//! - The calendar moves a deal forward only, unless its date moved; people may be ahead of the calendar (RN-1, RN-2).
//! - A renewal mark is told once per deal, renewal date and mark (SG-6).
//! - What is told to other services is written in the transaction of the change.

// from the outside in
pub mod api;
pub mod app;
pub mod clients;
pub mod config;
pub mod domain;
pub mod error;
pub mod store;

pub use self::{app::build, config::Settings, store::Migrator};

/// Name of the service, of its settings' section, and as a peer.
pub const NAME: &str = "renewals";

/// Every setting with its default and a comment.
pub const DEFAULTS: &str = include_str!("../config.toml");
