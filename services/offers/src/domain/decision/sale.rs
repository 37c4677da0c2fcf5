//! What a playbook would sell to an account, at which price, and the terms of it (M-4, M-5).

use jiff::{Timestamp, ToSpan as _};
use upswell_runtime::money::Money;

use super::{AccountPicture, proposal::Idea};
use crate::domain::{
    catalogue::{Catalogue, Limit, Plan, Price, Product},
    discount::{Deal, WHOLE, percent, volume},
    message::Language,
    offer::Terms,
    playbook::{Playbook, Proposal, Units},
    vocabulary::SubscriptionKind,
};

/// What is sold.
pub(super) struct Sale<'a> {
    key: &'a str,
    pub(super) product: Product<'a>,
    pub(super) quantity: i64,
    /// Of the list, for this customer.
    pub(super) price: Price,
    /// For one period, after every discount.
    unit: Money,
    /// All that is taken off, in hundredths of a percent.
    discount: i32,
    /// The part of it that somebody has to grant.
    pub(super) granted: i32,
    /// Monthly revenue gained; of a trial what follows if it is kept.
    pub(super) monthly: Money,
}

/// What is wanted, before it has a price.
struct Wanted<'a> {
    key: &'a str,
    product: Product<'a>,
    quantity: i64,
    /// What it replaces.
    replaces: Option<Money>,
}

impl<'a> Idea<'a> {
    pub(super) fn sale(&self, picture: &AccountPicture, catalogue: &'a Catalogue) -> Result<Option<Sale<'a>>, String> {
        let (key, product, units) = match &self.playbook.proposal {
            Proposal::Nothing => return Ok(None),
            Proposal::NextPlan => {
                let wanted = next_plan(picture, catalogue)?;
                return wanted.quoted(&self.playbook.deal, picture, catalogue).map(Some);
            }
            Proposal::Product { product, units } => {
                let found = catalogue
                    .product(product)
                    .ok_or_else(|| format!("{product} is not in the catalogue"))?;
                (product.as_str(), found, units)
            }
            Proposal::BySubject { units } => {
                let found = catalogue.add_on_for(self.playbook.motion, self.subject);
                let (key, add_on) =
                    found.ok_or_else(|| format!("no {} add-on for {}", self.playbook.motion, self.subject))?;
                (key, Product::AddOn(add_on), units)
            }
        };
        let stackable = matches!(product, Product::AddOn(add_on) if add_on.stackable);
        let mut held = picture.subscriptions.iter().map(|held| held.product.as_str());
        if !stackable && let Some(held) = held.find(|held| catalogue.covers(held, key)) {
            return Err(format!("the account has {held} already"));
        }
        let wanted = Wanted {
            key,
            product,
            quantity: self.quantity(units)?,
            replaces: None,
        };
        wanted.quoted(&self.playbook.deal, picture, catalogue).map(Some)
    }

    fn quantity(&self, units: &Units) -> Result<i64, String> {
        match units {
            Units::Fixed(quantity) => Ok(*quantity),
            Units::Cover { fact, per } => {
                let figure = self.figure(fact).ok_or_else(|| format!("the signal has no {fact}"))?;
                #[expect(clippy::cast_precision_loss, reason = "what one unit covers is far below 2^53")]
                let units = (figure / *per as f64).ceil().max(1.0);
                #[expect(clippy::cast_possible_truncation, reason = "a cast from a float saturates")]
                Ok(units as i64)
            }
        }
    }
}

/// The plan above the account's (upgrade path).
fn next_plan<'a>(picture: &AccountPicture, catalogue: &'a Catalogue) -> Result<Wanted<'a>, String> {
    let plans = picture
        .subscriptions
        .iter()
        .filter(|subscription| subscription.kind == SubscriptionKind::Plan);
    let current = plans
        .min_by(|a, b| a.product.cmp(&b.product))
        .ok_or("the account has no plan")?;
    let plan = catalogue.plans.get(&current.product);
    let plan = plan.ok_or_else(|| format!("the plan {} is not in the catalogue", current.product))?;
    let key = plan
        .upgrade_to
        .as_deref()
        .ok_or_else(|| format!("there is no plan above {}", current.product))?;
    let product = catalogue
        .product(key)
        .ok_or_else(|| format!("{key} is not in the catalogue"))?;
    Ok(Wanted {
        key,
        product,
        quantity: current.quantity,
        replaces: Some(current.mrr),
    })
}

impl<'a> Wanted<'a> {
    fn quoted(self, deal: &Deal, picture: &AccountPicture, catalogue: &Catalogue) -> Result<Sale<'a>, String> {
        let Self {
            key,
            product,
            quantity,
            replaces,
        } = self;
        let mut price = price(product, key, picture)?;
        let mut discount = volume(product.volume(), quantity) + deal.discount;
        if deal.annual {
            price = price.yearly()?;
            discount += catalogue.annual_discount;
        }
        if discount >= WHOLE {
            return Err(format!("{} off {key} leaves no price", percent(discount)));
        }
        let left = i64::from(WHOLE - discount);
        let unit = price.amount.ratio(left, i64::from(WHOLE));
        let unit = unit.map_err(|fault| fault.to_string())?;
        let full = Price { amount: unit, ..price }.monthly(quantity);
        let mut monthly = full.map_err(|fault| fault.to_string())?;
        if let Some(now) = replaces {
            monthly = monthly.checked_sub(now).map_err(|fault| fault.to_string())?;
            if monthly.minor <= 0 {
                return Err(format!("{key} would bring nothing more than what is paid now"));
            }
        }
        Ok(Sale {
            key,
            product,
            quantity,
            price,
            unit,
            discount,
            granted: deal.discount,
            monthly,
        })
    }
}

