//! The pure part: what the facts mean in money and in time. No clock, no store, no wire.

pub mod churn;
pub mod cohort;
pub mod dense;
pub mod drift;
pub mod exchange;
pub mod funnel;
pub mod journey;
pub mod kept;
pub mod lead_time;
pub mod lifetime;
pub mod loyalty;
pub mod movement;
pub mod payoff;
pub mod programme;
pub mod rates;
pub mod restate;
pub mod retention;
pub mod revenue;
pub mod rules;
pub mod schedule;
pub mod stats;
pub mod subscription;
pub mod targets;
pub mod timeline;
pub mod uplift;
pub mod variants;
pub mod window;

#[cfg(test)]
mod tests;
