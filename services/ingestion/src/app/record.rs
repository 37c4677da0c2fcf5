//! Records batches of facts: gather → begin → insert → decide → write → tell → commit. One transaction a group of batches,
//! a few statements a table.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use tokio::sync::oneshot;
use upswell_runtime::{
    clock::Clock,
    db::{Db, Tx},
    outbox::{self, Routes as Topics},
    problem::{Kind, Problem},
    requests::{self, Asked, Replay},
    telemetry::TraceContext,
};

use super::{
    App,
    commit::Answer,
    told::{Effects, corrections_note},
};
use crate::{
    NAME,
    api::{
        convert::{decode, decode_answer, encode_answer},
        events,
    },
    domain::{
        difference::{FieldFault, differences},
        fact::{Fact, FactKey},
        intake::{Candidate, ContentHash, Outcome, Standing, Verdict, firsts, verdicts},
        merge::Roots,
    },
    error::Refusal,
    store::{
        account::accounts_lock,
        conflict::{NewConflict, conflicts_insert},
        fact::{StoredFact, facts_fetch, facts_insert, runs_insert},
        merge::roots_fetch,
    },
};

const METHOD: &str = "upswell.ingestion.v1.IngestionService/RecordFacts";

/// A batch, read from the wire: each fact with its encoding, or its faults.
pub(crate) struct Command {
    /// The caller's id and the fingerprint of the batch; None when it gave none.
    pub(crate) request: Option<(String, [u8; 32])>,
    /// The facts in their order.
    pub(crate) facts: Vec<Result<Candidate, Vec<FieldFault>>>,
    /// The work for which it is recorded.
    pub(crate) span: tracing::Span,
}

impl Command {
    pub(super) fn request_id(&self) -> Option<&str> {
        self.request.as_ref().map(|(id, _)| id.as_str())
    }

    fn asked(&self) -> Option<Asked<'_>> {
        self.request
            .as_ref()
            .map(|(id, fingerprint)| (id.as_str(), *fingerprint))
    }
}

impl App {
    /// The outcome of every fact, in their order; durable when this returns.
    #[tracing::instrument(name = "ingestion.record_facts", skip_all, fields(facts.count = command.facts.len()))]
    pub(crate) async fn record(&self, mut command: Command) -> Answer {
        self.check_size(&command)?;
        command.span = tracing::Span::current();
        self.committer.record(command).await
    }

    /// Enqueues a batch of a stream as soon as there is room for it.
    pub(crate) async fn enqueue(&self, command: Command) -> Result<oneshot::Receiver<Answer>, Problem> {
        self.check_size(&command)?;
        Ok(self.committer.enqueue_patiently(command).await)
    }

    fn check_size(&self, command: &Command) -> Result<(), Problem> {
        let max = self.limits.batch_facts;
        match command.facts.len() {
            0 => Err(Refusal::BatchEmpty { max }.into()),
            found if found > max => Err(Refusal::BatchTooLarge { found, max }.into()),
            _ => Ok(()),
        }
    }
}

/// Writes groups of batches.
#[derive(Clone)]
pub(crate) struct Recorder {
    db: Db,
    clock: Clock,
    topics: Topics,
}

impl Recorder {
    pub(super) fn new(db: Db, clock: Clock, topics: Topics) -> Self {
        Self { db, clock, topics }
    }

    pub(super) fn db(&self) -> &Db {
        &self.db
    }

    pub(super) fn topics(&self) -> &Topics {
        &self.topics
    }

    /// The answer to each batch, as if they had come one after the other; all of them durable when this returns.
    /// Errors: nothing of the group is recorded, or nobody knows.
    pub(super) async fn record(&self, commands: &[Command]) -> Result<Vec<Answer>, Problem> {
        let tx = self.db.begin().await?;
        let now = self.clock.now();
        let mut answers = replayed(&tx, commands).await?;
        let open: Vec<usize> = (0..commands.len()).filter(|place| answers[*place].is_none()).collect();
        let batches: Vec<&Command> = open.iter().map(|place| &commands[*place]).collect();
        let outcomes = self.record_all(&tx, &batches, now).await?;
        let asked = batches.iter().zip(&outcomes);
        let finished = asked.filter_map(|(command, outcomes)| Some((command.asked()?, encode_answer(outcomes))));
        requests::finish_requests(&tx, METHOD, finished.collect(), now).await?;
        for (place, outcomes) in open.into_iter().zip(outcomes) {
            answers[place] = Some(Ok(outcomes));
        }
        tx.commit().await?;
        let lost = || Err(Problem::internal("a batch was not answered"));
        Ok(answers.into_iter().map(|answer| answer.unwrap_or_else(lost)).collect())
    }

    pub(super) async fn record_all(
        &self,
        tx: &Tx,
        batches: &[&Command],
        now: Timestamp,
    ) -> Result<Vec<Vec<Outcome>>, Problem> {
        let (mut outcomes, places) = sorted(batches);
        let candidates: Vec<&Candidate> = places.iter().map(|(_, candidate)| *candidate).collect();
        let firsts = firsts(&candidates);
        let numbers = facts_insert(tx, &firsts, now).await?;
        let stored = stored_of(tx, &firsts, &numbers).await?;
        let hashes: BTreeMap<FactKey, ContentHash> =
            stored.iter().map(|(key, fact)| (key.clone(), fact.hash)).collect();
        let verdicts = verdicts(&candidates, &hashes);
        let conflicts = conflicts_note(tx, &candidates, &verdicts, &stored, &numbers, now).await?;
        for (place, outcome) in conflicts {
            let (batch, candidate) = places[place];
            outcomes[batch][candidate.index] = outcome;
        }
        for ((batch, candidate), verdict) in places.iter().zip(&verdicts) {
            if *verdict == Verdict::Duplicate {
                outcomes[*batch][candidate.index] = Outcome::Duplicate;
            }
        }
        let new: Vec<(i64, &Fact)> = firsts
            .iter()
            .filter_map(|first| Some((*numbers.get(&first.fact.key())?, &first.fact)))
            .collect();
        if !new.is_empty() {
            self.take_effect(tx, &new, &origins(batches, &places), now).await?;
        }
        Ok(outcomes)
    }

