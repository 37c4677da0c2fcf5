//! What there is to sell: plans, add-ons, prices, limits, and what things are called (M-4).

use std::collections::BTreeMap;

use jiff::civil::Date;
use upswell_runtime::money::{Currency, Money, MoneyFault, Period};

use super::{
    discount::{Authority, Step},
    message::Language,
    owner::{EnterpriseRule, OwnerLimits},
    vocabulary::Motion,
};

#[cfg(test)]
mod tests;

/// The catalogue in force. References between its parts are checked when it is loaded.
#[derive(Debug)]
pub struct Catalogue {
    /// Languages that every message has; the first is the fallback.
    pub languages: Vec<Language>,
    /// Base plans by key.
    pub plans: BTreeMap<String, Plan>,
    /// What is sold beside a plan, by key.
    pub add_ons: BTreeMap<String, AddOn>,
    /// Who drives an offer of which size (M-3).
    pub owners: OwnerLimits,
    /// Which accounts are enterprise (I-1).
    pub enterprise: EnterpriseRule,
    /// Who may take what off a price (M-5).
    pub authority: Authority,
    /// What an annual commitment takes off, in hundredths of a percent (M-4).
    pub annual_discount: i32,
    /// What metrics, topics and features are called.
    pub subjects: BTreeMap<String, Names>,
}

/// A name in every language of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names(BTreeMap<Language, String>);

/// A base plan.
#[derive(Debug)]
pub struct Plan {
    /// What it is called.
    pub names: Names,
    /// Prices of one unit by currency.
    pub prices: BTreeMap<Currency, Price>,
    /// What it grants, by metric.
    pub limits: BTreeMap<String, Limit>,
    /// What it can do.
    pub features: Vec<String>,
    /// Its support level.
    pub support: String,
    /// The plan above it; none at the top (upgrade path).
    pub upgrade_to: Option<String>,
    /// Volume discounts, ascending.
    pub volume: Vec<Step>,
}

/// Something sold beside a plan.
#[derive(Debug)]
pub struct AddOn {
    /// What it is called.
    pub names: Names,
    /// The motion that sells it.
    pub motion: Motion,
    /// Prices of one unit by currency.
    pub prices: BTreeMap<Currency, Price>,
    /// What one unit adds, by metric.
    pub adds: BTreeMap<String, i64>,
    /// Features next to which it stands (adjacency): their signals lead to it.
    pub adjacent_to: Vec<String>,
    /// An account may hold more than one.
    pub stackable: bool,
    /// Volume discounts, ascending.
    pub volume: Vec<Step>,
    /// The add-ons that it brings together (bundle); empty for a single one.
    pub includes: Vec<String>,
}

/// A list price of one unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price {
    /// For one period.
    pub amount: Money,
    /// The period.
    pub period: Period,
    /// "From": the lowest possible price; a person has to make a quote (M-4).
    pub from: bool,
    /// Customers of before this day keep this amount (grandfathered price).
    pub grandfathered: Option<(Date, Money)>,
}

/// A limit of a plan. Zero, a number and unlimited are different things (C-11).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// As much as one likes.
    Unlimited,
    /// So many; zero means none is included.
    Of(i64),
}

/// A plan or an add-on.
#[derive(Debug, Clone, Copy)]
pub enum Product<'a> {
    /// A base plan.
    Plan(&'a Plan),
    /// Something beside it.
    AddOn(&'a AddOn),
}

impl Price {
    /// The price for a customer since `since`: who came early enough keeps the old one.
    #[must_use]
    pub fn of(mut self, since: Option<Date>) -> Self {
        if let (Some((before, amount)), Some(since)) = (self.grandfathered, since)
            && since < before
        {
            self.amount = amount;
        }
        self
    }

    /// The same for a year. Errors: overflow; a week or a day makes no whole year.
    pub fn yearly(self) -> Result<Self, String> {
        let times = match self.period {
            Period::Year => 1,
            Period::Quarter => 4,
            Period::Month => 12,
            Period::Week | Period::Day => return Err(format!("a price a {} has no annual commitment", self.period)),
        };
        let amount = self.amount.checked_mul(times).map_err(|fault| fault.to_string())?;
        Ok(Self {
            amount,
            period: Period::Year,
            ..self
        })
    }

    /// What `quantity` units are worth a month (§9). Errors: overflow.
    pub fn monthly(&self, quantity: i64) -> Result<Money, MoneyFault> {
        self.amount.checked_mul(quantity)?.monthly(self.period)
    }
}

impl Names {
    /// Names by language; at least one.
    pub const fn new(names: BTreeMap<Language, String>) -> Self {
        Self(names)
    }

    /// The name in `language`, else in any other.
    pub fn get(&self, language: Language) -> &str {
        let name = self.0.get(&language).or_else(|| self.0.values().next());
        name.map_or("", String::as_str)
    }
}

impl<'a> Product<'a> {
    /// What it is called.
    pub const fn names(self) -> &'a Names {
        match self {
            Self::Plan(plan) => &plan.names,
            Self::AddOn(add_on) => &add_on.names,
        }
    }

    /// Its volume discounts, ascending.
    pub const fn volume(self) -> &'a [Step] {
        match self {
            Self::Plan(plan) => plan.volume.as_slice(),
            Self::AddOn(add_on) => add_on.volume.as_slice(),
        }
    }

    /// Its prices by currency.
    pub const fn prices(self) -> &'a BTreeMap<Currency, Price> {
        match self {
            Self::Plan(plan) => &plan.prices,
            Self::AddOn(add_on) => &add_on.prices,
        }
    }
}

impl Catalogue {
    /// A plan or add-on; a key names only one of them.
    pub fn product(&self, key: &str) -> Option<Product<'_>> {
        let add_on = || self.add_ons.get(key).map(Product::AddOn);
        self.plans.get(key).map(Product::Plan).or_else(add_on)
    }

    /// Whether holding `held` means that `key` is there already: it is the same, a bundle with it, or a part of the bundle.
    pub fn covers(&self, held: &str, key: &str) -> bool {
        let brings = |bundle: &str, part: &str| {
            self.add_ons
                .get(bundle)
                .is_some_and(|add_on| add_on.includes.iter().any(|one| one == part))
        };
        held == key || brings(held, key) || brings(key, held)
    }

    /// The add-on that `motion` sells for a metric or feature: the first by key which adds the metric or stands next
    /// to the feature.
    pub fn add_on_for(&self, motion: Motion, subject: &str) -> Option<(&str, &AddOn)> {
        let fits = |add_on: &AddOn| {
            add_on.motion == motion
                && (add_on.adds.contains_key(subject) || add_on.adjacent_to.iter().any(|feature| feature == subject))
        };
        self.add_ons
            .iter()
            .find(|(_, add_on)| fits(add_on))
            .map(|(key, add_on)| (key.as_str(), add_on))
    }

    /// What a metric, topic or feature is called; its key where it has no name.
    pub fn subject_name<'a>(&'a self, subject: &'a str, language: Language) -> &'a str {
        self.subjects.get(subject).map_or(subject, |names| names.get(language))
    }

    /// The language to write to somebody who speaks the first of `wanted` (BCP 47) that the catalogue has.
    pub fn language_for<'a>(&self, wanted: impl IntoIterator<Item = &'a str>) -> Language {
        let known = |tag: &str| Language::from_tag(tag).filter(|language| self.languages.contains(language));
        let fallback = self.languages.first().copied().unwrap_or(Language::English);
        wanted.into_iter().find_map(known).unwrap_or(fallback)
    }
}
