//! Decisions that can be made again, and a log that shows when it was touched (C-16).

use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use async_trait::async_trait;
use jiff::Timestamp;
use upswell_runtime::{
    db::{Tx, micros},
    ids,
    jobs::Job,
    problem::Problem,
};
use uuid::Uuid;

use super::{App, decide::Record, explain::Explained};
use crate::{
    domain::{
        decision::{AccountPicture, Decision, Slot, Timing, chain, decide_slot},
        ledger::CapSettings,
    },
    error::OfferError,
    policy,
    store::{
        decisions,
        entities::{decision, head},
        evidence, from_json, json,
    },
};

/// Decisions in one transaction.
const BATCH: u64 = 500;
/// Decisions in one read, with what they knew.
const LOOK: u64 = 200;

/// Puts new decisions into the chain and signs its end.
pub struct SealDecisions(pub(crate) Arc<App>);

#[async_trait]
impl Job for SealDecisions {
    fn name(&self) -> &'static str {
        "offers.seal_decisions"
    }

    fn period(&self) -> Duration {
        Duration::from_secs(30)
    }

    async fn run_once(&self, now: Timestamp) -> Result<usize, Problem> {
        self.0.keep_rules().await?;
        let mut sealed = 0;
        while evidence::decision_count_unsealed(self.0.db.reader()).await? > 0 {
            sealed += self.0.seal(now).await?;
        }
        Ok(sealed)
    }
}

/// How much of the chain is to be followed.
#[derive(Debug, Default)]
pub(crate) struct Walk {
    /// Entries that were followed before.
    pub(crate) after: i64,
    /// The hash of the last of them; empty for none.
    pub(crate) hash: String,
    /// At most so many entries more; none means all.
    pub(crate) most: Option<u64>,
}

/// What a look at the chain found.
#[derive(Debug, Default)]
pub(crate) struct Verified {
    /// Entries followed, from the first of the chain.
    pub(crate) entries: i64,
    /// The hash of the last of them.
    pub(crate) hash: String,
    /// Whether that was the end of the chain.
    pub(crate) complete: bool,
    pub(crate) unsealed: u64,
    /// The first entry that is wrong, and what is.
    pub(crate) fault: Option<(i64, String)>,
    pub(crate) head: Option<head::Model>,
}

/// A decision that was made again.
pub(crate) struct Replayed {
    pub(crate) explained: Explained,
    /// Where the two differ first; none when they do not.
    pub(crate) difference: Option<String>,
}

