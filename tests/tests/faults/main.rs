//! Faults on the real binaries: several replicas of every service over PostgreSQL, killed, cut off, slowed and restarted
//! under load. After each fault the oracles read what is stored and say whether anything was lost, doubled, reordered
//! or sent too often.
//!
//! They take minutes and the whole machine, so they run when asked for:
//! `UPSWELL_FAULTS=1 cargo test -p upswell-tests --test faults -- --test-threads 1`. They need a PostgreSQL of Debian's
//! package; where none can be had each test says so and ends. `UPSWELL_FAULT_SECONDS` makes the load longer (10 by
//! default, 60 for the full profile).

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may give up")]

mod databases;
mod fleet;
mod kills;
mod load;
mod network;
mod oracles;
mod postgres;
mod proxy;
