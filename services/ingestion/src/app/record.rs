//! Records a batch of facts: gather → begin → insert → decide → write → tell → commit. One transaction a batch, a few
//! statements a table.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use upswell_runtime::{
    db::Tx,
    outbox,
    problem::Problem,
    requests::{self, Replay},
};

use super::{App, told::Effects};
use crate::{
    NAME,
    api::{
        convert::{decode, decode_answer, encode_answer},
        events,
    },
    domain::{
        correction::Correction,
        difference::{FieldFault, differences},
        fact::{Fact, FactKey},
        intake::{Candidate, ContentHash, Outcome, Standing, Verdict, firsts, verdicts},
    },
    error::Refusal,
    store::{
        account::accounts_lock,
        conflict::{NewConflict, conflicts_insert},
        correction::corrections_insert,
        fact::{StoredFact, facts_fetch, facts_insert, runs_insert},
    },
};

const METHOD: &str = "upswell.ingestion.v1.IngestionService/RecordFacts";

/// A batch, read from the wire: each fact with its encoding, or its faults.
pub(crate) struct Command {
    /// The caller's id and the fingerprint of the batch; None when it gave none.
    pub(crate) request: Option<(String, [u8; 32])>,
    /// The facts in their order.
    pub(crate) facts: Vec<Result<Candidate, Vec<FieldFault>>>,
}

impl App {
    /// The outcome of every fact, in their order; durable when this returns.
    #[tracing::instrument(name = "ingestion.record_facts", skip_all, fields(facts.count = command.facts.len()))]
    pub(crate) async fn record(&self, command: Command) -> Result<Vec<Outcome>, Problem> {
        let max = self.limits.batch_facts;
        match command.facts.len() {
            0 => return Err(Refusal::BatchEmpty { max }.into()),
            found if found > max => return Err(Refusal::BatchTooLarge { found, max }.into()),
            _ => {}
        }
        let tx = self.db.begin().await?;
        if let Some((id, fingerprint)) = &command.request
            && let Replay::Stored(answer) = requests::begin_request(&tx, METHOD, id, *fingerprint).await?
        {
            return decode_answer(&answer);
        }
        let now = self.clock.now();
        let outcomes = self.record_all(&tx, command.facts, now).await?;
        if let Some((id, fingerprint)) = &command.request {
            let answer = encode_answer(&outcomes);
            requests::finish_request(&tx, METHOD, id, *fingerprint, &answer, now).await?;
        }
        tx.commit().await?;
        Ok(outcomes)
    }

    async fn record_all(
        &self,
        tx: &Tx,
        facts: Vec<Result<Candidate, Vec<FieldFault>>>,
        now: Timestamp,
    ) -> Result<Vec<Outcome>, Problem> {
        let mut outcomes = Vec::with_capacity(facts.len());
        let mut candidates = Vec::with_capacity(facts.len());
        for fact in facts {
            outcomes.push(match fact {
                Err(faults) => Outcome::Rejected(faults),
                Ok(candidate) => {
                    candidates.push(candidate);
                    Outcome::Recorded
                }
            });
        }
        let firsts = firsts(&candidates);
        let numbers = facts_insert(tx, &firsts, now).await?;
        let stored = stored_of(tx, &firsts, &numbers).await?;
        let hashes: BTreeMap<FactKey, ContentHash> =
            stored.iter().map(|(key, fact)| (key.clone(), fact.hash)).collect();
        let verdicts = verdicts(&candidates, &hashes);
        for (place, outcome) in conflicts_note(tx, &candidates, &verdicts, &stored, &numbers, now).await? {
            outcomes[candidates[place].index] = outcome;
        }
        for (candidate, verdict) in candidates.iter().zip(&verdicts) {
            if *verdict == Verdict::Duplicate {
                outcomes[candidate.index] = Outcome::Duplicate;
            }
        }
        let new: Vec<(i64, &Fact)> = firsts
            .iter()
            .filter_map(|first| Some((*numbers.get(&first.fact.key())?, &first.fact)))
            .collect();
        if !new.is_empty() {
            self.take_effect(tx, &new, now).await?;
        }
        Ok(outcomes)
    }

    /// What the new facts do: runs, corrections, documents, rollups, events.
    async fn take_effect(&self, tx: &Tx, new: &[(i64, &Fact)], now: Timestamp) -> Result<(), Problem> {
        let mut runs: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
        for (id, fact) in new {
            let (first, last) = runs.entry(&fact.account_id).or_insert((*id, *id));
            (*first, *last) = ((*first).min(*id), (*last).max(*id));
        }
        let accounts: Vec<&str> = runs.keys().copied().collect();
        accounts_lock(tx, &accounts, now).await?;
        runs_insert(tx, &runs, now).await?;
        let corrections: Vec<Correction> = new.iter().filter_map(|(_, fact)| Correction::of(fact)).collect();
        corrections_insert(tx, &corrections).await?;

        let effects = Effects::gather(tx, new, &corrections).await?;
        effects.write(tx, now).await?;
        let told = effects.changes(tx, now).await?;
        let events = told
            .iter()
            .flat_map(|(account, changes)| changes.iter().map(move |change| events::event(account, change, now)));
        outbox::append(tx, NAME, &self.topics, events.collect()).await
    }
}

/// What stands for the keys that were not inserted, because they were on record.
async fn stored_of(
    tx: &Tx,
    firsts: &[&Candidate],
    numbers: &BTreeMap<FactKey, i64>,
) -> Result<BTreeMap<FactKey, StoredFact>, Problem> {
    let known = firsts
        .iter()
        .map(|first| first.fact.key())
        .filter(|key| !numbers.contains_key(key));
    let known: BTreeSet<FactKey> = known.collect();
    let stored = facts_fetch(tx, &known.into_iter().collect::<Vec<_>>()).await?;
    Ok(stored.into_iter().map(|fact| (fact.key.clone(), fact)).collect())
}

/// Notes every refused content and says what differs, by the candidate's place.
async fn conflicts_note(
    tx: &Tx,
    candidates: &[Candidate],
    verdicts: &[Verdict],
    stored: &BTreeMap<FactKey, StoredFact>,
    numbers: &BTreeMap<FactKey, i64>,
    now: Timestamp,
) -> Result<Vec<(usize, Outcome)>, Problem> {
    let mut found = Vec::new();
    for (place, (candidate, verdict)) in candidates.iter().zip(verdicts).enumerate() {
        let Verdict::Conflict(standing) = verdict else { continue };
        let key = candidate.fact.key();
        let (id, stands) = match standing {
            Standing::Batch(first) => (numbers.get(&key).copied(), Some(candidates[*first].fact.clone())),
            Standing::Stored => {
                let stored = stored.get(&key);
                (
                    stored.map(|fact| fact.id),
                    stored.map(|fact| decode(&fact.payload)).transpose()?,
                )
            }
        };
        let (Some(id), Some(stands)) = (id, stands) else {
            return Err(Problem::internal(format!(
                "what stands for {} is not on record",
                key.path()
            )));
        };
        found.push((place, id, stands));
    }
    let refused: Vec<NewConflict<'_>> = (found.iter())
        .map(|(place, id, stands)| NewConflict {
            fact_id: *id,
            account_id: &stands.account_id,
            hash: candidates[*place].hash,
            refused: &candidates[*place].payload,
        })
        .collect();
    conflicts_insert(tx, &refused, now).await?;
    let outcome = |(place, _, stands): &(usize, i64, Fact)| {
        (*place, Outcome::Conflict(differences(stands, &candidates[*place].fact)))
    };
    Ok(found.iter().map(outcome).collect())
}
