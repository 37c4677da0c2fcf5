//! The touch ledger (C-1…C-9, C-19): which touches may stand together, and the life of each.
//!
//! ```text
//!                  Reserve                BeginSend                 Confirm
//!   (not granted) ────────▶ RESERVED ───────────────▶ SENDING ───────────────▶ CONFIRMED
//!                            │     │                     │                        │
//!        Release, any reason │     │ expires_at ≤ now    │ Release: NOT_SENT,     │ Release: BOUNCED
//!        or C-8              ▼     ▼                     ▼          BOUNCED       ▼
//!                     RELEASED   EXPIRED              RELEASED                 RELEASED
//!
//!   (another tool)  ──Observe──▶ OBSERVED ──Release: BOUNCED──▶ RELEASED
//! ```
//!
//! RESERVED, SENDING, CONFIRMED and OBSERVED use their place; RELEASED and EXPIRED do not. A touch counts at its planned
//! instant until sending begins, from then on at its actual one. SENDING never frees itself: an unknown outcome counts
//! as used. Every step that puts a touch of ours at another instant is judged anew by what was sent, and reservations make
//! way for it, so that the touches of ours stay legal at all times; only what other tools do unannounced can stand against
//! the rules.

mod calendar;
mod gates;
mod judge;
mod lifecycle;
mod policy;
mod recheck;
mod window;

pub use self::{
    calendar::{AccountCalendar, Zone},
    gates::{AUTOMATIC_SENDER, Gate, Hold, Standing, Suppressed, gates},
    judge::{Blocking, HORIZON, Judgement, Proposal, Row, is_commercial, judge, judge_behind},
    lifecycle::{Moved, Observe, ReleaseReason, Reserve, Touch, TouchFault},
    policy::{Cap, CapPolicy, CapSettings, WindowCap},
    recheck::{displaced, recheck, recheck_all},
};

#[cfg(test)]
mod tests;
