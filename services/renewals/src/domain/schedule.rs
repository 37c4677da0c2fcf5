//! When the stages of a deal lie (RN-1, RN-6, RN-8).
//!
//! By itself a stage opens so many days before the renewal. Negotiation must end early enough: before the notice period
//! begins, and not in a dead season. Preparation, initiation and negotiation therefore move together, so that negotiation
//! keeps its 30 days; agreement opens when it ends, and the last mile stays in front of the renewal, where the money is. A
//! person's word stands above the season and the notice period.
//!
//! ```text
//! anchor-120   anchor-90   anchor-60     anchor-30      renewal-15  renewal
//! preparation → initiation → negotiation → agreement ───→ last_mile → lapsed        anchor = renewal, unless shifted
//! ```

use jiff::civil::Date;

use super::{
    account::{days_before, days_between},
    country::Country,
    stage::Stage,
    words::words,
};

/// From here on a deal is looked at every day.
pub const PIPELINE_DAYS: i32 = 120;
/// The days before the anchor on which negotiation is over.
pub const NEGOTIATED: i32 = 30;
/// Days before the renewal in which the last mile lies; a person cannot move negotiation into it.
pub const LAST_MILE: i32 = 15;

words! {
    /// Why the stages do not lie by the renewal date alone.
    Shift, "shift" {
        /// They do.
        None = "none",
        /// A dead season is avoided.
        Season = "season",
        /// The notice period is avoided.
        Notice = "notice",
        /// A person moved them.
        Person = "person",
    }
}

/// When the stages of a deal open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// The day it renews.
    pub renewal_on: Date,
    /// The day to which preparation, initiation and negotiation count down.
    pub anchor_on: Date,
    /// Why it is not the renewal date.
    pub shift: Shift,
}

impl Schedule {
    /// By the renewal date alone.
    pub fn plain(renewal_on: Date) -> Self {
        Self {
            renewal_on,
            anchor_on: renewal_on,
            shift: Shift::None,
        }
    }

    /// By country, notice period and a person's word: the day on which negotiation is to be over.
    pub fn of(renewal_on: Date, country: &Country, notice_on: Option<Date>, person: Option<Date>) -> Self {
        let ends = |day: Date, shift| Self {
            renewal_on,
            anchor_on: days_before(day, -NEGOTIATED),
            shift,
        };
        if let Some(day) = person {
            return ends(day.min(days_before(renewal_on, LAST_MILE)), Shift::Person);
        }
        let mut schedule = Self::plain(renewal_on);
        let own = days_before(renewal_on, NEGOTIATED);
        if let Some(notice) = notice_on.filter(|notice| *notice < own) {
            schedule = ends(notice, Shift::Notice);
        }
        // The last day of negotiation is the one before agreement opens.
        let last = days_before(schedule.anchor_on, NEGOTIATED + 1);
        match country.dead_season(last) {
            Some((from, _)) => ends(days_before(from, 1), Shift::Season),
            None => schedule,
        }
    }

    /// First day of a stage of work.
    pub fn opens(&self, stage: Stage) -> Date {
        match stage {
            Stage::Scheduled => Date::MIN,
            Stage::Preparation => days_before(self.anchor_on, PIPELINE_DAYS),
            Stage::Initiation => days_before(self.anchor_on, 90),
            Stage::Negotiation => days_before(self.anchor_on, 60),
            Stage::Agreement => days_before(self.anchor_on, NEGOTIATED),
            Stage::LastMile => days_before(self.renewal_on, LAST_MILE),
            Stage::Lapsed | Stage::Renewed | Stage::Lost => days_before(self.renewal_on, -1),
        }
    }

    /// Last day of a stage of work.
    pub fn ends(&self, stage: Stage) -> Date {
        let next = match stage {
            Stage::Scheduled => Stage::Preparation,
            Stage::Preparation => Stage::Initiation,
            Stage::Initiation => Stage::Negotiation,
            Stage::Negotiation => Stage::Agreement,
            Stage::Agreement => Stage::LastMile,
            Stage::LastMile | Stage::Lapsed | Stage::Renewed | Stage::Lost => Stage::Lapsed,
        };
        days_before(self.opens(next), 1)
    }

    /// The stage that the calendar asks for on `day`.
    pub fn stage_on(&self, day: Date) -> Stage {
        let stages = Stage::ALL
            .iter()
            .rev()
            .filter(|stage| stage.is_for_people() || **stage == Stage::Lapsed);
        stages
            .copied()
            .find(|stage| self.opens(*stage) <= day)
            .unwrap_or(Stage::Scheduled)
    }

    /// Days until the anchor, or until the renewal when the anchor has passed; negative behind the renewal.
    pub fn days_left(&self, today: Date) -> i32 {
        let anchor = days_between(today, self.anchor_on);
        if anchor >= 0 {
            anchor
        } else {
            days_between(today, self.renewal_on).min(LAST_MILE)
        }
    }
}
