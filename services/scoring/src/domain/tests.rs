//! Tables at, just under and just over every threshold, and what must hold for any facts.

mod adoption;
mod backtests;
mod build;
mod corrections;
mod growth;
mod happenings;
mod health_points;
mod life;
mod limits;
mod people;
mod predictions;
mod properties;
mod segments;
mod trials;
