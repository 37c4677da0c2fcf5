//! Numbers, money and dates as a reader of a language expects them (T-4).

use fluent_bundle::{FluentValue, memoizer::MemoizerKind};
use jiff::civil::Date;
use unic_langid::LanguageIdentifier;
use upswell_runtime::money::Money;

/// Keeps digits and their unit on one line.
const NO_BREAK: char = '\u{a0}';

const MONTHS_EN: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const MONTHS_RU: [&str; 12] = [
    "января",
    "февраля",
    "марта",
    "апреля",
    "мая",
    "июня",
    "июля",
    "августа",
    "сентября",
    "октября",
    "ноября",
    "декабря",
];

crate::domain::vocabulary::words! {
    /// A language that messages can be written in.
    Language, "language" {
        /// English.
        English = "en",
        /// Russian.
        Russian = "ru",
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

    /// An amount: `$1,250.00`, `₸128,000` or `128 000 ₸`. Tiyn and kopecks of nothing are left out, cents of dollars
    /// in English are not.
    pub fn money(self, money: Money) -> String {
        let code = money.currency.to_string();
        let symbol = symbol(&code);
        let scale = 10_u64.pow(money.currency.exponent());
        let (units, rest) = (money.minor.unsigned_abs() / scale, money.minor.unsigned_abs() % scale);
        let sign = if money.minor < 0 { "-" } else { "" };
        let digits = money.currency.exponent() as usize;
        let cents_always = self == Self::English && matches!(code.as_str(), "USD" | "EUR" | "GBP");
        let decimals = if digits > 0 && (rest > 0 || cents_always) {
            format!("{}{rest:0digits$}", self.decimal_mark())
        } else {
            String::new()
        };
        let amount = format!("{}{decimals}", self.grouped(units));
        match (self, symbol) {
            (Self::English, Some(symbol)) => format!("{sign}{symbol}{amount}"),
            (Self::English, None) => format!("{sign}{code}{NO_BREAK}{amount}"),
            (Self::Russian, symbol) => format!("{sign}{amount}{NO_BREAK}{}", symbol.unwrap_or(&code)),
        }
    }

    /// A day: `October 12, 2026` or `12 октября 2026 г.`
    pub fn date(self, date: Date) -> String {
        let month = usize::try_from(date.month() - 1).unwrap_or_default();
        match self {
            Self::English => format!("{} {}, {}", MONTHS_EN[month], date.day(), date.year()),
            Self::Russian => {
                format!(
                    "{}{NO_BREAK}{} {}{NO_BREAK}г.",
                    date.day(),
                    MONTHS_RU[month],
                    date.year()
                )
            }
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
            Self::English => english,
            Self::Russian => russian,
        }
    }

    const fn decimal_mark(self) -> char {
        match self {
            Self::English => '.',
            Self::Russian => ',',
        }
    }

    fn grouped(self, units: u64) -> String {
        let mark = match self {
            Self::English => ',',
            Self::Russian => NO_BREAK,
        };
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

fn english<M>(value: &FluentValue<'_>, _: &M) -> Option<String> {
    figure(Language::English, value)
}

fn russian<M>(value: &FluentValue<'_>, _: &M) -> Option<String> {
    figure(Language::Russian, value)
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
