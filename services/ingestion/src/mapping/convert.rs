//! How the text of a cell becomes a value of a fact line.

use std::collections::BTreeMap;

use jiff::{ToSpan as _, fmt::strtime, tz::TimeZone};
use serde_json::Value as Json;

use crate::domain::rules::shown;

/// What is made of a text that is not empty.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Conversion {
    /// The text itself.
    Text,
    /// A whole number; a fraction of zeros is cut off.
    Whole,
    /// An amount in this currency.
    Money { currency: String },
    /// A day in a `strftime` format, moved by this many days.
    Day { format: String, days: i32 },
    /// An instant in a `strftime` format, in this zone where the text names none; a day means its midnight. Moved by this
    /// many calendar days.
    Instant { format: String, zone: TimeZone, days: i32 },
    /// True for these words, false for any other.
    Flag { truths: Vec<String> },
    /// Another word for each word; what is not listed stays, or becomes `otherwise`.
    Word {
        words: BTreeMap<String, String>,
        otherwise: Option<String>,
    },
}

impl Conversion {
    /// The value. Errors: what is wrong and what is expected.
    pub(super) fn convert(&self, text: &str) -> Result<Json, String> {
        match self {
            Self::Text => Ok(text.into()),
            Self::Whole => whole(text).map(Json::from),
            Self::Money { currency } => Ok(format!("{text} {currency}").into()),
            Self::Day { format, days } => day(format, text, *days).map(|day| day.to_string().into()),
            Self::Instant { format, zone, days } => instant(format, zone, text, *days).map(Json::from),
            Self::Flag { truths } => Ok(truths.iter().any(|truth| truth.eq_ignore_ascii_case(text)).into()),
            Self::Word { words, otherwise } => {
                let other = otherwise.as_deref().unwrap_or(text);
                Ok(words.get(text).map_or(other, String::as_str).into())
            }
        }
    }
}

fn whole(text: &str) -> Result<i64, String> {
    let (number, fraction) = text.split_once('.').unwrap_or((text, ""));
    let number = number
        .parse()
        .ok()
        .filter(|_| fraction.bytes().all(|byte| byte == b'0'));
    number.ok_or_else(|| format!("\"{}\": expected a whole number", shown(text)))
}

fn day(format: &str, text: &str, days: i32) -> Result<jiff::civil::Date, String> {
    let read = strtime::parse(format, text).and_then(|parts| parts.to_date()?.checked_add(days.days()));
    read.map_err(|_| format!("\"{}\": expected a day as {format}", shown(text)))
}

/// RFC 3339 in UTC.
fn instant(format: &str, zone: &TimeZone, text: &str, days: i32) -> Result<String, String> {
    let wrong = || format!("\"{}\": expected an instant as {format}", shown(text));
    let parts = strtime::parse(format, text).map_err(|_| wrong())?;
    if parts.offset().is_some() {
        let at = parts.to_timestamp().map_err(|_| wrong())?.to_zoned(zone.clone());
        return Ok(at
            .checked_add(days.days())
            .map_err(|_| wrong())?
            .timestamp()
            .to_string());
    }
    let time = parts.to_time().unwrap_or(jiff::civil::Time::midnight());
    let date = parts.to_date().and_then(|date| date.checked_add(days.days()));
    let local = date.map_err(|_| wrong())?.to_datetime(time);
    let zoned = local.to_zoned(zone.clone()).map_err(|_| wrong())?;
    Ok(zoned.timestamp().to_string())
}
