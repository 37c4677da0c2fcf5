//! Offers: the best motion, person, channel and words, under hard limits on pressure.
//!
//! Invariants: no touch goes out without a place in the ledger (C-1…C-9, C-19); an offer becomes at most one order
//! (T-5); an enterprise offer goes out only exactly as its approver saw it (C-14); nothing is sent that no longer holds.

pub mod domain;

pub mod api;
pub mod app;
pub mod channel;
pub mod config;
pub(crate) mod edge;
pub mod error;
pub mod policy;
pub mod store;

pub use self::{
    app::{NAME, build, build_with_edge},
    config::{DEFAULTS, Settings},
    store::Migrator,
};
