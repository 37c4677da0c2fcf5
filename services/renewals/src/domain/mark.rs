//! Renewal marks (SG-6): once per deal, renewal date and mark.
//!
//! A mark that lay in the past when the renewal date became known is never told, so that an import of history or a date
//! that moved near raises no stale signals; one that is reached on that very day is. A mark that was reached while
//! nobody looked is told late, with the day on which it was reached.

use jiff::civil::Date;
use uuid::Uuid;

use super::{account::days_before, deal::Deal};

/// A configured mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MarkRule {
    /// What it is called: 120, 60 or 30.
    pub mark_days: i32,
    /// How many days before the renewal it is reached. The one called 30 is reached on day 31, so that the single touch
    /// of the last 30 days stays free (C-3).
    pub days_before: i32,
}

impl MarkRule {
    /// The day on which `deal` reaches the mark: marks move to earlier days with the stages (RN-6), but never to later
    /// ones, since the limits of contacts count down to the renewal (C-3).
    pub fn reached_on(&self, deal: &Deal) -> Date {
        days_before(deal.anchor_on.min(deal.renewal_on), self.days_before)
    }
}

/// A mark that was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The deal.
    pub deal_id: Uuid,
    /// The renewal date for which it was reached.
    pub renewal_on: Date,
    /// 120, 60 or 30.
    pub mark_days: i32,
    /// The day on which it was reached.
    pub reached_on: Date,
}

impl Mark {
    fn is_same(&self, other: &Self) -> bool {
        (self.deal_id, self.renewal_on, self.mark_days) == (other.deal_id, other.renewal_on, other.mark_days)
    }
}

/// The marks of an open deal that were reached by `today` and not told yet, by day.
pub(super) fn reached(rules: &[MarkRule], deal: &Deal, today: Date, told: &[Mark]) -> Vec<Mark> {
    let renewal_on = deal.renewal_on;
    if today > renewal_on {
        return Vec::new();
    }
    let marks = rules.iter().map(|rule| Mark {
        deal_id: deal.deal_id,
        renewal_on,
        mark_days: rule.mark_days,
        reached_on: rule.reached_on(deal),
    });
    let fresh = |mark: &Mark| {
        (deal.known_on..=today).contains(&mark.reached_on) && !told.iter().any(|other| other.is_same(mark))
    };
    let mut marks: Vec<Mark> = marks.filter(fresh).collect();
    marks.sort_by_key(|mark| mark.reached_on);
    marks
}
