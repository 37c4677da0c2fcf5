//! What the facts of an account say: signals with a life, health by points, risk and propensity. Pure: time, facts
//! and what was known before are parameters.

pub mod assess;
pub mod backtest;
pub mod detect;
pub mod facts;
pub mod features;
pub mod health;
pub mod history;
pub mod icp;
pub mod lifecycle;
pub mod model;
pub mod moment;
pub mod overrides;
pub mod score;
pub mod series;
pub mod signal;
pub mod stage;
pub mod thresholds;

#[cfg(test)]
mod tests;
