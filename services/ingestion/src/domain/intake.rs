//! What becomes of each fact of a batch (I-4): recorded, duplicate, conflict or rejected.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    difference::FieldFault,
    fact::{Fact, FactKey},
};

/// SHA-256 of a fact's canonical content.
pub type ContentHash = [u8; 32];

/// A fact of the batch that obeys the contract.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Its place in the batch.
    pub index: usize,
    /// The fact.
    pub fact: Fact,
    /// Its canonical encoding, as stored.
    pub payload: Vec<u8>,
    /// Hash of the encoding.
    pub hash: ContentHash,
}

/// Where the content stands that a candidate is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// On record before the batch.
    Stored,
    /// In the batch, at this place among the candidates.
    Batch(usize),
}

/// What becomes of a candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// New.
    Recorded,
    /// Known with the same content.
    Duplicate,
    /// Known with other content, which stands.
    Conflict(Standing),
}

/// What is answered about a fact of the batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// New and durable.
    Recorded,
    /// Known with the same content.
    Duplicate,
    /// Known with other content; what differs.
    Conflict(Vec<FieldFault>),
    /// Faulty; everything that is wrong.
    Rejected(Vec<FieldFault>),
}

/// The first candidate of each key, by account and key: facts of one account lie together in the store, and writers
/// take keys in one order.
pub fn firsts<'a>(candidates: &[&'a Candidate]) -> Vec<&'a Candidate> {
    let mut seen = BTreeSet::new();
    let mut firsts: Vec<&Candidate> = candidates
        .iter()
        .copied()
        .filter(|candidate| seen.insert(candidate.fact.key()))
        .collect();
    firsts.sort_by(|a, b| place(a).cmp(&place(b)));
    firsts
}

fn place(candidate: &Candidate) -> (&str, &str, &str) {
    let Fact {
        source,
        external_id,
        account_id,
        ..
    } = &candidate.fact;
    (account_id, source, external_id)
}

/// The verdict on every candidate, in their order. `stored` holds the keys that were on record before; the first
/// candidate of any other key is the one that is recorded.
pub fn verdicts(candidates: &[&Candidate], stored: &BTreeMap<FactKey, ContentHash>) -> Vec<Verdict> {
    let mut standing: BTreeMap<FactKey, (Standing, ContentHash)> = stored
        .iter()
        .map(|(key, hash)| (key.clone(), (Standing::Stored, *hash)))
        .collect();
    let mut verdicts = Vec::with_capacity(candidates.len());
    for (place, Candidate { fact, hash, .. }) in candidates.iter().enumerate() {
        verdicts.push(match standing.get(&fact.key()) {
            None => {
                standing.insert(fact.key(), (Standing::Batch(place), *hash));
                Verdict::Recorded
            }
            Some((_, stands)) if stands == hash => Verdict::Duplicate,
            Some((stands, _)) => Verdict::Conflict(*stands),
        });
    }
    verdicts
}
