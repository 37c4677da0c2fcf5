//! Plays a case: facts in, hour by hour, through five real services, to a report that a CEO would read.

pub mod billing;
pub mod case;
pub mod checker;
pub mod driver;
pub mod people;
pub mod reactions;
pub mod report;
pub mod state;
