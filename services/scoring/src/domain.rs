//! What the facts of an account say: signals with a life, health by points, risk and propensity. Pure: time, facts
//! and what was known before are parameters.

pub mod assess;
pub mod detect;
pub mod facts;
pub mod features;
pub mod health;
pub mod lifecycle;
pub mod model;
pub mod moment;
pub mod score;
pub mod series;
pub mod signal;
pub mod thresholds;

#[cfg(test)]
mod tests;
