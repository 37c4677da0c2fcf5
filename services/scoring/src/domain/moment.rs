//! The instant of a computation in the account's own calendar.

use jiff::{
    Timestamp, ToSpan as _,
    civil::{Date, Time},
    tz::TimeZone,
};

/// An instant with the days that it means to one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The instant.
    pub now: Timestamp,
    /// The account's calendar day at that instant; it is not complete yet.
    pub today: Date,
    /// The account's last complete day: windows end here.
    pub as_of: Date,
    /// The account's time zone.
    pub zone: TimeZone,
}

impl Moment {
    /// `now` in the calendar of `zone`.
    pub fn at(now: Timestamp, zone: &TimeZone) -> Self {
        let today = zone.to_datetime(now).date();
        Self {
            now,
            today,
            as_of: days_before(today, 1),
            zone: zone.clone(),
        }
    }

    /// The same account at another instant.
    pub fn back_to(&self, instant: Timestamp) -> Self {
        Self::at(instant, &self.zone)
    }

    /// When the next calendar day reaches `hour`, 0 to 23: from then on the windows have moved.
    pub fn next_day_at(&self, hour: i8) -> Timestamp {
        let time = Time::new(hour.clamp(0, 23), 0, 0, 0).unwrap_or(Time::MIN);
        let next = days_after(self.today, 1).to_datetime(time);
        self.zone.to_timestamp(next).unwrap_or(Timestamp::MAX)
    }
}

/// The day `days` before `day`.
pub fn days_before(day: Date, days: i32) -> Date {
    day.saturating_sub(days.days())
}

/// The day `days` after `day`.
pub fn days_after(day: Date, days: i32) -> Date {
    day.saturating_add(days.days())
}

/// Whole days from `from` to `to`; negative when `to` is earlier.
pub fn days_between(from: Date, to: Date) -> i32 {
    let hours = to.duration_since(from).as_hours();
    // The calendar has some 7.3 million days, so the number always fits.
    i32::try_from(hours / 24).unwrap_or(i32::MAX)
}
