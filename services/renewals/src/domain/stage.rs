//! The pipeline (RN-1); [`super::schedule`] says when the calendar opens which stage.
//!
//! ```text
//! days left   >120        120…        90…        60…         30…       15…0      <0
//!           scheduled → preparation → initiation → negotiation → agreement → last_mile → lapsed (grace)
//!               └──────────── people may go ahead of the date ──────────────────┘
//! any of them → renewed (a person, the contract goes on, or it renews by itself and nobody gave notice)
//!             → lost    (a person, or the subscription ended)
//! renewed, lost by facts → any (the facts were corrected); what a person closed stays closed
//! the date or the schedule moves → the stage of the new one, also backwards
//! ```

use super::words::words;

words! {
    /// Where a deal stands. The order is that of the pipeline.
    Stage, "stage" {
        /// More than 120 days ahead.
        Scheduled = "scheduled",
        /// Health, review, problems.
        Preparation = "preparation",
        /// Decision maker, next period's plans.
        Initiation = "initiation",
        /// Terms, proposal.
        Negotiation = "negotiation",
        /// Signature, payment.
        Agreement = "agreement",
        /// The last days.
        LastMile = "last_mile",
        /// The date passed and nobody said how it went.
        Lapsed = "lapsed",
        /// Closed: the subscription goes on.
        Renewed = "renewed",
        /// Closed: the subscription ends.
        Lost = "lost",
    }
}

impl Stage {
    /// True when nothing more happens to the deal.
    pub const fn is_closed(self) -> bool {
        matches!(self, Self::Renewed | Self::Lost)
    }

    /// True for the stages of work, which people may enter ahead of the date.
    pub const fn is_for_people(self) -> bool {
        matches!(
            self,
            Self::Preparation | Self::Initiation | Self::Negotiation | Self::Agreement | Self::LastMile
        )
    }
}
