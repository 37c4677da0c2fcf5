//! The pure part: what the facts mean in money and in time. No clock, no store, no wire.

pub mod journey;
pub mod lead_time;
pub mod movement;
pub mod rates;
pub mod revenue;
pub mod subscription;
pub mod timeline;
pub mod window;

#[cfg(test)]
mod tests;
