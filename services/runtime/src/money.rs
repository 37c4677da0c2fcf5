//! Money: integer minor units with a currency, exact arithmetic, no floating point anywhere.

mod currency;
mod proto;
#[cfg(test)]
mod tests;

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

pub use self::{
    currency::Currency,
    proto::{from_proto, to_proto},
};

/// Why an amount was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyFault {
    /// Not an active ISO 4217 code.
    #[error("unknown currency \"{0}\"")]
    UnknownCurrency(String),
    /// Amounts of two currencies meet only through an exchange rate.
    #[error("cannot combine {0} with {1}")]
    CurrencyMismatch(Currency, Currency),
    /// The amount does not fit 64-bit minor units.
    #[error("amount is out of range")]
    Overflow,
    /// Units and nanos have different signs.
    #[error("units and nanos must have the same sign")]
    SignMismatch,
    /// Nanos outside ±999999999.
    #[error("nanos must be between -999999999 and 999999999")]
    NanosOutOfRange,
    /// Finer than the minor unit of the currency.
    #[error("amount is finer than the {exponent} decimals of {currency}")]
    TooPrecise { currency: Currency, exponent: u32 },
    /// Not one of the periods of §9.
    #[error("unknown period \"{0}\"")]
    UnknownPeriod(String),
    /// A rate with denominator zero.
    #[error("cannot divide by zero")]
    DivisionByZero,
}

/// An amount in minor units of its currency, e.g. `{12_800_000, KZT}` is 128000.00 KZT.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Money {
    /// Minor units: cents, tiyn; whole yen.
    pub minor: i64,
    /// ISO 4217 currency.
    pub currency: Currency,
}

impl Money {
    /// `minor` units of `currency`.
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Nothing, in `currency`.
    pub const fn zero(currency: Currency) -> Self {
        Self { minor: 0, currency }
    }

    /// True for an amount of nothing.
    pub const fn is_zero(self) -> bool {
        self.minor == 0
    }

    /// True below zero.
    pub const fn is_negative(self) -> bool {
        self.minor < 0
    }

    /// Sum; the currencies must be equal.
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyFault> {
        self.same_currency(other)?;
        self.with_minor(i128::from(self.minor) + i128::from(other.minor))
    }

    /// Difference; the currencies must be equal.
    pub fn checked_sub(self, other: Self) -> Result<Self, MoneyFault> {
        self.same_currency(other)?;
        self.with_minor(i128::from(self.minor) - i128::from(other.minor))
    }

    /// `factor` times the amount.
    pub fn checked_mul(self, factor: i64) -> Result<Self, MoneyFault> {
        self.with_minor(i128::from(self.minor) * i128::from(factor))
    }

    /// The amount × `numerator` / `denominator`, exact, then rounded half away from zero.
    pub fn ratio(self, numerator: i64, denominator: i64) -> Result<Self, MoneyFault> {
        let product = i128::from(self.minor) * i128::from(numerator);
        self.with_minor(divide_half_away(product, denominator.into())?)
    }

    /// The sum of amounts which all have `currency`.
    pub fn sum(currency: Currency, amounts: impl IntoIterator<Item = Self>) -> Result<Self, MoneyFault> {
        (amounts.into_iter()).try_fold(Self::zero(currency), Self::checked_add)
    }

    /// What a price per `period` is worth a month (§9): year /12, quarter /3, week ×365.25/12/7,
    /// day ×30.4375; exact, then rounded half away from zero.
    pub fn monthly(self, period: Period) -> Result<Self, MoneyFault> {
        let (numerator, denominator) = period.monthly_ratio();
        self.ratio(numerator, denominator)
    }

    fn same_currency(self, other: Self) -> Result<(), MoneyFault> {
        if self.currency == other.currency {
            Ok(())
        } else {
            Err(MoneyFault::CurrencyMismatch(self.currency, other.currency))
        }
    }

    fn with_minor(self, minor: i128) -> Result<Self, MoneyFault> {
        let minor = i64::try_from(minor).map_err(|_| MoneyFault::Overflow)?;
        Ok(Self { minor, ..self })
    }
}

/// Decimal amount and code, e.g. `-0.05 USD`, `128000.00 KZT`, `5000 JPY`.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scale = 10_u64.pow(self.currency.exponent());
        let sign = if self.minor < 0 { "-" } else { "" };
        let (units, rest) = (self.minor.unsigned_abs() / scale, self.minor.unsigned_abs() % scale);
        let decimals = match self.currency.exponent() {
            0 => String::new(),
            digits => format!(".{rest:0width$}", width = digits as usize),
        };
        f.pad(&format!("{sign}{units}{decimals} {}", self.currency))
    }
}

/// The billing periods which have a monthly value (§9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// Seven days.
    Week,
    /// One day.
    Day,
    /// One calendar month.
    Month,
    /// Three months.
    Quarter,
    /// Twelve months.
    Year,
}

impl Period {
    /// What a price per period is multiplied with and divided by to be one a month (§9).
    pub const fn monthly_ratio(self) -> (i64, i64) {
        match self {
            Self::Month => (1, 1),
            Self::Quarter => (1, 3),
            Self::Year => (1, 12),
            Self::Week => (487, 112),
            Self::Day => (487, 16),
        }
    }

    /// The lower-case name, as stored and as read by [`FromStr`].
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Week => "week",
            Self::Day => "day",
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::Year => "year",
        }
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// An unknown period is refused, never guessed (§9).
impl FromStr for Period {
    type Err = MoneyFault;

    fn from_str(text: &str) -> Result<Self, MoneyFault> {
        [Self::Day, Self::Week, Self::Month, Self::Quarter, Self::Year]
            .into_iter()
            .find(|period| period.as_str() == text)
            .ok_or_else(|| MoneyFault::UnknownPeriod(text.to_owned()))
    }
}

/// `numerator / denominator`, rounded half away from zero, which is what an accountant expects.
fn divide_half_away(numerator: i128, denominator: i128) -> Result<i128, MoneyFault> {
    if denominator == 0 {
        return Err(MoneyFault::DivisionByZero);
    }
    let (quotient, remainder) = (numerator / denominator, numerator % denominator);
    if remainder.abs() * 2 < denominator.abs() {
        return Ok(quotient);
    }
    Ok(quotient + numerator.signum() * denominator.signum())
}
