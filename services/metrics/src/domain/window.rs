//! Windows of whole days in UTC.

use jiff::{Span, Timestamp, civil::Date, tz::TimeZone};

/// The longest window, in days.
pub const DAYS_MAX: i32 = 3_700;
/// The most weeks that a weekly cut has.
pub const WEEKS_MAX: usize = 106;

/// From the start of `start` to the start of `end`, both in UTC; at least one day long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    start: Date,
    end: Date,
}

/// Why a window was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WindowFault {
    /// The end is not after the start.
    #[error("must be after start_date")]
    Empty,
    /// Longer than [`DAYS_MAX`].
    #[error("must be at most {DAYS_MAX} days after start_date, is {0}")]
    TooLong(i32),
}

impl Window {
    /// The days from `start` to the day before `end`.
    pub fn new(start: Date, end: Date) -> Result<Self, WindowFault> {
        match days_between(start, end) {
            ..=0 => Err(WindowFault::Empty),
            1..=DAYS_MAX => Ok(Self { start, end }),
            days => Err(WindowFault::TooLong(days)),
        }
    }

    /// The first day.
    pub fn start(self) -> Date {
        self.start
    }

    /// The day after the last.
    pub fn end(self) -> Date {
        self.end
    }

    /// Length in days, 1 to [`DAYS_MAX`].
    pub fn days(self) -> i32 {
        days_between(self.start, self.end)
    }

    /// Length in weeks.
    pub fn length_in_weeks(self) -> f64 {
        f64::from(self.days()) / 7.0
    }

    /// The instant at which the window starts.
    pub fn start_time(self) -> Timestamp {
        midnight(self.start)
    }

    /// The instant at which it is over.
    pub fn end_time(self) -> Timestamp {
        midnight(self.end)
    }

    /// The first days of its weeks, counted from its first day; the last week may be shorter.
    pub fn weeks(self) -> Vec<Date> {
        let starts = (0..self.days()).step_by(7);
        starts
            .map(|day| self.start.saturating_add(Span::new().days(day)))
            .collect()
    }
}

fn days_between(start: Date, end: Date) -> i32 {
    // Two civil dates are less than 8 million days apart, so the cast cannot truncate.
    (end.duration_since(start).as_hours() / 24) as i32
}

fn midnight(day: Date) -> Timestamp {
    let end = if day.year() < 0 { Timestamp::MIN } else { Timestamp::MAX };
    TimeZone::UTC.to_timestamp(day.at(0, 0, 0, 0)).unwrap_or(end)
}
