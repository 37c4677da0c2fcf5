//! A business review: one per account and quarter (RN-5).

use jiff::civil::Date;
use upswell_runtime::ids;
use uuid::Uuid;

use super::report::{AgendaItem, Figure, Preparation};
use crate::domain::{account::days_before, country::Country, losses::quarter_of, words::words};

/// Days before the anchor of a deal on which its preparation schedules the review (RN-1).
const BEFORE_ANCHOR: i32 = 105;

words! {
    /// Where a review stands.
    ReviewState, "state of a review" {
        /// Its day is set.
        Planned = "planned",
        /// Agenda, figures and invitations are there.
        Prepared = "prepared",
        /// It was held.
        Held = "held",
        /// The customer has the summary.
        Summarized = "summarized",
        /// It is not held.
        Dropped = "dropped",
    }
}

/// A review.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    /// Derived from the account and the quarter.
    pub review_id: Uuid,
    /// First day of its quarter.
    pub quarter_on: Date,
    /// The day on which it is held.
    pub held_on: Date,
    /// A person chose the day, so that it no longer follows the calendar.
    pub chosen: bool,
    /// Minutes.
    pub minutes: i32,
    /// Where it stands.
    pub state: ReviewState,
    /// Who is invited.
    pub invited: Vec<String>,
    /// Goals, results, problems, plans.
    pub agenda: Vec<AgendaItem>,
    /// The account's own figures.
    pub figures: Vec<Figure>,
    /// Growth may be talked about.
    pub expansion_talk: bool,
    /// Why it was moved or dropped.
    pub reason: String,
    /// What the customer was sent.
    pub summary: String,
    /// Counts the changes.
    pub version: i64,
}

/// Why a step is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReviewFault {
    /// There is no such review.
    #[error("the review does not exist")]
    NoReview,
    /// There is no such plan.
    #[error("the onboarding plan does not exist")]
    NoPlan,
    /// Somebody changed it.
    #[error("it was changed meanwhile")]
    Changed,
    /// It was held or dropped.
    #[error("the review is {0}")]
    Closed(ReviewState),
    /// It was not held.
    #[error("the review is {0}, not held")]
    NotHeld(ReviewState),
    /// The day has passed.
    #[error("{0} has passed")]
    Past(Date),
}

impl Review {
    /// The review of a quarter.
    pub fn new(account_id: &str, quarter_on: Date, minutes: i32) -> Self {
        Self {
            review_id: ids::derive("review", &[account_id, &quarter_on.to_string()]),
            quarter_on,
            held_on: quarter_on,
            chosen: false,
            minutes,
            state: ReviewState::Planned,
            invited: Vec::new(),
            agenda: Vec::new(),
            figures: Vec::new(),
            expansion_talk: false,
            reason: String::new(),
            summary: String::new(),
            version: 0,
        }
    }

    /// What a caller has to know to change it.
    pub fn etag(&self) -> String {
        self.version.to_string()
    }

    /// True until it is held or dropped.
    pub fn is_planned(&self) -> bool {
        matches!(self.state, ReviewState::Planned | ReviewState::Prepared)
    }

    /// Follows the calendar while no person chose the day and it is not prepared; not into the days of preparation.
    pub(super) fn follow(&mut self, usual_on: Date, today: Date, prepare_days: i32) {
        let free = self.state == ReviewState::Planned && !self.chosen;
        if free && usual_on >= days_before(today, -prepare_days) {
            self.held_on = usual_on;
        }
    }

    /// Agenda, figures and invitations are there.
    pub fn prepared(&mut self, preparation: Preparation) {
        let Preparation {
            invited,
            agenda,
            figures,
            expansion_talk,
        } = preparation;
        self.invited = invited;
        self.agenda = agenda;
        self.figures = figures;
        self.expansion_talk = expansion_talk;
        self.state = ReviewState::Prepared;
    }

    /// A person moves it to another day.
    pub fn moved(&mut self, etag: &str, held_on: Date, reason: String, today: Date) -> Result<(), ReviewFault> {
        self.workable(etag)?;
        if held_on < today {
            return Err(ReviewFault::Past(held_on));
        }
        self.held_on = held_on;
        self.chosen = true;
        self.reason = reason;
        Ok(())
    }

    /// A person says that it was held, or for what reason it is not.
    pub fn closed(&mut self, etag: &str, dropped: Option<String>) -> Result<(), ReviewFault> {
        self.workable(etag)?;
        match dropped {
            Some(reason) => {
                self.reason = reason;
                self.state = ReviewState::Dropped;
            }
            None => self.state = ReviewState::Held,
        }
        Ok(())
    }

    /// A person sends the summary.
    pub fn summarized(&mut self, etag: &str, summary: String) -> Result<(), ReviewFault> {
        self.known(etag)?;
        if self.state != ReviewState::Held {
            return Err(ReviewFault::NotHeld(self.state));
        }
        self.summary = summary;
        self.state = ReviewState::Summarized;
        Ok(())
    }

    fn known(&self, etag: &str) -> Result<(), ReviewFault> {
        if self.etag() == etag {
            Ok(())
        } else {
            Err(ReviewFault::Changed)
        }
    }

    fn workable(&self, etag: &str) -> Result<(), ReviewFault> {
        if !self.is_planned() {
            return Err(ReviewFault::Closed(self.state));
        }
        self.known(etag)
    }
}

/// The day of a quarter's review when no person chooses one: in the preparation of the renewal where that falls into the
/// quarter, else spread over the middle of it by account; never in a dead season, and on a working day (RN-6).
pub fn usual_day(account_id: &str, quarter_on: Date, anchor_on: Date, country: &Country) -> Date {
    let in_quarter = |day: &Date| quarter_of(*day) == quarter_on;
    // Below 42, so the cast cannot truncate.
    let spread = (ids::derive("review_day", &[account_id]).as_u128() % 42) as i32;
    let prepared = Some(days_before(anchor_on, BEFORE_ANCHOR)).filter(in_quarter);
    let wanted = prepared.unwrap_or(days_before(quarter_on, -21 - spread));
    let alive = match country.dead_season(wanted) {
        // The season ends inside the quarter: the reviews spread over what is left of it.
        Some((_, until)) if in_quarter(&days_before(until, -15)) => days_before(until, -1 - spread % 20),
        Some((from, _)) => days_before(from, 1),
        None => wanted,
    };
    let day = country.working_from(alive);
    if in_quarter(&day) && country.dead_season(day).is_none() {
        day
    } else {
        country.working_until(alive)
    }
}
