//! The pipeline (RN-1).
//!
//! ```text
//! days left   >120        120…        90…        60…         30…       15…0      <0
//!           scheduled → preparation → initiation → negotiation → agreement → last_mile → lapsed
//!               └──────────── people may go ahead of the date ──────────────────┘
//! any of them → renewed (a person, or the contract goes on)
//!             → lost    (a person, or the subscription ended; the latter is taken back if the end is)
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

/// Days before the renewal on which the date opens each stage.
const OPENS: [(i32, Stage); 5] = [
    (120, Stage::Preparation),
    (90, Stage::Initiation),
    (60, Stage::Negotiation),
    (30, Stage::Agreement),
    (15, Stage::LastMile),
];

/// From here on a deal is looked at every day.
pub const PIPELINE_DAYS: i32 = OPENS[0].0;

impl Stage {
    /// The stage that the date asks for with `days_left` until the renewal.
    pub fn by_date(days_left: i32) -> Self {
        if days_left < 0 {
            return Self::Lapsed;
        }
        let open = OPENS.iter().rev().find(|(days, _)| days_left <= *days);
        open.map_or(Self::Scheduled, |(_, stage)| *stage)
    }

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
