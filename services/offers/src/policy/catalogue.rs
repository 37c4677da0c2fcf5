//! `catalogue.yaml`: plans, add-ons, owners, enterprise, names and the numbers of decisions.

use std::collections::BTreeMap;

use upswell_runtime::money::{Currency, Money};

use super::{
    deal, decisions,
    fault::{Faults, did_you_mean},
    fields::{At, Fields},
    node::Node,
};
use crate::domain::{
    catalogue::{AddOn, Catalogue, Limit, Names, Plan, Price},
    discount::Authority,
    message::Language,
    owner::{EnterpriseRule, OwnerBand, OwnerLimits},
    policy::DecisionRules,
    vocabulary::{Motion, Owner},
};

/// The largest limit of a metric.
const MAX_UNITS: i64 = 1_000_000_000_000_000;

/// What the catalogue file holds.
pub(super) struct Shelf {
    pub(super) catalogue: Catalogue,
    pub(super) rules: DecisionRules,
}

impl Default for Shelf {
    fn default() -> Self {
        let catalogue = Catalogue {
            languages: vec![Language::English],
            plans: BTreeMap::new(),
            add_ons: BTreeMap::new(),
            owners: OwnerLimits::default(),
            enterprise: EnterpriseRule::default(),
            authority: Authority::default(),
            annual_discount: 0,
            subjects: BTreeMap::new(),
        };
        Self {
            catalogue,
            rules: DecisionRules::default(),
        }
    }
}

/// Reads the catalogue; what is wrong goes to the faults, what is right beside it is kept.
pub(super) fn build(node: &Node, faults: &mut Faults) -> Shelf {
    let mut shelf = Shelf::default();
    let Some(fields) = At::root(node).fields(faults) else {
        return shelf;
    };
    if let Some(at) = fields.required(
        "languages",
        faults,
        "e.g. `languages: [en, ru]`; the first is the fallback",
    ) {
        let languages: Vec<Language> = at.words(faults);
        if languages.is_empty() {
            at.fault(faults, "names no language", "e.g. `languages: [en, ru]`");
        } else {
            shelf.catalogue.languages = languages;
        }
    }
    let languages = shelf.catalogue.languages.clone();
    let catalogue = &mut shelf.catalogue;
    if let Some(at) = fields.required("plans", faults, "the base plans by key") {
        catalogue.plans = table(&at, faults, |at, faults| plan(at, &languages, faults));
    }
    if let Some(at) = fields.optional("add_ons") {
        catalogue.add_ons = table(&at, faults, |at, faults| add_on(at, &languages, faults));
    }
    if let Some(at) = fields.required("owners", faults, "who drives an offer of which size") {
        catalogue.owners = owners(&at, faults);
    }
    if let Some(at) = fields.optional("discounts") {
        (catalogue.authority, catalogue.annual_discount) = deal::discounts(&at, faults);
    }
    let enterprise = fields.optional("enterprise");
    if let Some(at) = &enterprise {
        catalogue.enterprise = enterprise_rule(at, faults);
    }
    if let Some(at) = fields.optional("names") {
        catalogue.subjects = table(&at, faults, |at, faults| names(at, &languages, faults));
    }
    if let Some(at) = fields.optional("decisions") {
        decisions::read(&at, &mut shelf.rules, faults);
    }
    references(&fields, &shelf.catalogue, faults);
    fields.close(faults);
    shelf
}

/// A table with free keys, which must be identifiers.
fn table<T>(
    at: &At<'_>,
    faults: &mut Faults,
    mut read: impl FnMut(&At<'_>, &mut Faults) -> Option<T>,
) -> BTreeMap<String, T> {
    let mut all = BTreeMap::new();
    for (key, line, value) in at.entries(faults).unwrap_or_default() {
        if upswell_runtime::text::key(key).is_ok_and(|normal| normal == key) {
            all.extend(read(&value, faults).map(|read| (key.to_owned(), read)));
        } else {
            faults.add(
                Some(line),
                &value.place,
                "is not an identifier",
                "a-z, 0-9 and ._:/@-, e.g. `seat-pack`",
            );
        }
    }
    all
}

fn plan(at: &At<'_>, languages: &[Language], faults: &mut Faults) -> Option<Plan> {
    let fields = at.fields(faults)?;
    let name = fields
        .required("name", faults, "what people call it")
        .and_then(|at| names(&at, languages, faults));
    let prices = prices(&fields, faults);
    let limit = |at: &At<'_>, faults: &mut Faults| {
        if at.is("unlimited") {
            Some(Limit::Unlimited)
        } else {
            at.integer(0, MAX_UNITS, faults).map(Limit::Of)
        }
    };
    let limits = fields
        .optional("limits")
        .map(|at| table(&at, faults, limit))
        .unwrap_or_default();
    let features = fields
        .optional("features")
        .map(|at| at.keys(faults).into_iter().collect())
        .unwrap_or_default();
    let support = fields
        .optional("support")
        .and_then(|at| at.key(faults))
        .unwrap_or_default();
    let upgrade_to = fields.optional("upgrade_to").and_then(|at| at.key(faults));
    let volume = deal::volume(&fields, faults);
    fields.close(faults);
    Some(Plan {
        names: name?,
        prices,
        limits,
        features,
        support,
        upgrade_to,
        volume,
    })
}

