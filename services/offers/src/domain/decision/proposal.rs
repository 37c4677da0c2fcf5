//! What a playbook would propose to an account: product and terms, owner, person, channel and words. Everything that
//! stands in the way is kept as a reason, so that a decision can say it.

use std::collections::BTreeMap;

use jiff::{Timestamp, ToSpan as _};
use upswell_runtime::money::Money;

use super::{AccountPicture, Contact, SignalView, Timing, slot::Slot};
use crate::domain::{
    catalogue::{Catalogue, Price, Product},
    message::Language,
    offer::{Message, Terms},
    playbook::{Playbook, Proposal, Standing, Units},
    policy::Policy,
    variants::Arm,
    vocabulary::{Channel, ContactRole, Motion, Owner, SubscriptionKind},
};

/// A playbook and the open signals of one subject that start it, the most pressing first; never without a signal.
pub(super) struct Idea<'a> {
    pub(super) playbook: &'a Playbook,
    pub(super) subject: &'a str,
    pub(super) signals: Vec<&'a SignalView>,
}

/// What would be sent, as far as it could be put together. `Err` says what is missing, for a person.
pub(super) struct Assembly<'a> {
    pub(super) sale: Result<Option<Sale<'a>>, String>,
    pub(super) owner: Owner,
    pub(super) addressee: Result<Addressee<'a>, String>,
    pub(super) words: Result<Message, String>,
    pub(super) terms: Option<Terms>,
}

/// What is sold.
pub(super) struct Sale<'a> {
    key: &'a str,
    pub(super) product: Product<'a>,
    pub(super) quantity: i64,
    pub(super) price: Price,
    /// Monthly revenue gained.
    pub(super) monthly: Money,
}

/// Who gets it and how.
pub(super) struct Addressee<'a> {
    /// None for a task about the account.
    pub(super) contact: Option<&'a Contact>,
    pub(super) channel: Channel,
    pub(super) address: Option<&'a str>,
}

/// Place of the role, no budget, no champion, place of the channel, id: the least is addressed.
type Preference<'a> = (usize, bool, bool, usize, &'a str);

/// Everything that the playbooks make of the account's open signals, by playbook and subject.
pub(super) fn ideas<'a>(picture: &'a AccountPicture, policy: &'a Policy, timing: Timing) -> Vec<Idea<'a>> {
    let mut ideas = Vec::new();
    for playbook in policy.playbooks.values() {
        // What is urgent also competes in the slot of the day, for it may have had to wait.
        if timing == Timing::Immediate && playbook.timing == Timing::Daily {
            continue;
        }
        let mut subjects: BTreeMap<&str, Vec<&SignalView>> = BTreeMap::new();
        for signal in picture
            .signals
            .iter()
            .filter(|signal| playbook.wants(signal.kind, &signal.subject))
        {
            subjects.entry(&signal.subject).or_default().push(signal);
        }
        for (subject, mut signals) in subjects {
            signals.sort_by(|a, b| {
                let strength = b.strength.total_cmp(&a.strength);
                b.grade
                    .cmp(&a.grade)
                    .then(strength)
                    .then(a.kind.cmp(&b.kind))
                    .then(a.id.cmp(&b.id))
            });
            ideas.push(Idea {
                playbook,
                subject,
                signals,
            });
        }
    }
    ideas
}

