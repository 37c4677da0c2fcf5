//! What stands in an account's calendar (C-17), for people and tools.

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use super::{
    ledger::{AccountCalendar, Hold, Suppressed, Touch},
    vocabulary::TouchState,
};

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntryKind {
    /// A touch that was made or is being made.
    Touch,
    /// A place that was granted.
    Reservation,
    /// The day on which a contract renews.
    Renewal,
    /// From 60 to 30 days before it (C-2).
    Zone60,
    /// The last 30 days before it (C-3).
    Zone30,
    /// A hold.
    Hold,
    /// A suppression.
    Suppression,
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What it is.
    pub kind: EntryKind,
    /// The touch, deal, hold or suppression.
    pub id: String,
    /// Whose it is: of merged accounts any of them (I-3).
    pub account_id: String,
    /// Its first instant.
    pub start: Timestamp,
    /// The first instant after it; none for a moment, and for what has no end.
    pub end: Option<Timestamp>,
    /// In short, for a person.
    pub title: String,
}

impl Entry {
    /// By its beginning; the order of a calendar.
    pub fn key(&self) -> (Timestamp, EntryKind, &str) {
        (self.start, self.kind, &self.id)
    }

    /// Whether it lies in `from..to`, as a whole or in part.
    pub fn within(&self, from: Timestamp, to: Timestamp) -> bool {
        let last = self.end.unwrap_or(match self.kind {
            EntryKind::Suppression => Timestamp::MAX,
            _ => self.start,
        });
        self.start < to && (last > from || self.start >= from)
    }

    /// A touch that uses its place.
    pub fn touch(touch: &Touch) -> Self {
        let kind = if touch.state == TouchState::Reserved {
            EntryKind::Reservation
        } else {
            EntryKind::Touch
        };
        Self {
            kind,
            id: touch.id.to_string(),
            account_id: touch.account_id.clone(),
            start: touch.counts_at(),
            end: None,
            title: format!(
                "{} touch by {} ({}, {})",
                touch.class, touch.sender, touch.channel, touch.state
            ),
        }
    }

    /// A renewal with the zones before it.
    pub fn renewal(deal_id: &str, account_id: &str, renewal: Date, time_zone: &TimeZone) -> Vec<Self> {
        let calendar = AccountCalendar {
            time_zone: time_zone.clone(),
            renewals: vec![renewal],
        };
        let spans = [
            (EntryKind::Zone60, 60, 30, "two touches a week (C-2)"),
            (EntryKind::Zone30, 30, 0, "one touch until the deal closes (C-3)"),
            (EntryKind::Renewal, 0, -1, "the contract renews"),
        ];
        let entry = |(kind, from, to, title): (EntryKind, i64, i64, &str)| {
            Some(Self {
                kind,
                id: deal_id.to_owned(),
                account_id: account_id.to_owned(),
                start: calendar.start_of(from)?,
                end: calendar.start_of(to),
                title: title.to_owned(),
            })
        };
        spans.into_iter().filter_map(entry).collect()
    }

    /// A hold.
    pub fn hold(id: String, account_id: String, hold: Hold) -> Self {
        Self {
            kind: EntryKind::Hold,
            id,
            account_id,
            start: hold.from,
            end: Some(hold.until),
            title: format!("hold: {}", hold.reason),
        }
    }

    /// A suppression since `from`.
    pub fn suppression(id: String, account_id: String, from: Timestamp, suppressed: Suppressed) -> Self {
        Self {
            kind: EntryKind::Suppression,
            id,
            account_id,
            start: from,
            end: suppressed.until,
            title: format!("suppressed: {}", suppressed.reason),
        }
    }
}