impl App {
    /// Keeps the rules in force under their versions, once.
    async fn keep_rules(&self) -> Result<(), Problem> {
        if self.rules_kept.load(Ordering::Relaxed) {
            return Ok(());
        }
        let (now, caps) = (self.clock.now(), &self.ledger.policy.version);
        let tx = self.db.begin().await?;
        evidence::rulebook_keep(&tx, &self.policy.version, json(&self.sources)?, now).await?;
        evidence::rulebook_keep(&tx, caps, json(&self.settings.caps)?, now).await?;
        tx.commit().await?;
        self.rules_kept.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Writes into the log what was decided about a playbook or a motion (C-15, M-1).
    pub(crate) async fn note(&self, tx: &Tx, note: String, now: Timestamp) -> Result<(), Problem> {
        let decision_id = ids::derive("note", &[&note, &micros(now).to_string()]);
        let decision = Decision {
            account_id: String::new(),
            slot: Slot {
                at: now,
                timing: Timing::Daily,
            },
            candidates: Vec::new(),
            policy_version: self.policy.version.clone(),
            caps_version: self.ledger.policy.version.clone(),
            model_version: String::new(),
            earliest: None,
        };
        let record = Record {
            decision,
            offer_ids: Vec::new(),
            note,
        };
        let row = decision::Model {
            decision_id,
            account_id: String::new(),
            slot_at: micros(now),
            decided_at: micros(now),
            document: json(&record)?,
            picture_hash: String::new(),
            place: None,
            hash: String::new(),
        };
        decisions::decisions_save(tx, vec![row]).await
    }

    async fn seal(&self, now: Timestamp) -> Result<usize, Problem> {
        let tx = self.db.begin().await?;
        let (mut place, mut hash) = evidence::chain_lock(&tx).await?;
        let fresh = evidence::decision_list_unsealed(&*tx, BATCH).await?;
        let mut seals = Vec::with_capacity(fresh.len());
        for decision in &fresh {
            place += 1;
            hash = chain::link(&hash, place, &content(decision));
            seals.push((decision.decision_id, place, hash.clone()));
        }
        evidence::decisions_seal(&tx, &seals).await?;
        if !fresh.is_empty() {
            let signed_at = micros(now);
            let signature = chain::sign(&self.settings.decisions.signing_key, place, &hash, signed_at);
            let head = head::Model {
                entries: place,
                hash,
                signed_at,
                signature,
            };
            evidence::head_save(&tx, head).await?;
        }
        tx.commit().await?;
        Ok(fresh.len())
    }

    /// Follows the chain, with what each decision was made from, and every head that was signed.
    pub(crate) async fn verify_decisions(&self, walk: Walk) -> Result<Verified, Problem> {
        let reader = self.db.reader();
        let heads = Heads {
            key: &self.settings.decisions.signing_key,
            newest: evidence::head_last(reader).await?,
            first_signed: evidence::head_first_signed(reader).await?,
        };
        let mut found = Verified {
            entries: walk.after,
            hash: Some(walk.hash)
                .filter(|hash| !hash.is_empty())
                .unwrap_or_else(|| chain::GENESIS.to_owned()),
            unsealed: evidence::decision_count_unsealed(reader).await?,
            head: heads.newest.clone(),
            ..Verified::default()
        };
        let mut left = walk.most.unwrap_or(u64::MAX);
        while left > 0 {
            let entries = evidence::decision_list_sealed(reader, found.entries, LOOK.min(left)).await?;
            if entries.is_empty() {
                found.complete = true;
                let signed = heads.newest.as_ref().map_or(0, |head| head.entries);
                if signed > found.entries {
                    let fault = format!("{signed} entries were signed, and {} are there", found.entries);
                    found.fault = Some((found.entries + 1, fault));
                }
                break;
            }
            left -= entries.len() as u64;
            found.fault = self.follow(&entries, &heads, &mut found).await?;
            if found.fault.is_some() {
                break;
            }
        }
        Ok(found)
    }

    /// Follows some entries; the first one that is wrong, and what is.
    async fn follow(
        &self,
        entries: &[decision::Model],
        heads: &Heads<'_>,
        found: &mut Verified,
    ) -> Result<Option<(i64, String)>, Problem> {
        let reader = self.db.reader();
        let last = entries.last().and_then(|entry| entry.place).unwrap_or_default();
        let signed = evidence::head_list(reader, found.entries, last).await?;
        let ids: Vec<Uuid> = entries.iter().map(|entry| entry.decision_id).collect();
        let known: BTreeMap<Uuid, String> = evidence::picture_list(reader, &ids)
            .await?
            .into_iter()
            .map(|picture| (picture.decision_id, chain::digest(&[&picture.document])))
            .collect();
        for entry in entries {
            let place = found.entries + 1;
            if entry.place != Some(place) {
                return Ok(Some((place, "an entry was removed".to_owned())));
            }
            found.hash = chain::link(&found.hash, place, &content(entry));
            if found.hash != entry.hash {
                return Ok(Some((place, format!("decision {} was changed", entry.decision_id))));
            }
            if !entry.picture_hash.is_empty() && known.get(&entry.decision_id) != Some(&entry.picture_hash) {
                let fault = format!("what decision {} knew was changed", entry.decision_id);
                return Ok(Some((place, fault)));
            }
            let head = signed.iter().find(|head| head.entries == place);
            if let Some(fault) = head.and_then(|head| heads.fault(head, &found.hash)) {
                return Ok(Some((place, fault)));
            }
            found.entries = place;
        }
        Ok(None)
    }

    /// Makes a decision again from what was known then and the rules of then.
    pub(crate) async fn replay_decision(&self, id: Uuid) -> Result<Replayed, OfferError> {
        let reader = self.db.reader();
        let missing = || OfferError::DecisionNotFound(id.to_string());
        let row = decisions::decision_fetch(reader, id).await?.ok_or_else(missing)?;
        let picture = evidence::picture_fetch(reader, id).await?.ok_or_else(missing)?;
        let picture: AccountPicture = from_json(&picture.document)?;
        let Record {
            decision, offer_ids, ..
        } = from_json(&row.document)?;
        let gone = |version: &str| {
            let text = format!("the rules {version} are not kept");
            Problem::failed_precondition("POLICY_GONE", text)
        };
        let rules = evidence::rulebook_fetch(reader, &decision.policy_version).await?;
        let sources: Vec<(String, String)> = from_json(&rules.ok_or_else(|| gone(&decision.policy_version))?)?;
        let policy = policy::parse(&sources).map_err(Problem::internal)?;
        let caps = evidence::rulebook_fetch(reader, &decision.caps_version).await?;
        let caps: CapSettings = from_json(&caps.ok_or_else(|| gone(&decision.caps_version))?)?;
        let again = decide_slot(&picture, &policy, &caps.policy(), decision.slot);
        // The texts are compared, because reading numbers may lose their last bit.
        let told = json(&Record {
            decision: again.clone(),
            offer_ids,
            note: String::new(),
        })?;
        let difference = (told != row.document).then(|| differs(&decision, &again));
        let mut explained = super::explain::recorded(row)?;
        explained.decision = again;
        Ok(Replayed { explained, difference })
    }
}

/// What is known of the signed heads before any of them is looked at.
struct Heads<'a> {
    /// Empty for none.
    key: &'a str,
    newest: Option<head::Model>,
    /// Entries of the first head with a signature.
    first_signed: Option<i64>,
}

