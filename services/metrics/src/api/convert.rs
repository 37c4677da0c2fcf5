//! Requests and common values between the wire and the domain. Every violation of a request is told.

use std::fmt;

use jiff::{Timestamp, civil::Date};
use prost_types::Timestamp as WireTime;
use upswell_proto::{
    gtype,
    metrics::v1::{GetRevenueMetricsRequest, ListMovementsRequest, Window as WireWindow},
    vocabulary::v1::Motion,
};
use upswell_runtime::{
    paging,
    problem::{Problem, Violations},
    text,
};

use crate::{
    app::{Asked, right_before},
    domain::{
        kept::Dimension,
        movement::{Cause, MovementKind},
        window::Window,
    },
    store::{MovementFilter, MovementKey},
};

const LIST_MOVEMENTS: &str = "ListMovements";
/// Names of motions in the contracts start like this.
const MOTION_PREFIX: &str = "MOTION_";

/// A window that was asked for alone.
pub(super) fn window(wire: Option<WireWindow>) -> Result<Window, Problem> {
    let mut violations = Violations::new();
    let window = window_in(wire, &mut violations);
    settled(window, violations)
}

/// The window, and whose revenue in what.
pub(super) fn revenue_request(wire: GetRevenueMetricsRequest) -> Result<(Window, Asked), Problem> {
    let GetRevenueMetricsRequest {
        window,
        segment,
        plan,
        country_code,
        cohort,
        currency_code,
    } = wire;
    let mut violations = Violations::new();
    let window = window_in(window, &mut violations);
    let asked = asked([&segment, &plan, &country_code, &cohort], &mut violations);
    let currency = match currency_code.as_str() {
        "" => Some(None),
        code => violations.take("currency_code", code.parse()).map(Some),
    };
    let asked = asked.zip(currency).map(|(asked, currency)| Asked { currency, ..asked });
    settled(window.zip(asked), violations)
}

/// At most one of segment, plan, country and cohort.
pub(super) fn asked(slices: [&str; 4], violations: &mut Violations) -> Option<Asked> {
    let fields = [
        ("segment", Dimension::Segment),
        ("plan", Dimension::Plan),
        ("country_code", Dimension::Country),
        ("cohort", Dimension::Cohort),
    ];
    let mut found = None;
    for ((field, dimension), value) in fields.into_iter().zip(slices) {
        let slice = match dimension {
            Dimension::Segment | Dimension::Plan => optional_key(field, value, violations)?,
            _ => value.trim().to_owned(),
        };
        if slice.is_empty() {
            continue;
        }
        if found.is_some() {
            violations.add(
                field,
                "is the second slice; at most one of segment, plan, country and cohort is told",
            );
            return None;
        }
        found = Some(Asked {
            dimension,
            slice,
            currency: None,
        });
    }
    Some(found.unwrap_or_else(Asked::all))
}

/// A page of the list of movements.
pub(super) struct MovementList {
    /// What is listed.
    pub(super) filter: MovementFilter,
    /// Where the page begins.
    pub(super) after: Option<MovementKey>,
    /// How long it is.
    pub(super) size: u32,
}

impl TryFrom<ListMovementsRequest> for MovementList {
    type Error = Problem;

    fn try_from(wire: ListMovementsRequest) -> Result<Self, Problem> {
        let ListMovementsRequest {
            window,
            account_id,
            page_size,
            page_token,
            kind,
            cause,
        } = wire;
        let mut violations = Violations::new();
        let window = window_in(window, &mut violations);
        let account_id = optional_key("account_id", &account_id, &mut violations);
        let kind = numbered("kind", kind, MovementKind::from_number, &mut violations);
        let cause = numbered("cause", cause, Cause::from_number, &mut violations);
        let Some(((window, account_id), (kind, cause))) = window.zip(account_id).zip(kind.zip(cause)) else {
            // The token is bound to a filter that is not known, so that only the size can be judged.
            violations_of_page(page_size, &mut violations);
            return Err(Problem::invalid(violations));
        };
        let filter = MovementFilter {
            window,
            account_id: (!account_id.is_empty()).then_some(account_id),
            kind,
            cause,
        };
        let page = paging::parse(LIST_MOVEMENTS, &filter_bytes(&filter), page_size, &page_token)?;
        let after = page.after.map(|key| serde_json::from_str(&key)).transpose();
        let after = after.map_err(|_| Problem::invalid_field("page_token", "is not a token of this list"))?;
        Ok(Self {
            filter,
            after,
            size: page.size,
        })
    }
}

