//! Numbers, money and dates as a reader of a language expects them (T-4).

use fluent_bundle::{FluentValue, memoizer::MemoizerKind};
use jiff::civil::Date;
use unic_langid::LanguageIdentifier;
use upswell_runtime::money::Money;

/// Keeps digits and their unit on one line.
const NO_BREAK: char = '\u{a0}';

/// The months as they stand in a date.
const MONTHS_EN: &str = "January February March April May June July August September October November December";
const MONTHS_RU: &str = "января февраля марта апреля мая июня июля августа сентября октября ноября декабря";
const MONTHS_UK: &str = "січня лютого березня квітня травня червня липня серпня вересня жовтня листопада грудня";
const MONTHS_KK: &str = "қаңтар ақпан наурыз сәуір мамыр маусым шілде тамыз қыркүйек қазан қараша желтоқсан";
const MONTHS_MS: &str = "Januari Februari Mac April Mei Jun Julai Ogos September Oktober November Disember";

crate::domain::vocabulary::words! {
    /// A language that messages can be written in.
    Language, "language" {
        /// English.
        English = "en",
        /// Russian.
        Russian = "ru",
        /// Ukrainian.
        Ukrainian = "uk",
        /// Kazakh.
        Kazakh = "kk",
        /// Malay.
        Malay = "ms",
    }
}

/// How the formatter of a bundle looks: it sees a value and says what to print.
type Formatter<M> = fn(&FluentValue<'_>, &M) -> Option<String>;

impl Language {
    /// The language of a BCP 47 tag, whatever its script or region.
    pub fn from_tag(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_']).next()?.to_ascii_lowercase();
        primary.parse().ok()
    }

    /// An amount: `$1,250.00`, `RM 1,250.00` or `128 000 ₸`. Tiyn and kopecks of nothing are left out, cents of dollars
    /// in English and sen in Malay are not.
    pub fn money(self, money: Money) -> String {
        let code = money.currency.to_string();
        let symbol = symbol(&code).unwrap_or(&code);
        let scale = 10_u64.pow(money.currency.exponent());
        let (units, rest) = (money.minor.unsigned_abs() / scale, money.minor.unsigned_abs() % scale);
        let sign = if money.minor < 0 { "-" } else { "" };
        let digits = money.currency.exponent() as usize;
        let cents_always = self.symbol_first() && matches!(code.as_str(), "USD" | "EUR" | "GBP" | "MYR");
        let decimals = if digits > 0 && (rest > 0 || cents_always) {
            format!("{}{rest:0digits$}", self.decimal_mark())
        } else {
            String::new()
        };
        let amount = format!("{}{decimals}", self.grouped(units));
        if !self.symbol_first() {
            return format!("{sign}{amount}{NO_BREAK}{symbol}");
        }
        // A sign stands close to the figure, letters do not; English writes RM as a sign.
        let is_word = symbol.len() > 2 || (self == Self::Malay && symbol.is_ascii() && symbol.len() == 2);
        if is_word && symbol.chars().all(|c| c.is_ascii_uppercase()) {
            format!("{sign}{symbol}{NO_BREAK}{amount}")
        } else {
            format!("{sign}{symbol}{amount}")
        }
    }

    /// A day: `October 12, 2026`, `12 октября 2026 г.`, `12 жовтня 2026 р.`, `2026 ж. 12 қазан` or `12 Oktober 2026`.
    pub fn date(self, date: Date) -> String {
        let index = usize::try_from(date.month() - 1).unwrap_or_default();
        let (day, year) = (date.day(), date.year());
        let month = self.months().split(' ').nth(index).unwrap_or_default();
        match self {
            Self::English => format!("{month} {day}, {year}"),
            Self::Russian => format!("{day}{NO_BREAK}{month} {year}{NO_BREAK}г."),
            Self::Ukrainian => format!("{day}{NO_BREAK}{month} {year}{NO_BREAK}р."),
            Self::Kazakh => format!("{year}{NO_BREAK}ж. {day}{NO_BREAK}{month}"),
            Self::Malay => format!("{day}{NO_BREAK}{month} {year}"),
        }
    }

    const fn months(self) -> &'static str {
        match self {
            Self::English => MONTHS_EN,
            Self::Russian => MONTHS_RU,
            Self::Ukrainian => MONTHS_UK,
            Self::Kazakh => MONTHS_KK,
            Self::Malay => MONTHS_MS,
        }
    }

    /// A figure with the marks of the language, at most one decimal.
    pub fn number(self, value: f64) -> String {
        let tenths = (rounded(value).abs() * 10.0).round();
        // Beyond this a figure is no figure for people; Rust's own form is exact.
        if !tenths.is_finite() || tenths >= 1e18 {
            return value.to_string();
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked to be in 0..1e18"
        )]
        let tenths = tenths as u64;
        let sign = if value < 0.0 && tenths > 0 { "-" } else { "" };
        let decimal = match tenths % 10 {
            0 => String::new(),
            digit => format!("{}{digit}", self.decimal_mark()),
        };
        format!("{sign}{}{decimal}", self.grouped(tenths / 10))
    }

    pub(super) fn identifier(self) -> LanguageIdentifier {
        // A two-letter code always parses; the empty identifier has the plural rules of no language.
        self.as_str().parse().unwrap_or_default()
    }

    pub(super) const fn formatter<M: MemoizerKind>(self) -> Formatter<M> {
        match self {
            Self::English => |value, _| figure(Self::English, value),
            Self::Russian => |value, _| figure(Self::Russian, value),
            Self::Ukrainian => |value, _| figure(Self::Ukrainian, value),
            Self::Kazakh => |value, _| figure(Self::Kazakh, value),
            Self::Malay => |value, _| figure(Self::Malay, value),
        }
    }

    /// Whether money and figures are written as in English: symbol first, point and comma.
    const fn symbol_first(self) -> bool {
        matches!(self, Self::English | Self::Malay)
    }

    const fn decimal_mark(self) -> char {
        if self.symbol_first() { '.' } else { ',' }
    }

    fn grouped(self, units: u64) -> String {
        let mark = if self.symbol_first() { ',' } else { NO_BREAK };
        let digits = units.to_string();
        let mut grouped = String::with_capacity(digits.len() * 2);
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(3) {
                grouped.push(mark);
            }
            grouped.push(digit);
        }
        grouped
    }
}

/// A figure as precise as people read it: whole from 100 on, else one decimal.
pub(super) fn rounded(value: f64) -> f64 {
    if value.abs() >= 100.0 {
        value.round()
    } else {
        (value * 10.0).round() / 10.0
    }
}

fn figure(language: Language, value: &FluentValue<'_>) -> Option<String> {
    match value {
        FluentValue::Number(number) => Some(language.number(number.value)),
        _ => None,
    }
}

fn symbol(code: &str) -> Option<&'static str> {
    Some(match code {
        "USD" => "$",
        "EUR" => "€",
        "GBP" => "£",
        "KZT" => "₸",
        "RUB" => "₽",
        "UAH" => "₴",
        "MYR" => "RM",
        "JPY" => "¥",
        _ => return None,
    })
}