fn add_on(at: &At<'_>, languages: &[Language], faults: &mut Faults) -> Option<AddOn> {
    let fields = at.fields(faults)?;
    let name = fields
        .required("name", faults, "what people call it")
        .and_then(|at| names(&at, languages, faults));
    let motion = fields.required("motion", faults, "which kind of offer sells it, e.g. `capacity`");
    let motion = motion.and_then(|at| at.word::<Motion>(faults));
    let prices = prices(&fields, faults);
    let units = |at: &At<'_>, faults: &mut Faults| at.integer(1, MAX_UNITS, faults);
    let adds = fields
        .optional("adds")
        .map(|at| table(&at, faults, units))
        .unwrap_or_default();
    let adjacent = fields
        .optional("adjacent_to")
        .map(|at| at.keys(faults).into_iter().collect());
    let stackable = fields
        .optional("stackable")
        .and_then(|at| at.boolean(faults))
        .unwrap_or(false);
    let volume = deal::volume(&fields, faults);
    let includes = fields
        .optional("includes")
        .map(|at| at.keys(faults).into_iter().collect());
    fields.close(faults);
    Some(AddOn {
        names: name?,
        motion: motion?,
        prices,
        adds,
        adjacent_to: adjacent.unwrap_or_default(),
        stackable,
        volume,
        includes: includes.unwrap_or_default(),
    })
}

fn prices(fields: &Fields<'_>, faults: &mut Faults) -> BTreeMap<Currency, Price> {
    let mut prices = BTreeMap::new();
    let hint = "e.g. `prices: [{currency: USD, amount: 29, period: month}]`";
    let Some(list) = fields.required("prices", faults, hint) else {
        return prices;
    };
    for at in list.items(faults) {
        let Some(fields) = at.fields(faults) else { continue };
        let currency = fields.currency(faults);
        let period = fields.period(faults);
        let amount = fields.required("amount", faults, "the price of one unit for one period");
        let amount = currency
            .zip(amount)
            .and_then(|(currency, at)| at.amount(currency, faults));
        let from = fields
            .optional("from")
            .and_then(|at| at.boolean(faults))
            .unwrap_or(false);
        let grandfathered = deal::grandfathered(&fields, currency, faults);
        fields.close(faults);
        let (Some(period), Some(amount)) = (period, amount) else {
            continue;
        };
        let price = Price {
            amount,
            period,
            from,
            grandfathered,
        };
        if prices.insert(amount.currency, price).is_some() {
            at.fault(
                faults,
                &format!("a second price in {}", amount.currency),
                "one price for each currency",
            );
        }
    }
    prices
}

/// One text for all languages, or one for each.
fn names(at: &At<'_>, languages: &[Language], faults: &mut Faults) -> Option<Names> {
    if !matches!(at.node.value, super::node::Value::Map(_)) {
        let name = at.line_of_text(200, faults)?;
        return Some(Names::new(
            languages.iter().map(|language| (*language, name.clone())).collect(),
        ));
    }
    let mut names = BTreeMap::new();
    for (tag, line, value) in at.entries(faults)? {
        match tag.parse::<Language>() {
            Ok(language) => names.extend(value.line_of_text(200, faults).map(|name| (language, name))),
            Err(fault) => faults.add(Some(line), &value.place, &fault.to_string(), ""),
        }
    }
    for language in languages.iter().filter(|language| !names.contains_key(language)) {
        at.fault(
            faults,
            &format!("has no name in `{language}`"),
            "every language of the catalogue needs one",
        );
    }
    (!names.is_empty()).then(|| Names::new(names))
}

fn owners(at: &At<'_>, faults: &mut Faults) -> OwnerLimits {
    let mut owners = OwnerLimits::default();
    let Some(fields) = at.fields(faults) else { return owners };
    let hint = "e.g. `limits: [{currency: USD, product_led_max: 500, csm_led_max: 5000}]`";
    let list = fields
        .required("limits", faults, hint)
        .map(|at| at.items(faults))
        .unwrap_or_default();
    for at in list {
        let Some(fields) = at.fields(faults) else { continue };
        let Some(currency) = fields.currency(faults) else {
            continue;
        };
        let product_led_max = largest(&fields, "product_led_max", currency, faults);
        let csm_led_max = largest(&fields, "csm_led_max", currency, faults);
        fields.close(faults);
        let (Some(product_led_max), Some(csm_led_max)) = (product_led_max, csm_led_max) else {
            continue;
        };
        let above = |low: Option<Money>, high: Option<Money>| match (low, high) {
            (Some(low), Some(high)) => low.minor > high.minor,
            (None, Some(_)) => true,
            (_, None) => false,
        };
        if above(product_led_max, csm_led_max) {
            at.fault(
                faults,
                "product_led_max is above csm_led_max",
                "larger offers need more of a person, not less",
            );
        }
        if owners
            .by_currency
            .insert(
                currency,
                OwnerBand {
                    product_led_max,
                    csm_led_max,
                },
            )
            .is_some()
        {
            at.fault(
                faults,
                &format!("limits in {currency} stand twice"),
                "one entry for each currency",
            );
        }
    }
    let least = |at: &At<'_>, faults: &mut Faults| at.word::<Owner>(faults);
    if let Some(at) = fields.optional("segments") {
        owners.least_by_segment = table(&at, faults, least);
    }
    fields.close(faults);
    owners
}

