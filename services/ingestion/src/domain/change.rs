//! What a batch of facts changed, told once: only a state that is really another one is news.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, civil::Date};
use upswell_runtime::money::Money;

use super::{
    fact::{
        AccountProfile, Body, ContactProfile, ExternalTouch, Fact, FactKey, Payment, Reply, SubscriptionTerms, Ticket,
    },
    merge::{Roots, united},
    price::mrr,
    rules::FIRST_DAY,
    standing::{Document, standing},
};

/// Something that other services are told of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The profile is another one.
    Profile(AccountProfile),
    /// A contact is new or another one.
    Contact(ContactProfile),
    /// A version of terms came, or was corrected.
    Subscription {
        /// The version.
        version: FactKey,
        /// Its terms.
        terms: SubscriptionTerms,
        /// Their monthly amount on their first day.
        mrr: Money,
        /// Their monthly amount on the day they renew.
        renewal_mrr: Option<Money>,
        /// When it happened.
        occur_time: Timestamp,
        /// It no longer counts.
        superseded: bool,
    },
    /// A ticket is new or another one.
    Ticket(Ticket),
    /// A payment came, or was corrected.
    Payment(Happening, Payment),
    /// A touch by another tool came, or was corrected.
    Touch(Happening, ExternalTouch),
    /// An answer came, or was corrected.
    Reply(Happening, Reply),
    /// An answer to a survey, a complaint or a goal came, or was corrected.
    Voice {
        /// The fact.
        fact: Box<Fact>,
        /// It was corrected and no longer counts.
        superseded: bool,
    },
    /// There is something new to look at; always the last of its account.
    Account {
        /// Earliest day that the new facts touch.
        earliest_day: Date,
        /// Number of new facts.
        fact_count: usize,
    },
}

/// A fact about something that happened once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happening {
    /// The fact.
    pub key: FactKey,
    /// When it happened.
    pub at: Timestamp,
    /// It was corrected and no longer counts: what was done about it is to be taken back (I-5).
    pub superseded: bool,
    /// The fact that it corrects.
    pub supersedes: Option<FactKey>,
}

/// What a batch did to the record.
#[derive(Clone, Debug, Default)]
pub struct Batch<'a> {
    /// The facts that are new, counting or not.
    pub new: Vec<&'a Fact>,
    /// Those of them that count.
    pub counting: Vec<&'a Fact>,
    /// Facts recorded before which counted until now.
    pub revoked: Vec<&'a Fact>,
}

/// The changes by account, in the order in which they are told. `documents` are the facts about every object that the
/// batch touches which count now, or counted until now.
/// Everything is told under the root of its account, but touches: the ledger keeps each with the account that it was made
/// to, and counts the accounts of a merge together (I-3).
pub fn changes(batch: &Batch<'_>, documents: &[Document], roots: &Roots) -> BTreeMap<String, Vec<Change>> {
    let mut told: BTreeMap<String, Vec<Change>> = BTreeMap::new();
    states(batch, documents, roots, &mut told);
    for fact in &batch.revoked {
        told.entry(told_under(roots, fact))
            .or_default()
            .extend(happened(fact, true));
    }
    let mut counting = batch.counting.clone();
    counting.sort_by_key(|fact| (fact.occur_time, fact.key()));
    for fact in counting {
        told.entry(told_under(roots, fact))
            .or_default()
            .extend(happened(fact, false));
    }
    for (account_id, (earliest_day, fact_count)) in touched(batch, roots) {
        told.entry(account_id).or_default().push(Change::Account {
            earliest_day,
            fact_count,
        });
    }
    told
}

fn root(roots: &Roots, fact: &Fact) -> String {
    roots.root(&fact.account_id).to_owned()
}

/// The account under which something that happened is told.
fn told_under(roots: &Roots, fact: &Fact) -> String {
    match fact.body {
        Body::ExternalTouch(_) => fact.account_id.clone(),
        _ => root(roots, fact),
    }
}

/// The states and versions of an account, as they are told when it changes hands.
pub fn retold<'a>(documents: impl IntoIterator<Item = &'a Document> + Clone) -> Vec<Change> {
    let mut told: Vec<Change> = standing(documents.clone())
        .into_values()
        .filter_map(|document| state(&document.fact.body))
        .collect();
    let mut facts: Vec<&Fact> = documents.into_iter().map(|document| &document.fact).collect();
    facts.sort_by_key(|fact| (fact.occur_time, fact.key()));
    told.extend(facts.into_iter().filter_map(|fact| version(fact, false)));
    told.push(Change::Account {
        earliest_day: FIRST_DAY,
        fact_count: 0,
    });
    told
}

