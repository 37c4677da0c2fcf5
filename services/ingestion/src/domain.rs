//! What a fact is, which facts count, and what they add up to. Pure: time comes in as a parameter.
//!
//! A fact has no life of its own: it is on record or it is not. Whether it *counts* depends only on the set of recorded
//! facts, never on the order in which they came (I-4, I-5):
//!
//! ```text
//! counts(F)  ⇔  no recorded fact of the same source and account names F as superseded
//! state(O)   =  the counting fact about object O with the greatest (occur_time, source, external_id)
//! series(D)  =  sum and largest value over the counting facts of day D
//! ```

pub mod account360;
pub mod change;
pub mod correction;
pub mod difference;
pub mod fact;
pub mod intake;
pub mod invoice;
pub mod merge;
pub mod moment;
pub mod name;
pub mod price;
pub mod rollup;
pub mod rules;
pub mod standing;
pub mod subscription;
#[cfg(test)]
mod tests;
pub mod words;
