//! What may go to one account in one slot, and why everything else may not: pure, so that it replays (C-16).
//!
//! Reading order: the [picture] that a decision sees, the [proposal] that each playbook makes of it, with its sale and words, the [gates] that
//! each proposal must pass, the [rank] in which they are tried, the [slot] that picks one, the [explain]ed result.

pub mod chain;
pub mod explain;
pub mod gates;
pub mod picture;
pub mod proposal;
pub mod rank;
mod sale;
pub mod slot;
#[cfg(test)]
pub(in crate::domain) mod tests;
mod words;

pub use self::{
    explain::{Candidate, Decision, Draft, Factors, GateVerdict, Outcome, Verdict},
    picture::{
        AccountPicture, Contact, ContactPoint, Evidence, OfferHistory, Problems, Profile, Programme, ScoreView,
        SignalView, SubscriptionView, Suppressed,
    },
    slot::{Slot, Timing, decide_slot},
};
