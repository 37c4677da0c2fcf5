//! The account's calendar: on which local day an instant falls, and in which zone before a renewal (C-2, C-3).

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize};

/// First day of zone C-2, and the day before the first day of zone C-3, in days before the renewal.
const ZONE60_DAYS: i64 = 60;
const ZONE30_DAYS: i64 = 30;
/// No zone changes its offset by more, so a transition further from a midnight does not move it.
const TRANSITION_REACH: SignedDuration = SignedDuration::from_hours(50);

/// What the limits need to know of an account's time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AccountCalendar {
    /// In which the account's days begin.
    #[serde(with = "jiff::fmt::serde::tz::required")]
    pub time_zone: TimeZone,
    /// Renewal dates of the deals that are not closed, ascending.
    pub renewals: Vec<Date>,
}

/// Where an instant lies before the nearest renewal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zone {
    /// d > 60, or no renewal is coming.
    Open,
    /// C-2: 60 ≥ d > 30.
    Sixty,
    /// C-3: 30 ≥ d, until the deal closes.
    Thirty,
}

impl AccountCalendar {
    /// A calendar in UTC without renewals.
    pub fn utc() -> Self {
        Self {
            time_zone: TimeZone::UTC,
            renewals: Vec::new(),
        }
    }

    /// The nearest renewal not yet closed, which is the earliest one: an overdue deal keeps the account in C-3.
    pub fn renewal(&self) -> Option<Date> {
        self.renewals.iter().copied().min()
    }

    /// d: days from the local date of `at` to the nearest renewal; negative when it is overdue.
    pub fn days_before_renewal(&self, at: Timestamp) -> Option<i64> {
        let local = self.time_zone.to_datetime(at).date();
        self.renewal()
            .map(|renewal| renewal.duration_since(local).as_hours() / 24)
    }

    /// The zone of `at`.
    pub fn zone(&self, at: Timestamp) -> Zone {
        match self.days_before_renewal(at) {
            Some(days) if days <= ZONE30_DAYS => Zone::Thirty,
            Some(days) if days <= ZONE60_DAYS => Zone::Sixty,
            _ => Zone::Open,
        }
    }

    /// The first instant of the day `days` before the nearest renewal.
    pub fn start_of(&self, days: i64) -> Option<Timestamp> {
        let day = self.renewal()?.saturating_sub(SignedDuration::from_hours(days * 24));
        self.time_zone
            .to_zoned(day.at(0, 0, 0, 0))
            .ok()
            .map(|zoned| zoned.timestamp())
    }

    /// Every instant at which the zone may change: the midnights, and clock changes so near to one of them that the
    /// local date may step back.
    pub(super) fn boundaries(&self) -> BTreeSet<Timestamp> {
        let mut all = BTreeSet::new();
        for midnight in [ZONE60_DAYS, ZONE30_DAYS]
            .into_iter()
            .filter_map(|days| self.start_of(days))
        {
            all.insert(midnight);
            let from = midnight.saturating_sub(TRANSITION_REACH).unwrap_or(Timestamp::MIN);
            let near = self.time_zone.following(from).map(|transition| transition.timestamp());
            all.extend(near.take_while(|at| at.duration_since(midnight) <= TRANSITION_REACH));
        }
        all
    }

    /// From here on touches matter to the zones of the nearest renewal.
    pub fn zones_start(&self) -> Option<Timestamp> {
        let midnight = self.start_of(ZONE60_DAYS)?;
        Some(midnight.saturating_sub(TRANSITION_REACH).unwrap_or(Timestamp::MIN))
    }
}