/// The price of the list in the account's currency; who came early enough keeps the old one.
fn price(product: Product<'_>, key: &str, picture: &AccountPicture) -> Result<Price, String> {
    let currency = picture
        .mrr
        .map(|mrr| mrr.currency)
        .ok_or("the account pays nothing, so its currency is unknown")?;
    let listed = product.prices().get(&currency).copied();
    let listed = listed.ok_or_else(|| format!("{key} has no price in {currency}"))?;
    Ok(listed.of(picture.profile.customer_since))
}

impl Sale<'_> {
    pub(super) fn terms(
        &self,
        playbook: &Playbook,
        catalogue: &Catalogue,
        picture: &AccountPicture,
        at: Timestamp,
        language: Language,
    ) -> Option<Terms> {
        let zone = &picture.profile.time_zone;
        let today = zone.to_datetime(at).date();
        // The terms stand to the end of their last day, which is the day that the message names.
        let day_after = today.checked_add((playbook.validity_days + 1).days()).ok()?;
        let midnight = zone.to_zoned(day_after.at(0, 0, 0, 0)).ok()?.timestamp();
        let granted = self.granted > 0;
        let trial = playbook.deal.trial_days > 0;
        let charged = |amount: Money| if trial { Money::new(0, amount.currency) } else { amount };
        Some(Terms {
            product: self.key.to_owned(),
            quantity: self.quantity,
            unit_price: charged(self.unit),
            period: self.price.period,
            monthly: charged(self.monthly),
            discount_basis_points: self.discount,
            start_on: today,
            valid_until: midnight.checked_sub(1.microsecond()).ok()?,
            summary: self.summary(playbook, catalogue, language),
            granted_basis_points: self.granted,
            grantor: granted.then(|| catalogue.authority.grantor(self.granted)).flatten(),
            trial_days: playbook.deal.trial_days,
        })
    }

    /// What changes, and that nothing is lost (M-5).
    fn summary(&self, playbook: &Playbook, catalogue: &Catalogue, language: Language) -> String {
        let mut summary = self.product.names().get(language).to_owned();
        if self.quantity > 1 {
            summary = format!("{summary} × {}", self.quantity);
        }
        match self.product {
            Product::AddOn(add_on) => {
                for (metric, units) in &add_on.adds {
                    #[expect(clippy::cast_precision_loss, reason = "shown to people only")]
                    let added = language.number(units.saturating_mul(self.quantity) as f64);
                    summary = format!("{summary}; +{added}: {}", catalogue.subject_name(metric, language));
                }
                for part in &add_on.includes {
                    let name = catalogue
                        .add_ons
                        .get(part)
                        .map_or(part.as_str(), |part| part.names.get(language));
                    summary = format!("{summary}; {name}");
                }
            }
            Product::Plan(plan) => summary = with_plan(summary, plan, catalogue, language),
        }
        if self.discount > 0 {
            summary = format!("{summary}; −{}", percent(self.discount));
        }
        if playbook.deal.trial_days > 0 {
            summary = format!("{summary}; {}", trial(playbook.deal.trial_days, language));
        }
        match language {
            Language::English => format!("{summary}. Everything you have now stays."),
            Language::Russian => format!("{summary}. Всё, что у вас есть сейчас, остаётся."),
            Language::Ukrainian => format!("{summary}. Усе, що у вас є зараз, залишається."),
            Language::Kazakh => format!("{summary}. Қазір сізде бардың бәрі сақталады."),
            Language::Malay => format!("{summary}. Semua yang anda ada sekarang kekal."),
        }
    }
}

/// The limits and features that a plan grants.
fn with_plan(mut summary: String, plan: &Plan, catalogue: &Catalogue, language: Language) -> String {
    for (metric, limit) in &plan.limits {
        let name = catalogue.subject_name(metric, language);
        #[expect(clippy::cast_precision_loss, reason = "shown to people only")]
        let most = match limit {
            Limit::Unlimited => "∞".to_owned(),
            Limit::Of(units) => language.number(*units as f64),
        };
        summary = format!("{summary}; {name}: {most}");
    }
    if !plan.support.is_empty() {
        let (name, level) = ("support", plan.support.as_str());
        let named = |subject| catalogue.subject_name(subject, language).to_owned();
        summary = format!("{summary}; {}: {}", named(name), named(level));
    }
    for feature in &plan.features {
        summary = format!("{summary}; {}", catalogue.subject_name(feature, language));
    }
    summary
}

/// How long nothing is paid, and that it ends by itself.
fn trial(days: i64, language: Language) -> String {
    match language {
        Language::English => format!("free for {days} days, then it ends by itself"),
        Language::Russian => format!("бесплатно, дней: {days}, затем закончится само"),
        Language::Ukrainian => format!("безкоштовно, днів: {days}, потім закінчиться саме"),
        Language::Kazakh => format!("{days} күн тегін, содан кейін өзі аяқталады"),
        Language::Malay => format!("percuma {days} hari, kemudian tamat sendiri"),
    }
}