/// `Some(None)` is unlimited.
fn largest(fields: &Fields<'_>, key: &'static str, currency: Currency, faults: &mut Faults) -> Option<Option<Money>> {
    let at = fields.required(key, faults, "an amount a month, or `unlimited`")?;
    if at.is("unlimited") {
        Some(None)
    } else {
        at.amount(currency, faults).map(Some)
    }
}

fn enterprise_rule(at: &At<'_>, faults: &mut Faults) -> EnterpriseRule {
    let mut rule = EnterpriseRule::default();
    let Some(fields) = at.fields(faults) else { return rule };
    rule.plans = fields.optional("plans").map(|at| at.keys(faults)).unwrap_or_default();
    for at in fields
        .optional("mrr_from")
        .map(|at| at.items(faults))
        .unwrap_or_default()
    {
        let Some(fields) = at.fields(faults) else { continue };
        let currency = fields.currency(faults);
        let amount = fields.required("amount", faults, "monthly revenue from which an account is enterprise");
        let amount = currency
            .zip(amount)
            .and_then(|(currency, at)| at.amount(currency, faults));
        fields.close(faults);
        rule.mrr_from.extend(amount.map(|amount| (amount.currency, amount)));
    }
    fields.close(faults);
    rule
}

/// What one part of the catalogue says of another.
fn references(fields: &Fields<'_>, catalogue: &Catalogue, faults: &mut Faults) {
    let plans = || catalogue.plans.keys().map(String::as_str);
    upgrade_paths(fields, catalogue, faults);
    bundles(fields, catalogue, faults);
    for (key, plan) in &catalogue.plans {
        let Some(next) = plan.upgrade_to.as_deref() else {
            continue;
        };
        if next == key || !catalogue.plans.contains_key(next) {
            let place = format!("{key}.upgrade_to");
            let hint = did_you_mean(next, plans().filter(|plan| plan != key));
            let at = format!("unknown plan `{next}` in {place}");
            fields.fault(faults, "plans", &at, &hint);
        }
    }
    for key in catalogue
        .add_ons
        .keys()
        .filter(|key| catalogue.plans.contains_key(*key))
    {
        fields.fault(
            faults,
            "add_ons",
            &format!("`{key}` is a plan already"),
            "a key names one product",
        );
    }
    for plan in catalogue
        .enterprise
        .plans
        .iter()
        .filter(|plan| !catalogue.plans.contains_key(*plan))
    {
        fields.fault(
            faults,
            "enterprise",
            &format!("unknown plan `{plan}`"),
            &did_you_mean(plan, plans()),
        );
    }
}

/// A path of upgrades must end.
fn upgrade_paths(fields: &Fields<'_>, catalogue: &Catalogue, faults: &mut Faults) {
    for key in catalogue.plans.keys() {
        let mut above = catalogue.plans.get(key).and_then(|plan| plan.upgrade_to.as_deref());
        // So many steps without an end are a circle; each of its plans is told.
        for _ in 0..catalogue.plans.len() {
            above = above.and_then(|key| catalogue.plans.get(key)?.upgrade_to.as_deref());
        }
        if above.is_some() {
            let problem = format!("the upgrades of `{key}` never end");
            fields.fault(faults, "plans", &problem, "leave upgrade_to out at the top");
        }
    }
}

/// A bundle brings add-ons together.
fn bundles(fields: &Fields<'_>, catalogue: &Catalogue, faults: &mut Faults) {
    for (key, bundle) in &catalogue.add_ons {
        for part in &bundle.includes {
            let known = catalogue
                .add_ons
                .keys()
                .map(String::as_str)
                .filter(|known| known != key);
            match catalogue.add_ons.get(part).filter(|_| part != key) {
                Some(one) if one.includes.is_empty() => {}
                Some(_) => {
                    let problem = format!("`{key}` includes the bundle `{part}`");
                    fields.fault(faults, "add_ons", &problem, "name its parts");
                }
                None => {
                    let problem = format!("`{key}` includes the unknown add-on `{part}`");
                    fields.fault(faults, "add_ons", &problem, &did_you_mean(part, known));
                }
            }
        }
    }
}
