//! Reads the fields of a fact one by one. A faulty field is noted and gives None, and reading goes on, so that the
//! caller learns of all faults at once.

use jiff::{Timestamp, civil::Date};
use prost_types::Timestamp as PbTimestamp;
use upswell_proto::gtype;
use upswell_runtime::{
    money::{self, Money},
    problem::Violations,
    text,
};

use super::{out::day_from_wire, words::Word};
use crate::domain::rules::{self, AMOUNT_MAX, Horizon, Reach};

/// The faults found so far and the time by which values are judged.
pub(super) struct Fields<'a> {
    faults: &'a mut Violations,
    horizon: Horizon,
}

impl<'a> Fields<'a> {
    pub(super) fn new(faults: &'a mut Violations, horizon: Horizon) -> Self {
        Self { faults, horizon }
    }

    /// Reads the fields of a message inside the fact.
    pub(super) fn at<T>(&mut self, prefix: &str, read: impl FnOnce(&mut Fields<'_>) -> T) -> T {
        let horizon = self.horizon;
        self.faults.at(prefix, |faults| read(&mut Fields { faults, horizon }))
    }

    pub(super) fn fault(&mut self, field: &str, description: impl Into<String>) {
        self.faults.add(field, description);
    }

    /// The value of a rule, or its fault.
    pub(super) fn rule<T>(&mut self, field: &str, parsed: Result<T, String>) -> Option<T> {
        parsed.map_err(|description| self.fault(field, description)).ok()
    }

    /// An identifier.
    pub(super) fn key(&mut self, field: &str, value: &str) -> Option<String> {
        let parsed = text::key(value).map_err(|fault| format!("\"{}\" is no identifier: {fault}", rules::shown(value)));
        self.rule(field, parsed)
    }

    /// An identifier that may be empty.
    pub(super) fn optional_key(&mut self, field: &str, value: &str) -> Option<String> {
        if value.trim().is_empty() {
            Some(String::new())
        } else {
            self.key(field, value)
        }
    }

    /// Text of at most `max` characters, which may be empty.
    pub(super) fn text(&mut self, field: &str, value: &str, max: usize) -> Option<String> {
        self.rule(field, text::clean(value, max).map_err(|fault| fault.to_string()))
    }

    /// Text of 1 to `max` characters.
    pub(super) fn required_text(&mut self, field: &str, value: &str, max: usize) -> Option<String> {
        let text = self.text(field, value, max)?;
        if text.is_empty() {
            self.fault(field, format!("required: expected 1 to {max} characters"));
            return None;
        }
        Some(text)
    }

    /// A language that may be empty.
    pub(super) fn optional_language(&mut self, field: &str, value: &str) -> Option<String> {
        if value.is_empty() {
            Some(String::new())
        } else {
            self.rule(field, rules::language(value))
        }
    }

    pub(super) fn word<W: Word>(&mut self, field: &str, number: i32) -> Option<W> {
        let word = W::from_wire(number);
        if word.is_none() {
            let expected = W::EXPECTED;
            let description = match number {
                0 => format!("required: expected {expected}"),
                _ => format!("unknown value {number}: expected {expected}"),
            };
            self.fault(field, description);
        }
        word
    }

    pub(super) fn count(&mut self, field: &str, value: i64, min: i64, max: i64) -> Option<i64> {
        self.rule(field, rules::count(value, min, max))
    }

    pub(super) fn whole(&mut self, field: &str, value: i32, min: i32, max: i32) -> Option<i32> {
        self.count(field, value.into(), min.into(), max.into()).map(|_| value)
    }

    /// An amount of `min` minor units or more.
    pub(super) fn money(&mut self, field: &str, value: Option<&gtype::Money>, min: i64) -> Option<Money> {
        let Some(value) = value else {
            self.fault(field, "required: expected an amount with an ISO 4217 currency");
            return None;
        };
        let amount = self.rule(field, money::from_proto(value).map_err(|fault| fault.to_string()))?;
        if amount.minor < min {
            let expected = if min > 0 { "more than zero" } else { "zero or more" };
            self.fault(field, format!("{amount} is out of range: expected {expected}"));
            return None;
        }
        if amount.minor > AMOUNT_MAX && self.horizon.judges() {
            let largest = Money::new(AMOUNT_MAX, amount.currency);
            self.fault(field, format!("{amount} is out of range: expected at most {largest}"));
            return None;
        }
        Some(amount)
    }

    /// True for a fact that arrives, false for one that is read again.
    pub(super) const fn judges(&self) -> bool {
        self.horizon.judges()
    }

    /// A required instant.
    pub(super) fn instant(&mut self, field: &str, value: Option<&PbTimestamp>, reach: Reach) -> Option<Timestamp> {
        let instant = self.optional_instant(field, value, reach)?;
        if instant.is_none() {
            self.fault(field, "required: expected an instant");
        }
        instant
    }

    /// An instant that may be unset; None for a faulty one.
    #[expect(clippy::option_option, reason = "the outer level says faulty, the inner one unset")]
    pub(super) fn optional_instant(
        &mut self,
        field: &str,
        value: Option<&PbTimestamp>,
        reach: Reach,
    ) -> Option<Option<Timestamp>> {
        let Some(PbTimestamp { seconds, nanos }) = value else {
            return Some(None);
        };
        let parsed = Timestamp::new(*seconds, *nanos)
            .ok()
            .filter(|_| (0..1_000_000_000).contains(nanos));
        // The stores keep microseconds; so does a fact, or it would differ from itself.
        let parsed = parsed.and_then(|at| Timestamp::from_microsecond(at.as_microsecond()).ok());
        let parsed = parsed.ok_or_else(|| format!("{seconds} s {nanos} ns is no instant"));
        let horizon = self.horizon;
        self.rule(field, parsed.and_then(|at| horizon.instant(at, reach)))
            .map(Some)
    }

    /// When a fact happened, which must not be older than facts are kept.
    pub(super) fn kept(&mut self, field: &str, at: Timestamp) -> Option<Timestamp> {
        let horizon = self.horizon;
        self.rule(field, horizon.kept(at))
    }

    /// A required day.
    pub(super) fn day(&mut self, field: &str, value: Option<&gtype::Date>, reach: Reach) -> Option<Date> {
        let day = self.optional_day(field, value, reach)?;
        if day.is_none() {
            self.fault(field, "required: expected a calendar day");
        }
        day
    }

    /// A day that may be unset; None for a faulty one.
    #[expect(clippy::option_option, reason = "the outer level says faulty, the inner one unset")]
    pub(super) fn optional_day(
        &mut self,
        field: &str,
        value: Option<&gtype::Date>,
        reach: Reach,
    ) -> Option<Option<Date>> {
        let Some(value) = value else { return Some(None) };
        let horizon = self.horizon;
        let parsed = day_from_wire(value).and_then(|day| horizon.day(day, reach));
        self.rule(field, parsed).map(Some)
    }

    /// A day that may be unset and may lie in the last century.
    #[expect(clippy::option_option, reason = "the outer level says faulty, the inner one unset")]
    pub(super) fn optional_old_day(&mut self, field: &str, value: Option<&gtype::Date>) -> Option<Option<Date>> {
        let Some(value) = value else { return Some(None) };
        let (horizon, first) = (self.horizon, jiff::civil::date(1900, 1, 1));
        let parsed = day_from_wire(value).and_then(|day| horizon.day_since(first, day, Reach::Agreed));
        self.rule(field, parsed).map(Some)
    }

    /// A fault unless `later` is on or after `earlier`.
    pub(super) fn order<T: Ord>(&mut self, field: &str, later: Option<&T>, earlier: Option<&T>, expected: &str) {
        if let (Some(later), Some(earlier)) = (later, earlier)
            && later < earlier
        {
            self.fault(field, format!("must not be before {expected}"));
        }
    }
}