impl<'a> Idea<'a> {
    /// Puts together what would be sent in `slot`.
    pub(super) fn assemble(&self, picture: &'a AccountPicture, policy: &'a Policy, slot: Slot) -> Assembly<'a> {
        let catalogue = &policy.catalogue;
        let sale = self.sale(picture, catalogue);
        let monthly = sale
            .as_ref()
            .ok()
            .and_then(|sale| sale.as_ref().map(|sale| sale.monthly));
        let by_size = || catalogue.owners.owner(monthly, &picture.profile.segment);
        let owner = self.playbook.owner.unwrap_or_else(by_size);
        let addressee = self.addressee(picture, owner);
        let contact = addressee.as_ref().ok().and_then(|addressee| addressee.contact);
        let own = contact.and_then(|contact| contact.language.as_deref());
        let language = catalogue.language_for(own.into_iter().chain([picture.profile.language.as_str()]));
        let sold = sale.as_ref().ok().and_then(Option::as_ref);
        let terms = sold.and_then(|sale| sale.terms(self.playbook, catalogue, picture, slot.at, language));
        let facts = self.facts(picture, catalogue, language, contact, sold, terms.as_ref());
        let arm = self.arm(picture).map(|arm| arm.key.as_str());
        let words = self.words(owner, contact.map(|contact| contact.role), arm, language, &facts);
        Assembly {
            sale,
            owner,
            addressee,
            words,
            terms,
        }
    }

    /// The account's arm of the playbook's test (T-7).
    pub(super) fn arm(&self, picture: &AccountPicture) -> Option<&'a Arm> {
        self.playbook.test.as_ref()?.arm(&picture.account_id)
    }

    fn sale(&self, picture: &AccountPicture, catalogue: &'a Catalogue) -> Result<Option<Sale<'a>>, String> {
        let (key, product, units) = match &self.playbook.proposal {
            Proposal::Nothing => return Ok(None),
            Proposal::NextPlan => return next_plan(picture, catalogue).map(Some),
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
        if !stackable
            && picture
                .subscriptions
                .iter()
                .any(|subscription| subscription.product == key)
        {
            return Err(format!("the account has {key} already"));
        }
        let price = price(product, key, picture)?;
        let quantity = self.quantity(units)?;
        let monthly = price.monthly(quantity).map_err(|fault| fault.to_string())?;
        Ok(Some(Sale {
            key,
            product,
            quantity,
            price,
            monthly,
        }))
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

    /// A figure of the signals; of two with one name that of the more pressing signal.
    pub(super) fn figure(&self, name: &str) -> Option<f64> {
        let all = self.signals.iter().flat_map(|signal| &signal.evidence);
        all.filter(|evidence| evidence.value.is_finite())
            .find(|evidence| evidence.name == name)
            .map(|found| found.value)
    }

    /// The first contact by role, standing and id whom the playbook may address on one of its channels (T-3).
    fn addressee(&self, picture: &'a AccountPicture, owner: Owner) -> Result<Addressee<'a>, String> {
        let playbook = self.playbook;
        let channels = playbook.channels.get(&owner).filter(|channels| !channels.is_empty());
        let channels = channels.ok_or_else(|| format!("the playbook has no channel for {owner}"))?;
        let mut best: Option<(Preference<'_>, Addressee<'a>)> = None;
        for contact in picture.contacts.iter().filter(|contact| may_hear(playbook, contact)) {
            let Some(role) = playbook.audience.roles.iter().position(|role| *role == contact.role) else {
                continue;
            };
            let reach = channels.iter().enumerate().find_map(|(place, channel)| {
                let point = contact
                    .points
                    .iter()
                    .find(|point| point.channel == *channel && point.consent);
                let address = point.map(|point| point.address.as_str());
                (channel.is_task() || address.is_some()).then_some((place, *channel, address))
            });
            let Some((place, channel, address)) = reach else {
                continue;
            };
            let order = (
                role,
                !contact.budget_holder,
                !contact.champion,
                place,
                contact.id.as_str(),
            );
            if best.as_ref().is_none_or(|(found, _)| order < *found) {
                best = Some((
                    order,
                    Addressee {
                        contact: Some(contact),
                        channel,
                        address,
                    },
                ));
            }
        }
        if let Some((_, addressee)) = best {
            return Ok(addressee);
        }
        // A person of ours finds out whom to talk to, unless the playbook insists on somebody.
        let task = channels.iter().copied().find(|channel| channel.is_task());
        match task.filter(|_| playbook.audience.any_of.is_empty()) {
            Some(channel) => Ok(Addressee {
                contact: None,
                channel,
                address: None,
            }),
            None => Err(format!(
                "nobody among {} may be written to",
                list(&playbook.audience.roles, channels)
            )),
        }
    }
}

/// Whether a playbook may speak to a person at all (T-3): an upsell goes to those who use and buy, a cross-sell to
/// those with a budget, a platform to executives.
fn may_hear(playbook: &Playbook, contact: &Contact) -> bool {
    let stands = |standing: &Standing| match standing {
        Standing::BudgetHolder => contact.budget_holder,
        Standing::RenewalDecisionMaker => contact.renewal_decision_maker,
        Standing::Champion => contact.champion,
    };
    let by_motion = match playbook.motion {
        Motion::Tier => contact.role != ContactRole::Executive || contact.champion,
        Motion::Adjacent | Motion::Complementary => contact.budget_holder,
        Motion::Platform => contact.role == ContactRole::Executive,
        _ => true,
    };
    let any_of = &playbook.audience.any_of;
    by_motion && (any_of.is_empty() || any_of.iter().any(stands))
}

fn next_plan<'a>(picture: &AccountPicture, catalogue: &'a Catalogue) -> Result<Sale<'a>, String> {
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
    let price = price(product, key, picture)?;
    let full = price.monthly(current.quantity).map_err(|fault| fault.to_string())?;
    let monthly = full.checked_sub(current.mrr).map_err(|fault| fault.to_string())?;
    if monthly.minor <= 0 {
        return Err(format!(
            "{key} would bring nothing more than what {} pays now",
            current.product
        ));
    }
    Ok(Sale {
        key,
        product,
        quantity: current.quantity,
        price,
        monthly,
    })
}

fn price(product: Product<'_>, key: &str, picture: &AccountPicture) -> Result<Price, String> {
    let currency = picture
        .mrr
        .map(|mrr| mrr.currency)
        .ok_or("the account pays nothing, so its currency is unknown")?;
    product
        .prices()
        .get(&currency)
        .copied()
        .ok_or_else(|| format!("{key} has no price in {currency}"))
}

impl Sale<'_> {
    fn terms(
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
        Some(Terms {
            product: self.key.to_owned(),
            quantity: self.quantity,
            unit_price: self.price.amount,
            period: self.price.period,
            monthly: self.monthly,
            discount_basis_points: 0,
            start_on: today,
            valid_until: midnight.checked_sub(1.microsecond()).ok()?,
            summary: self.summary(catalogue, language),
        })
    }

    /// What changes, and that nothing is lost (M-5).
    fn summary(&self, catalogue: &Catalogue, language: Language) -> String {
        let mut summary = self.product.names().get(language).to_owned();
        if self.quantity > 1 {
            summary = format!("{summary} × {}", self.quantity);
        }
        if let Product::AddOn(add_on) = self.product {
            for (metric, units) in &add_on.adds {
                #[expect(clippy::cast_precision_loss, reason = "shown to people only")]
                let added = language.number(units.saturating_mul(self.quantity) as f64);
                summary = format!("{summary}; +{added}: {}", catalogue.subject_name(metric, language));
            }
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

fn list(roles: &[ContactRole], channels: &[Channel]) -> String {
    let roles: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
    let channels: Vec<&str> = channels.iter().map(|channel| channel.as_str()).collect();
    format!("{} by {}", roles.join(", "), channels.join(", "))
}