    /// What the new facts do: runs, corrections, documents, rollups, events.
    async fn take_effect(
        &self,
        tx: &Tx,
        new: &[(i64, &Fact)],
        origins: &BTreeMap<&str, TraceContext>,
        now: Timestamp,
    ) -> Result<(), Problem> {
        let mut runs: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
        for (id, fact) in new {
            let (first, last) = runs.entry(&fact.account_id).or_insert((*id, *id));
            (*first, *last) = ((*first).min(*id), (*last).max(*id));
        }
        let accounts: Vec<&str> = runs.keys().copied().collect();
        let roots = locked_roots(tx, &accounts, now).await?;
        let origins = told_origins(origins, &roots);
        runs_insert(tx, &runs, now).await?;
        let corrections = corrections_note(tx, new).await?;

        let effects = Effects::gather(tx, new, &corrections, roots).await?;
        effects.write(tx, now).await?;
        let told = effects.changes(tx, now).await?;
        let mut events = Vec::new();
        for (account, changes) in &told {
            for change in changes {
                let mut event = events::event(account, change, now);
                if let Some(origin) = origins.get(account.as_str()) {
                    event.trace = origin.clone();
                }
                events.push(event);
            }
        }
        outbox::append(tx, NAME, &self.topics, events).await
    }
}

/// The stored answers to repeated requests, or what is wrong with an id; None for a batch that is to be recorded. No two
/// commands have one id. Errors: the store's, which are everybody's.
async fn replayed(tx: &Tx, commands: &[Command]) -> Result<Vec<Option<Answer>>, Problem> {
    let asked: Vec<_> = commands.iter().filter_map(Command::asked).collect();
    let mut begun = requests::begin_requests(tx, METHOD, &asked).await?.into_iter();
    let answer = |command: &Command| match command.asked().and_then(|_| begun.next()) {
        None | Some(Ok(Replay::New)) => Ok(None),
        Some(Ok(Replay::Stored(answer))) => Ok(Some(decode_answer(&answer))),
        Some(Err(problem)) if problem.kind() == Kind::InvalidArgument => Ok(Some(Err(problem))),
        Some(Err(problem)) => Err(problem),
    };
    commands.iter().map(answer).collect()
}

/// The outcomes as they are while everything is new, and every candidate with its batch.
fn sorted<'a>(batches: &[&'a Command]) -> (Vec<Vec<Outcome>>, Vec<(usize, &'a Candidate)>) {
    let mut candidates = Vec::new();
    let mut outcomes = Vec::with_capacity(batches.len());
    for (batch, command) in batches.iter().enumerate() {
        let of_batch = command.facts.iter().map(|fact| match fact {
            Err(faults) => Outcome::Rejected(faults.clone()),
            Ok(candidate) => {
                candidates.push((batch, candidate));
                Outcome::Recorded
            }
        });
        outcomes.push(of_batch.collect());
    }
    (outcomes, candidates)
}

/// For which work an account's facts are recorded, where a group has several.
fn origins<'a>(batches: &[&Command], places: &[(usize, &'a Candidate)]) -> BTreeMap<&'a str, TraceContext> {
    if batches.len() < 2 {
        return BTreeMap::new();
    }
    let contexts: Vec<TraceContext> = batches.iter().map(|batch| TraceContext::of(&batch.span)).collect();
    let mut origins = BTreeMap::new();
    for (batch, candidate) in places {
        let account: &'a str = &candidate.fact.account_id;
        origins.entry(account).or_insert_with(|| contexts[*batch].clone());
    }
    origins
}

/// The same by the account under which it is told, too: that which an account is part of (I-3).
fn told_origins(origins: &BTreeMap<&str, TraceContext>, roots: &Roots) -> BTreeMap<String, TraceContext> {
    let mut told: BTreeMap<String, TraceContext> = BTreeMap::new();
    for (account_id, origin) in origins {
        told.insert((*account_id).to_owned(), origin.clone());
    }
    for (account_id, origin) in origins {
        told.entry(roots.root(account_id).to_owned())
            .or_insert_with(|| origin.clone());
    }
    told
}

/// Locks the accounts and what they are part of, and says what that is. A merge takes the same locks, so that it comes
/// before or after as a whole; whoever was not locked with the first statement is locked with a later one.
pub(super) async fn locked_roots(tx: &Tx, accounts: &[&str], now: Timestamp) -> Result<Roots, Problem> {
    let mut locked: BTreeSet<String> = BTreeSet::new();
    let mut roots = roots_fetch(&**tx, accounts).await?;
    loop {
        let own = accounts.iter().copied();
        let needed: BTreeSet<&str> = own.chain(accounts.iter().map(|account| roots.root(account))).collect();
        let missing: Vec<&str> = needed.into_iter().filter(|id| !locked.contains(*id)).collect();
        if missing.is_empty() {
            return Ok(roots);
        }
        accounts_lock(tx, &missing, now).await?;
        locked.extend(missing.iter().map(|id| (*id).to_owned()));
        roots = roots_fetch(&**tx, accounts).await?;
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
    candidates: &[&Candidate],
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