impl Heads<'_> {
    /// What is wrong with a head, where the chain has `hash`. Heads of the time before there was a key are not signed; once
    /// there was a signature there is one on every head, and on the newest.
    fn fault(&self, head: &head::Model, hash: &str) -> Option<String> {
        let place = head.entries;
        if head.hash != hash {
            return Some(format!("the head at {place} entries is not that of this chain"));
        }
        let is_newest = self.newest.as_ref().is_some_and(|newest| newest.entries == place);
        let was_signed = self.first_signed.is_some_and(|first| first < place);
        if head.signature.is_empty() {
            return (was_signed || (is_newest && !self.key.is_empty()))
                .then(|| format!("the head at {place} entries is not signed"));
        }
        // Without the key nobody can tell.
        let signature = chain::sign(self.key, place, hash, head.signed_at);
        (!self.key.is_empty() && signature != head.signature)
            .then(|| format!("the head signed at {place} entries is not that of this chain"))
    }
}

/// What the chain says of a decision.
fn content(decision: &decision::Model) -> String {
    chain::digest(&[
        &decision.decision_id.to_string(),
        &decision.account_id,
        &decision.slot_at.to_string(),
        &decision.decided_at.to_string(),
        &decision.document,
        &decision.picture_hash,
    ])
}

/// The first difference, for a person.
fn differs(was: &Decision, again: &Decision) -> String {
    if was.candidates.len() != again.candidates.len() {
        return format!("{} candidates, now {}", was.candidates.len(), again.candidates.len());
    }
    let mut pairs = was.candidates.iter().zip(&again.candidates);
    let differing = pairs.find(|(was, again)| was != again);
    differing.map_or_else(
        || "the versions or times".to_owned(),
        |(was, again)| {
            let gates = was.gates.iter().zip(&again.gates).find(|(was, again)| was != again);
            let gate = gates.map_or("its figures or words", |(gate, _)| gate.gate.as_ref());
            format!("{} ({}): {gate}", was.playbook, was.subject)
        },
    )
}
