//! Everything that needs more than one service: cases and their generator, scenarios, faults, tidy rules.

pub mod cases;