impl MovementList {
    /// The token of the page after `last_key`.
    pub(super) fn next_token(&self, last_key: &MovementKey) -> Result<String, Problem> {
        let key = serde_json::to_string(last_key).map_err(Problem::internal)?;
        Ok(paging::next_token(LIST_MOVEMENTS, &filter_bytes(&self.filter), &key))
    }
}

/// A number of the contracts, which are those of the domain; 0 is unset.
fn numbered<T>(
    field: &str,
    number: i32,
    from: impl FnOnce(i32) -> Option<T>,
    violations: &mut Violations,
) -> Option<Option<T>> {
    let found = from(number);
    if found.is_none() && number != 0 {
        violations.add(field, format!("{number} is not known here"));
        return None;
    }
    Some(found)
}

pub(super) fn violations_of_page(page_size: i32, violations: &mut Violations) {
    if page_size < 0 {
        violations.add("page_size", "must not be negative");
    }
}

fn filter_bytes(filter: &MovementFilter) -> Vec<u8> {
    let MovementFilter {
        window,
        account_id,
        kind,
        cause,
    } = filter;
    format!(
        "{}/{}/{}/{}/{}",
        window.start(),
        window.end(),
        account_id.as_deref().unwrap_or_default(),
        kind.map_or(0, MovementKind::number),
        cause.map_or(0, Cause::number),
    )
    .into_bytes()
}

pub(super) fn window_in(wire: Option<WireWindow>, violations: &mut Violations) -> Option<Window> {
    let Some(WireWindow { start_date, end_date }) = wire else {
        violations.add("window", "is required");
        return None;
    };
    violations.at("window", |violations| {
        let start = required("start_date", start_date, violations, date);
        let end = required("end_date", end_date, violations, date);
        let (start, end) = start.zip(end)?;
        violations.take("end_date", Window::new(start, end))
    })
}

/// The window that `window` is compared with: as many days right before it where none is given.
pub(super) fn window_before(
    window: Option<Window>,
    before: Option<WireWindow>,
    violations: &mut Violations,
) -> Option<Window> {
    match before {
        Some(before) => violations.at("before", |violations| window_in(Some(before), violations)),
        None => window.and_then(right_before),
    }
}

/// The identifier as it is kept, or an empty one.
pub(super) fn optional_key(field: &str, value: &str, violations: &mut Violations) -> Option<String> {
    if value.trim().is_empty() {
        Some(String::new())
    } else {
        violations.take(field, text::key(value))
    }
}

/// The converted value of a field that has to be set; what is wrong is noted.
pub(super) fn required<T, U, E: fmt::Display>(
    field: &str,
    value: Option<T>,
    violations: &mut Violations,
    convert: impl FnOnce(T) -> Result<U, E>,
) -> Option<U> {
    match value {
        Some(value) => violations.take(field, convert(value)),
        None => {
            violations.add(field, "is required");
            None
        }
    }
}

/// The converted value of a field that may be unset. `None` only when something is wrong.
pub(super) fn optional<T, U, E: fmt::Display>(
    field: &str,
    value: Option<T>,
    violations: &mut Violations,
    convert: impl FnOnce(T) -> Result<U, E>,
) -> Option<Option<U>> {
    value.map_or(Some(None), |value| violations.take(field, convert(value)).map(Some))
}

/// The value, or INVALID_ARGUMENT with what was found wrong on the way to it.
pub(super) fn settled<T>(value: Option<T>, violations: Violations) -> Result<T, Problem> {
    violations.into_result()?;
    value.ok_or_else(|| Problem::internal("a value is missing and no violation says why"))
}

