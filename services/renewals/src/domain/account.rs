//! What renewals know of an account: its calendar, who is in charge, and how likely it is to leave.

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};

use super::risk::ChurnRisk;

/// The part of an account that its renewals depend on.
#[derive(Clone, Debug, PartialEq)]
pub struct Account {
    /// In which its days begin; UTC while no profile has come.
    pub time_zone: TimeZone,
    /// ISO 3166-1 alpha-2; empty while no profile has come.
    pub country: String,
    /// Segment; empty while no profile has come.
    pub segment: String,
    /// When it became a customer, if that is known.
    pub customer_since: Option<Date>,
    /// The customer success manager; empty when nobody is in charge.
    pub owner_id: String,
    /// Its newest risk of churn, if it was scored.
    pub churn_risk: Option<ChurnRisk>,
    /// Its newest health, 0 to 100, if it was scored.
    pub health: Option<i32>,
    /// Critical tickets that are open by the newest score.
    pub open_critical: i32,
}

impl Account {
    /// An account of which nothing is known yet.
    pub fn unknown() -> Self {
        Self {
            time_zone: TimeZone::UTC,
            country: String::new(),
            segment: String::new(),
            customer_since: None,
            owner_id: String::new(),
            churn_risk: None,
            health: None,
            open_critical: 0,
        }
    }

    /// The day of the account's calendar on which `now` falls.
    pub fn today(&self, now: Timestamp) -> Date {
        self.time_zone.to_datetime(now).date()
    }

    /// The first instant of `day`; `None` beyond the end of the calendar.
    pub fn start_of(&self, day: Date) -> Option<Timestamp> {
        self.time_zone
            .to_zoned(day.at(0, 0, 0, 0))
            .ok()
            .map(|zoned| zoned.timestamp())
    }
}

/// Days from `from` to `to`; negative when `to` is earlier.
pub fn days_between(from: Date, to: Date) -> i32 {
    // The calendar has some 7.3 million days, so the cast cannot truncate.
    (to.duration_since(from).as_hours() / 24) as i32
}

/// The day `days` before `day`; the ends of the calendar hold.
pub fn days_before(day: Date, days: i32) -> Date {
    day.saturating_sub(SignedDuration::from_hours(i64::from(days) * 24))
}
