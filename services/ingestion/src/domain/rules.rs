//! What values may be: the ranges of the contract. Each rule answers what is wrong and what is expected.

use std::fmt;

use jiff::{
    SignedDuration, Timestamp, ToSpan as _,
    civil::{Date, date},
    tz::TimeZone,
};

/// The largest count of a day.
pub const COUNT_MAX: i64 = 1_000_000_000_000_000;
/// The largest number of units, seats or people.
pub const UNITS_MAX: i64 = 1_000_000_000;
/// The most limits of one subscription.
pub const LIMITS_MAX: usize = 50;
/// The largest amount, in minor units: thousands of them still add up in 64 bits.
pub const AMOUNT_MAX: i64 = 1_000_000_000_000_000;
/// The most discounts of one subscription.
pub const DISCOUNTS_MAX: usize = 5;
/// The whole of a price, in hundredths of a percent.
pub const BASIS_POINTS_MAX: i32 = 10_000;
/// The most addresses of one contact.
pub const POINTS_MAX: usize = 10;
/// The longest external id, in characters.
pub const EXTERNAL_ID_MAX: usize = 256;

/// The first day on which anything may have happened.
pub const FIRST_DAY: Date = date(2000, 1, 1);

/// How far into the future a value may reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// What happened: one day, for clocks and time zones that differ.
    Day,
    /// What was agreed: five years.
    Agreed,
    /// When agreements end: thirty years.
    Term,
}

impl Reach {
    const fn text(self) -> &'static str {
        match self {
            Self::Day => "one day from now",
            Self::Agreed => "five years from now",
            Self::Term => "thirty years from now",
        }
    }
}

/// What "now" is while facts are judged, and how long facts are kept.
#[derive(Clone, Copy, Debug)]
pub struct Horizon(Option<Timestamp>, Option<u32>);

impl Horizon {
    /// For facts that arrive at `now`.
    pub const fn at(now: Timestamp) -> Self {
        Self(Some(now), None)
    }

    /// For facts that arrive at `now` and are kept for `days`.
    pub const fn keeping(now: Timestamp, days: u32) -> Self {
        Self(Some(now), Some(days))
    }

    /// When a fact happened that is still kept.
    pub fn kept(self, at: Timestamp) -> Result<Timestamp, String> {
        let (Some(now), Some(days)) = (self.0, self.1) else {
            return Ok(at);
        };
        let hours = i64::from(days) * 24;
        let oldest = now
            .saturating_sub(SignedDuration::from_hours(hours))
            .unwrap_or(Timestamp::MIN);
        if at < oldest {
            return Err(format!(
                "{at} is older than facts are kept: expected at most {days} days ago"
            ));
        }
        Ok(at)
    }

    /// For facts that were judged when they arrived.
    pub const fn recorded() -> Self {
        Self(None, None)
    }

    /// True for facts that arrive; what was judged when it arrived is not judged by a later rule.
    pub const fn judges(self) -> bool {
        self.0.is_some()
    }

    /// An instant from 2000-01-01 to the reach.
    pub fn instant(self, at: Timestamp, reach: Reach) -> Result<Timestamp, String> {
        let Some(now) = self.0 else { return Ok(at) };
        let last = match reach {
            Reach::Day => now
                .saturating_add(SignedDuration::from_hours(24))
                .unwrap_or(Timestamp::MAX),
            Reach::Agreed | Reach::Term => midnight_after(self.last_day(now, reach)),
        };
        if at < midnight_after(FIRST_DAY.yesterday().unwrap_or(FIRST_DAY)) || at > last {
            return Err(out_of_range(at, reach));
        }
        Ok(at)
    }

    /// A day from 2000-01-01 to the reach.
    pub fn day(self, day: Date, reach: Reach) -> Result<Date, String> {
        self.day_since(FIRST_DAY, day, reach)
    }

    /// A day from `first` to the reach.
    pub fn day_since(self, first: Date, day: Date, reach: Reach) -> Result<Date, String> {
        let Some(now) = self.0 else { return Ok(day) };
        if day < first || day > self.last_day(now, reach) {
            return Err(format!("{day} is out of range: expected {first} to {}", reach.text()));
        }
        Ok(day)
    }

    fn last_day(self, now: Timestamp, reach: Reach) -> Date {
        let today = now.to_zoned(TimeZone::UTC).date();
        let span = match reach {
            Reach::Day => 1.day(),
            Reach::Agreed => 5.years(),
            Reach::Term => 30.years(),
        };
        today.saturating_add(span)
    }
}

fn midnight_after(day: Date) -> Timestamp {
    let next = day.tomorrow().unwrap_or(day);
    next.to_zoned(TimeZone::UTC)
        .map_or(Timestamp::MAX, |zoned| zoned.timestamp())
}

fn out_of_range(value: impl fmt::Display, reach: Reach) -> String {
    format!("{value} is out of range: expected {FIRST_DAY} to {}", reach.text())
}

/// A whole number from `min` to `max`.
pub fn count(value: i64, min: i64, max: i64) -> Result<i64, String> {
    if (min..=max).contains(&value) {
        Ok(value)
    } else {
        Err(format!("{value} is out of range: expected {min} to {max}"))
    }
}

/// ISO 3166-1 alpha-2 in form: two upper-case letters.
pub fn country(code: &str) -> Result<String, String> {
    if code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase()) {
        Ok(code.to_owned())
    } else {
        Err(format!(
            "\"{}\" is no country code: expected two upper-case letters, e.g. KZ",
            shown(code)
        ))
    }
}

/// The IANA name of a time zone that the time zone database knows.
pub fn time_zone(name: &str) -> Result<String, String> {
    let unknown = || {
        format!(
            "unknown time zone \"{}\": expected an IANA name, e.g. Asia/Almaty",
            shown(name)
        )
    };
    let zone = TimeZone::get(name).map_err(|_| unknown())?;
    zone.iana_name()
        .filter(|_| !name.is_empty())
        .map(ToOwned::to_owned)
        .ok_or_else(unknown)
}

/// BCP 47 in form: a language of 2 or 3 letters and subtags of 1 to 8 letters or digits; lower-case language, the rest
/// as given.
pub fn language(code: &str) -> Result<String, String> {
    let mut parts = code.split('-');
    let primary = parts.next().unwrap_or_default();
    let letters = (2..=3).contains(&primary.len()) && primary.bytes().all(|byte| byte.is_ascii_alphabetic());
    let subtag = |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !letters || code.len() > 35 || !parts.all(subtag) {
        return Err(format!(
            "\"{}\" is no language code: expected BCP 47, e.g. ru or kk-KZ",
            shown(code)
        ));
    }
    Ok(format!("{}{}", primary.to_ascii_lowercase(), &code[primary.len()..]))
}

/// `value` in a message: short, and without what could spoil a terminal.
pub fn shown(value: &str) -> String {
    value.chars().take(40).flat_map(char::escape_debug).collect()
}
