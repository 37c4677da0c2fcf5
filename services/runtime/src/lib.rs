//! What every service of Upswell runs on; it knows no business word.

// serving
pub mod client;
pub mod clock;
pub mod config;
pub mod deadline;
pub mod ids;
pub mod money;
pub mod problem;
pub mod security;
pub mod server;
pub mod telemetry;
pub mod text;

// data
pub mod admin;
pub mod db;
pub mod failpoints;
pub mod inbox;
pub mod jobs;
mod lease;
pub mod outbox;
pub mod paging;
pub mod relay;
pub mod requests;
pub mod service;
pub mod testing;