/// States that differ before and after the batch.
fn states(batch: &Batch<'_>, documents: &[Document], roots: &Roots, told: &mut BTreeMap<String, Vec<Change>>) {
    let new: BTreeSet<FactKey> = batch.counting.iter().map(|fact| fact.key()).collect();
    let revoked: BTreeSet<FactKey> = batch.revoked.iter().map(|fact| fact.key()).collect();
    let mut accounts: BTreeMap<&str, Vec<&Document>> = BTreeMap::new();
    for document in documents {
        let root = roots.root(&document.fact.account_id);
        accounts.entry(root).or_default().push(document);
    }
    for (account_id, documents) in accounts {
        let of = |left_out: &BTreeSet<FactKey>| {
            let kept = documents.iter().copied();
            let kept = kept.filter(|document| !left_out.contains(&document.fact.key()));
            standing(united(account_id, kept))
        };
        let (before, after) = (of(&new), of(&revoked));
        let changes = told.entry(account_id.to_owned()).or_default();
        for (object, document) in &after {
            if before.get(object).is_none_or(|was| was.fact.body != document.fact.body) {
                changes.extend(state(&document.fact.body));
            }
        }
        let withdrawn = before.iter().filter(|(object, _)| !after.contains_key(*object));
        changes.extend(withdrawn.filter_map(|(_, document)| gone(&document.fact.body)));
    }
}

fn state(body: &Body) -> Option<Change> {
    match body {
        Body::AccountProfile(profile) => Some(Change::Profile(profile.clone())),
        Body::ContactProfile(contact) => Some(Change::Contact(contact.clone())),
        Body::Ticket(ticket) => Some(Change::Ticket(ticket.clone())),
        _ => None,
    }
}

/// How an object is told whose every fact was corrected away: a profile that says nothing, a person without addresses, a
/// ticket that is not open.
fn gone(body: &Body) -> Option<Change> {
    match body {
        Body::AccountProfile(_) => Some(Change::Profile(AccountProfile::unknown())),
        Body::ContactProfile(contact) => Some(Change::Contact(ContactProfile {
            points: Vec::new(),
            ..contact.clone()
        })),
        Body::Ticket(ticket) => {
            let resolve_time = Some(ticket.resolve_time.unwrap_or(ticket.open_time));
            Some(Change::Ticket(Ticket {
                resolve_time,
                ..ticket.clone()
            }))
        }
        _ => None,
    }
}

fn happened(fact: &Fact, superseded: bool) -> Option<Change> {
    let happening = Happening {
        key: fact.key(),
        at: fact.occur_time,
        superseded,
        supersedes: fact.corrects(),
    };
    match &fact.body {
        Body::Subscription(_) => version(fact, superseded),
        Body::Payment(payment) => Some(Change::Payment(happening, payment.clone())),
        Body::ExternalTouch(touch) => Some(Change::Touch(happening, touch.clone())),
        Body::Reply(reply) => Some(Change::Reply(happening, reply.clone())),
        Body::Survey(_) | Body::Complaint(_) | Body::Goal(_) => Some(Change::Voice {
            fact: Box::new(fact.clone()),
            superseded,
        }),
        _ => None,
    }
}

fn version(fact: &Fact, superseded: bool) -> Option<Change> {
    let Body::Subscription(terms) = &fact.body else {
        return None;
    };
    // Terms whose amount overflows are refused when they arrive.
    let first = mrr(terms, terms.effective_date).ok()?;
    let renewal = terms.renewal_date.map(|day| mrr(terms, day.max(terms.effective_date)));
    let (version, occur_time) = (fact.key(), fact.occur_time);
    Some(Change::Subscription {
        version,
        terms: terms.clone(),
        mrr: first,
        renewal_mrr: renewal.transpose().ok()?,
        occur_time,
        superseded,
    })
}

fn touched(batch: &Batch<'_>, roots: &Roots) -> BTreeMap<String, (Date, usize)> {
    let mut accounts: BTreeMap<String, (Date, usize)> = BTreeMap::new();
    let new = batch.new.iter().map(|fact| (fact, 1));
    for (fact, number) in new.chain(batch.revoked.iter().map(|fact| (fact, 0))) {
        let (earliest, count) = accounts.entry(root(roots, fact)).or_insert((fact.first_day(), 0));
        *earliest = fact.first_day().min(*earliest);
        *count += number;
    }
    accounts
}
