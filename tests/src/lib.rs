//! Everything that needs more than one service: cases and their generator, scenarios, faults, tidy rules.

mod binary;
pub mod cases;

pub use self::binary::{binary, binary_with_failpoints};
