//! What a playbook would propose to an account: product and terms, owner, person, channel and words. Everything that
//! stands in the way is kept as a reason, so that a decision can say it.

use std::collections::BTreeMap;

use super::{AccountPicture, Contact, SignalView, Timing, sale::Sale, slot::Slot};
use crate::domain::{
    offer::{Message, Terms},
    playbook::{Playbook, Standing},
    policy::Policy,
    variants::Arm,
    vocabulary::{Channel, ContactRole, Motion, Owner},
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

fn list(roles: &[ContactRole], channels: &[Channel]) -> String {
    let roles: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
    let channels: Vec<&str> = channels.iter().map(|channel| channel.as_str()).collect();
    format!("{} by {}", roles.join(", "), channels.join(", "))
}
