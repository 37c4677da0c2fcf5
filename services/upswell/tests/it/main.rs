//! The binary as people run it, against all services over real listeners.

#![expect(clippy::unwrap_used, reason = "what the helpers of a test cannot do fails the test")]

mod answers;
mod check;
mod decide;
mod history;
mod import;
mod tables;
mod world;
