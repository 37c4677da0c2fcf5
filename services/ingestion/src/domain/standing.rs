//! Which of several facts about one object stands: the latest by the time it happened, whatever the order of arrival.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{
    fact::{Body, Fact},
    words::Kind,
};

/// A recorded fact that is no count: a state, or something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The fact.
    pub fact: Fact,
    /// When it was recorded.
    pub recorded: Timestamp,
}

impl Document {
    /// What decides between two facts about one object. Source and external id only break ties, so that every replica
    /// breaks them alike.
    pub fn rank(&self) -> (Timestamp, &str, &str) {
        (self.fact.occur_time, &self.fact.source, &self.fact.external_id)
    }
}

/// An object whose latest fact is its state: kind and object id, within an account.
pub type Object = (Kind, String);

/// The object of which a fact gives the state; None for what stands by itself, e.g. a payment.
pub fn object_of(body: &Body) -> Option<Object> {
    let kind = body.kind();
    let state = matches!(
        kind,
        Kind::AccountProfile
            | Kind::ContactProfile
            | Kind::Ticket
            | Kind::Invoice
            | Kind::PlanLimit
            | Kind::Trial
            | Kind::Goal
    );
    state.then(|| (kind, body.name().to_owned()))
}

/// The fact that stands for each object.
pub fn standing<'a>(documents: impl IntoIterator<Item = &'a Document>) -> BTreeMap<Object, &'a Document> {
    let mut latest: BTreeMap<Object, &Document> = BTreeMap::new();
    for document in documents {
        let Some(object) = object_of(&document.fact.body) else {
            continue;
        };
        latest
            .entry(object)
            .and_modify(|stands| {
                if document.rank() > stands.rank() {
                    *stands = document;
                }
            })
            .or_insert(document);
    }
    latest
}
