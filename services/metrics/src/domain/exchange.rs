//! Dated exchange rates, and sums of several currencies told in one.
//!
//! A rate holds from the start of its day until the next one. A window is told at the rates of its own ends: what it
//! opens with at the rate of its first day, what moves at the rate of the day on which it moves, what it closes with at
//! the rate of the day after it. What is left is FX, a movement of its own (K-1): the worth of contracts that did not
//! change. A rate that is not known is named, never guessed.

use std::collections::BTreeMap;

use jiff::civil::Date;
use upswell_runtime::money::{Currency, Money, MoneyFault};

/// Rates are kept as whole multiples of 10⁻¹².
const RATE_DIGITS: u32 = 12;
/// Decimals of the finest minor unit.
const MINOR_DIGITS: u32 = 4;

/// How much of one currency one unit of another is worth, in multiples of 10⁻¹²; above zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rate(i64);

/// Why there is no rate or no amount.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RateFault {
    /// Not a positive decimal number with at most twelve decimals.
    #[error("must be a decimal number above 0 with at most 12 decimals, below 9000000; is \"{0}\"")]
    Unreadable(String),
    /// No rate is known for the day or an earlier one.
    #[error("no exchange rate of {currency} to {quote} is known for {day}")]
    Missing {
        /// What would be converted.
        currency: Currency,
        /// Into what.
        quote: Currency,
        /// When.
        day: Date,
    },
    /// An amount beyond what is computed with.
    #[error(transparent)]
    Money(#[from] MoneyFault),
}

impl Rate {
    /// One for one.
    pub const ONE: Self = Self(1_000_000_000_000);

    /// The rate of stored multiples of 10⁻¹², unless it is not above zero.
    pub fn from_pico(pico: i64) -> Option<Self> {
        (pico > 0).then_some(Self(pico))
    }

    /// Multiples of 10⁻¹².
    pub const fn pico(self) -> i64 {
        self.0
    }

    /// Reads `450` or `0.0022`, exactly.
    pub fn parse(text: &str) -> Result<Self, RateFault> {
        let unreadable = || RateFault::Unreadable(text.chars().take(40).collect());
        let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
        let digits = |part: &str| part.chars().all(|c| c.is_ascii_digit());
        let fits = !whole.is_empty() && digits(whole) && digits(decimals) && decimals.len() <= RATE_DIGITS as usize;
        if !fits || (text.contains('.') && decimals.is_empty()) {
            return Err(unreadable());
        }
        let padded = format!("{whole}{decimals:0<width$}", width = RATE_DIGITS as usize);
        padded.parse().ok().and_then(Self::from_pico).ok_or_else(unreadable)
    }
}

/// `450.25`, without zeros that say nothing.
impl std::fmt::Display for Rate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = format!("{}.{:012}", self.0 / Self::ONE.0, self.0 % Self::ONE.0);
        f.pad(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

/// Rates into one currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rates {
    quote: Currency,
    known: BTreeMap<Currency, BTreeMap<Date, Rate>>,
}

impl Rates {
    /// Rates into `quote`, of which none is known yet but its own.
    pub fn new(quote: Currency) -> Self {
        Self {
            quote,
            known: BTreeMap::new(),
        }
    }

    /// Adds what one unit of `currency` is worth from `day` on.
    pub fn insert(&mut self, currency: Currency, day: Date, rate: Rate) {
        self.known.entry(currency).or_default().insert(day, rate);
    }

    /// The currency in which everything is told.
    pub fn quote(&self) -> Currency {
        self.quote
    }

    /// The rate in force on `day`. Errors: [`RateFault::Missing`].
    pub fn on(&self, currency: Currency, day: Date) -> Result<Rate, RateFault> {
        if currency == self.quote {
            return Ok(Rate::ONE);
        }
        let known = self.known.get(&currency);
        let found = known.and_then(|days| days.range(..=day).next_back());
        found.map(|(_, rate)| *rate).ok_or(RateFault::Missing {
            currency,
            quote: self.quote,
            day,
        })
    }

    /// The days after `from`, up to `to`, on which a new rate of `currency` begins to hold.
    pub fn turns(&self, currency: Currency, from: Date, to: Date) -> impl Iterator<Item = Date> {
        let known = self
            .known
            .get(&currency)
            .filter(|_| currency != self.quote && from <= to);
        known
            .into_iter()
            .flat_map(move |days| days.range(from..=to).map(|(day, _)| *day))
            .filter(move |day| *day > from)
    }

    /// What `amount` is worth on `day`, exactly.
    pub fn worth(&self, amount: Money, day: Date) -> Result<Worth, RateFault> {
        let rate = self.on(amount.currency, day)?;
        Ok(Worth::of(amount, rate, self.quote)?)
    }
}

/// An exact amount of the currency that everything is told in: a multiple of 10⁻¹⁶ of its minor unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Worth(i128);

impl Worth {
    fn of(amount: Money, rate: Rate, quote: Currency) -> Result<Self, MoneyFault> {
        let finer = MINOR_DIGITS.saturating_sub(amount.currency.exponent());
        let scale = 10_i128.pow(finer + quote.exponent());
        let product = i128::from(amount.minor).checked_mul(i128::from(rate.0));
        product
            .and_then(|product| product.checked_mul(scale))
            .map(Self)
            .ok_or(MoneyFault::Overflow)
    }

    /// The sum.
    pub fn plus(self, other: Self) -> Result<Self, MoneyFault> {
        self.0.checked_add(other.0).map(Self).ok_or(MoneyFault::Overflow)
    }

    /// The difference.
    pub fn minus(self, other: Self) -> Result<Self, MoneyFault> {
        self.0.checked_sub(other.0).map(Self).ok_or(MoneyFault::Overflow)
    }

    /// Rounded half away from zero to minor units.
    pub fn minor(self) -> Result<i64, MoneyFault> {
        let whole = 10_i128.pow(RATE_DIGITS + MINOR_DIGITS);
        let half = whole / 2 * self.0.signum();
        let rounded = self.0.checked_add(half).ok_or(MoneyFault::Overflow)? / whole;
        i64::try_from(rounded).map_err(|_| MoneyFault::Overflow)
    }
}
