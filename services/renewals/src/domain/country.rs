//! Calendars of countries as data (RN-6): working days, holidays, and seasons in which nobody decides anything.

use jiff::{ToSpan as _, civil::Date};
use serde::Deserialize;

use super::account::days_before;

/// Days that are looked back over to know whether a holiday on a weekend still takes a working day.
const LOOK_BACK: i32 = 14;
/// More free days in a row than any calendar has; the search for a working day ends here.
const SEARCH: i32 = 400;

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Weekday {
    /// 1 in ISO 8601, and so on.
    Monday = 1,
    #[expect(missing_docs, reason = "the name says it")]
    Tuesday,
    #[expect(missing_docs, reason = "the name says it")]
    Wednesday,
    #[expect(missing_docs, reason = "the name says it")]
    Thursday,
    #[expect(missing_docs, reason = "the name says it")]
    Friday,
    #[expect(missing_docs, reason = "the name says it")]
    Saturday,
    #[expect(missing_docs, reason = "the name says it")]
    Sunday,
}

/// A season, every year from one month and day to another.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Season {
    /// For people.
    pub name: String,
    /// First month and day.
    pub from: (i8, i8),
    /// Last month and day; earlier than `from` when the season goes over the new year.
    pub until: (i8, i8),
}

/// A free day.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Holiday {
    /// For people.
    pub name: String,
    /// Month and day.
    pub day: (i8, i8),
    /// Only in this year; every year when absent.
    #[serde(default)]
    pub year: Option<i16>,
    /// On a weekend it makes the next working day free.
    #[serde(default)]
    pub moved: bool,
}

/// The calendar of a country; a file in `calendars/`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Country {
    /// ISO 3166-1 alpha-2; empty for the calendar of all other countries.
    pub country: String,
    /// Free days of the week.
    pub weekend: Vec<Weekday>,
    /// Seasons in which nobody decides anything.
    #[serde(default)]
    pub dead: Vec<Season>,
    /// Months that favour expansion.
    #[serde(default)]
    pub expansion_months: Vec<i8>,
    /// Free days.
    #[serde(default, rename = "holiday")]
    pub holidays: Vec<Holiday>,
}

impl Country {
    /// What cannot be used in it, if anything.
    pub fn fault(&self) -> Option<String> {
        let exists = |(month, day): (i8, i8)| Date::new(2024, month, day).is_ok();
        let bad_season = self
            .dead
            .iter()
            .find(|season| !exists(season.from) || !exists(season.until));
        let bad_holiday = self.holidays.iter().find(|holiday| !exists(holiday.day));
        let code = self.country.as_str();
        let is_code = code.is_empty() || (code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase()));
        if !is_code {
            Some(format!("country `{code}` is no ISO 3166-1 alpha-2 code in upper case"))
        } else if let Some(season) = bad_season {
            Some(format!("season `{}` has a day that does not exist", season.name))
        } else if let Some(holiday) = bad_holiday {
            Some(format!("holiday `{}` is on a day that does not exist", holiday.name))
        } else if self.weekend.len() >= 7 {
            Some("some day of the week must be a working day".to_owned())
        } else {
            let bad_month = self.expansion_months.iter().find(|month| !(1..=12).contains(*month));
            bad_month.map(|month| format!("month {month} does not exist"))
        }
    }

    /// True when people work on `day`.
    pub fn is_working(&self, day: Date) -> bool {
        let mut owed = 0;
        let mut is_working = false;
        for back in (0..=LOOK_BACK).rev() {
            let at = days_before(day, back);
            let weekend = self.is_weekend(at);
            let holiday = self.holiday(at);
            is_working = !weekend && holiday.is_none();
            if weekend && holiday.is_some_and(|holiday| holiday.moved) {
                owed += 1;
            } else if is_working && owed > 0 {
                owed -= 1;
                is_working = false;
            }
        }
        is_working
    }

    /// The last working day up to `day`.
    pub fn working_until(&self, day: Date) -> Date {
        let found = (0..SEARCH)
            .map(|back| days_before(day, back))
            .find(|day| self.is_working(*day));
        found.unwrap_or(day)
    }

    /// The first working day from `day` on.
    pub fn working_from(&self, day: Date) -> Date {
        let found = (0..SEARCH)
            .map(|ahead| days_before(day, -ahead))
            .find(|day| self.is_working(*day));
        found.unwrap_or(day)
    }

    /// Working days after `from`, up to and including `to`, at most `most`.
    pub fn working_days(&self, from: Date, to: Date, most: i32) -> i32 {
        let mut count = 0;
        let mut day = days_before(from, -1);
        while day <= to && count < most {
            count += i32::from(self.is_working(day));
            day = days_before(day, -1);
        }
        count
    }

    /// The working day `count` working days after `day`.
    pub fn working_after(&self, day: Date, count: i32) -> Date {
        (0..count).fold(day, |day, _| self.working_from(days_before(day, -1)))
    }

    /// First and last day of the dead season in which `day` lies.
    pub fn dead_season(&self, day: Date) -> Option<(Date, Date)> {
        self.dead.iter().find_map(|season| {
            [day.year() - 1, day.year()].into_iter().find_map(|year| {
                let from = on(year, season.from);
                let wraps = season.until < season.from;
                let until = on(year + i16::from(wraps), season.until);
                (from..=until).contains(&day).then_some((from, until))
            })
        })
    }

    /// True in a month that favours expansion (RN-6).
    pub fn favours_expansion(&self, day: Date) -> bool {
        self.expansion_months.contains(&day.month())
    }

    fn is_weekend(&self, day: Date) -> bool {
        let number = day.weekday().to_monday_one_offset();
        self.weekend.iter().any(|weekday| *weekday as i8 == number)
    }

    fn holiday(&self, day: Date) -> Option<&Holiday> {
        self.holidays.iter().find(|holiday| {
            holiday.day == (day.month(), day.day()) && holiday.year.is_none_or(|year| year == day.year())
        })
    }
}

/// Month and day in a year; 29 February is the 28th where there is none.
fn on(year: i16, (month, day): (i8, i8)) -> Date {
    let first = Date::new(year, month, 1).unwrap_or(Date::MAX);
    let day = day.min(first.days_in_month());
    first.saturating_add((day - 1).days())
}

/// Calendars by country.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Countries {
    all: Vec<Country>,
    other: Country,
}

impl Countries {
    /// From the calendars of countries, of which a later one replaces an earlier one, and that of all others.
    pub fn new(all: Vec<Country>, other: Country) -> Self {
        Self { all, other }
    }

    /// The calendar of a country.
    pub fn of(&self, code: &str) -> &Country {
        self.all
            .iter()
            .rev()
            .find(|country| country.country == code)
            .unwrap_or(&self.other)
    }
}
