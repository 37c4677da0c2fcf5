//! The runtime against real SQLite files and, where a hop matters, real gRPC over loopback.

#![expect(
    clippy::unwrap_used,
    reason = "clippy knows the test functions as tests, but not what they call"
)]

mod admin;
mod db;
mod delivery;
mod inbox;
mod jobs;
mod lanes;
mod postgres;
mod requests;
mod rows;
mod service;
mod world;