/// A date of the calendar.
pub(super) fn date(wire: gtype::Date) -> Result<Date, String> {
    let gtype::Date { year, month, day } = wire;
    let fields = (i16::try_from(year), i8::try_from(month), i8::try_from(day));
    let (Ok(year @ 1..=9999), Ok(month), Ok(day)) = fields else {
        return Err(format!("is no date: {year:04}-{month:02}-{day:02}"));
    };
    Date::new(year, month, day).map_err(|_| format!("is no date: {year:04}-{month:02}-{day:02}"))
}

/// A date for the wire.
pub(super) fn wire_date(date: Date) -> gtype::Date {
    gtype::Date {
        year: date.year().into(),
        month: date.month().into(),
        day: date.day().into(),
    }
}

/// An instant, truncated to microseconds.
pub(super) fn time(wire: WireTime) -> Result<Timestamp, String> {
    let WireTime { seconds, nanos } = wire;
    let micros = i128::from(seconds) * 1_000_000 + i128::from(nanos.div_euclid(1_000));
    let micros = i64::try_from(micros)
        .ok()
        .and_then(|micros| Timestamp::from_microsecond(micros).ok());
    micros.ok_or_else(|| "is no instant of the calendar".to_owned())
}

/// An instant for the wire.
pub(super) fn wire_time(time: Timestamp) -> WireTime {
    // Microseconds since 1970 as seconds and what is left, never negative.
    let micros = time.as_microsecond();
    let nanos = micros.rem_euclid(1_000_000) * 1_000;
    WireTime {
        seconds: micros.div_euclid(1_000_000),
        nanos: i32::try_from(nanos).unwrap_or_default(),
    }
}

/// The name of a motion in the vocabulary, e.g. `capacity`; numbers newer than this build are refused.
pub(super) fn motion(number: i32) -> Result<String, String> {
    match Motion::try_from(number) {
        Ok(Motion::Unspecified) => Err("is required".to_owned()),
        Ok(motion) => Ok(motion.as_str_name().trim_start_matches(MOTION_PREFIX).to_lowercase()),
        Err(_) => Err(format!("{number} is no motion of the vocabulary")),
    }
}

/// A value of the vocabulary by its name there, without its prefix and in lower case; empty when it is unset.
pub(super) fn word(name: &str, prefix: &str) -> String {
    let word = name.trim_start_matches(prefix).to_lowercase();
    if word == "unspecified" { String::new() } else { word }
}

/// The motion with that name; unspecified for a name that the vocabulary no longer has.
pub(super) fn wire_motion(name: &str) -> Motion {
    Motion::from_str_name(&format!("{MOTION_PREFIX}{}", name.to_uppercase())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_motion_keeps_its_name() {
        for number in 1..=12 {
            let motion = motion(number).unwrap();
            assert_eq!(wire_motion(&motion) as i32, number, "{motion}");
        }
        assert_eq!(motion(3).unwrap(), "capacity");
        motion(0).unwrap_err();
        motion(99).unwrap_err();
    }

    #[test]
    fn dates_that_do_not_exist_are_refused() {
        for (year, month, day) in [
            (0, 1, 1),
            (2026, 2, 29),
            (2026, 13, 1),
            (2026, 1, 0),
            (10_000, 1, 1),
            (2026, 300, 1),
        ] {
            date(gtype::Date { year, month, day }).unwrap_err();
        }
        let leap = date(gtype::Date {
            year: 2024,
            month: 2,
            day: 29,
        })
        .unwrap();
        assert_eq!(
            wire_date(leap),
            gtype::Date {
                year: 2024,
                month: 2,
                day: 29
            }
        );
    }

    #[test]
    fn instants_survive_and_lose_what_is_finer_than_a_microsecond() {
        for (seconds, nanos, kept) in [(0, 1_999, 1_000), (-1, 999_999_000, 999_999_000), (1_800_000_000, 0, 0)] {
            let read = time(WireTime { seconds, nanos }).unwrap();
            assert_eq!(wire_time(read), WireTime { seconds, nanos: kept });
        }
        time(WireTime {
            seconds: i64::MAX,
            nanos: 0,
        })
        .unwrap_err();
    }
}
