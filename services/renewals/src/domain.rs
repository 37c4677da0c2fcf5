//! What a renewal is and what happens to it: pure decisions over a subscription's contract, deals, tasks and marks.

// in reading order
mod words;

pub mod account;
pub mod contract;
pub mod country;
pub mod schedule;
pub mod stage;

pub mod deal;
pub mod mark;
pub mod risk;
pub mod task;

pub mod renewal;

pub mod care;
pub mod contact;
pub mod duty;
pub mod forecast;
pub mod losses;

#[cfg(test)]
mod tests;
