//! Tables at, just under and just over every threshold, and what must hold for any facts.

mod build;
mod growth;
mod health_points;
mod life;
mod limits;
mod people;
mod predictions;
mod properties;
