//! Small conversions between the contracts and what people and drivers use.

use jiff::{Timestamp, civil::Date};
use upswell_proto::gtype;

/// A protobuf instant; `None` for one that is unset or impossible.
pub fn instant(value: Option<&prost_types::Timestamp>) -> Option<Timestamp> {
    value.and_then(|at| Timestamp::new(at.seconds, at.nanos).ok())
}

/// An instant for the wire.
pub fn to_instant(at: Timestamp) -> prost_types::Timestamp {
    prost_types::Timestamp {
        seconds: at.as_second(),
        nanos: at.subsec_nanosecond(),
    }
}

/// A protobuf date; `None` for one that is unset or impossible.
pub fn date(value: Option<&gtype::Date>) -> Option<Date> {
    let value = value?;
    let part = |number: i32| i8::try_from(number).ok();
    Date::new(i16::try_from(value.year).ok()?, part(value.month)?, part(value.day)?).ok()
}

/// A date for the wire.
pub fn to_date(day: Date) -> gtype::Date {
    gtype::Date {
        year: day.year().into(),
        month: day.month().into(),
        day: day.day().into(),
    }
}

/// The word of an enum value without its prefix: `MOTION_PREMIUM_SUPPORT` → `premium_support`.
pub fn word(name: &str, prefix: &str) -> String {
    name.strip_prefix(prefix)
        .unwrap_or(name)
        .trim_start_matches('_')
        .to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_words_survive() {
        let day: Date = "2026-02-28".parse().unwrap();
        assert_eq!(date(Some(&to_date(day))), Some(day));
        assert_eq!(
            date(Some(&gtype::Date {
                year: 2026,
                month: 2,
                day: 30
            })),
            None
        );
        let at: Timestamp = "2026-02-28T01:02:03.000004Z".parse().unwrap();
        assert_eq!(instant(Some(&to_instant(at))), Some(at));
        assert_eq!(word("MOTION_PREMIUM_SUPPORT", "MOTION"), "premium_support");
    }
}
