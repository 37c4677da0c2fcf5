//! Who drives an offer, and which accounts are enterprise (M-3, I-1).

use std::collections::{BTreeMap, BTreeSet};

use upswell_runtime::money::{Currency, Money};

use super::vocabulary::Owner;

#[cfg(test)]
mod tests;

/// Limits on the monthly value of an offer by who may drive it.
#[derive(Debug, Default)]
pub struct OwnerLimits {
    /// By the currency of the offer.
    pub by_currency: BTreeMap<Currency, OwnerBand>,
    /// The least that a segment gets, whatever the size: `strategic` accounts always get sales.
    pub least_by_segment: BTreeMap<String, Owner>,
}

/// The limits of one currency. `None` is unlimited; zero means that nothing priced is small enough (C-11).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnerBand {
    /// Up to and including this, the product sells by itself.
    pub product_led_max: Option<Money>,
    /// Up to and including this, the CSM; above it, sales.
    pub csm_led_max: Option<Money>,
}

/// What makes an account enterprise besides its own mark. Anything of it suffices.
#[derive(Debug, Default)]
pub struct EnterpriseRule {
    /// It has one of these plans.
    pub plans: BTreeSet<String>,
    /// Its monthly revenue is at least this, by currency.
    pub mrr_from: BTreeMap<Currency, Money>,
}

impl OwnerLimits {
    /// Who drives an offer worth `monthly`. In a currency without limits a person looks at it: the CSM.
    pub fn owner(&self, monthly: Option<Money>, segment: &str) -> Owner {
        let by_size = match monthly {
            None => Owner::ProductLed,
            Some(monthly) => self
                .by_currency
                .get(&monthly.currency)
                .map_or(Owner::CsmLed, |band| band.owner(monthly)),
        };
        let least = self.least_by_segment.get(segment).copied().unwrap_or(Owner::ProductLed);
        by_size.max(least)
    }
}

impl OwnerBand {
    fn owner(&self, monthly: Money) -> Owner {
        let within = |limit: Option<Money>| limit.is_none_or(|limit| monthly.minor <= limit.minor);
        if within(self.product_led_max) {
            Owner::ProductLed
        } else if within(self.csm_led_max) {
            Owner::CsmLed
        } else {
            Owner::SalesLed
        }
    }
}

impl EnterpriseRule {
    /// Whether an account is enterprise: by its mark, by a plan or by its monthly revenue.
    pub fn applies<'a>(&self, marked: bool, products: impl IntoIterator<Item = &'a str>, mrr: Option<Money>) -> bool {
        let rich = |mrr: Money| {
            self.mrr_from
                .get(&mrr.currency)
                .is_some_and(|from| mrr.minor >= from.minor)
        };
        marked || products.into_iter().any(|product| self.plans.contains(product)) || mrr.is_some_and(rich)
    }
}
