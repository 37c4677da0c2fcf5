//! Decisions that can be made again, and a log that shows when it was touched (C-16).

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use async_trait::async_trait;
use jiff::Timestamp;
use upswell_runtime::{db::micros, jobs::Job, problem::Problem};
use uuid::Uuid;

use super::{App, decide::Record, explain::Explained};
use crate::{
    domain::{
        decision::{AccountPicture, Decision, chain, decide_slot},
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

/// Decisions in one transaction, and in one read.
const BATCH: u64 = 500;

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

/// What a look at the whole chain found.
#[derive(Debug, Default)]
pub(crate) struct Verified {
    pub(crate) entries: i64,
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

    async fn seal(&self, now: Timestamp) -> Result<usize, Problem> {
        let tx = self.db.begin().await?;
        let (mut place, mut hash) = evidence::chain_lock(&tx).await?;
        let fresh = evidence::decision_list_unsealed(&*tx, BATCH).await?;
        for decision in &fresh {
            place += 1;
            hash = chain::link(&hash, place, &content(decision));
            evidence::decision_seal(&tx, decision.decision_id, place, &hash).await?;
        }
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

    /// Follows the chain from its beginning, with what each decision was made from, and every head that was signed.
    pub(crate) async fn verify_decisions(&self) -> Result<Verified, Problem> {
        let reader = self.db.reader();
        let mut found = Verified {
            unsealed: evidence::decision_count_unsealed(reader).await?,
            head: evidence::head_last(reader).await?,
            ..Verified::default()
        };
        let mut hash = chain::GENESIS.to_owned();
        loop {
            let entries = evidence::decision_list_sealed(reader, found.entries, BATCH).await?;
            let Some(last) = entries.last().and_then(|entry| entry.place) else {
                break;
            };
            let heads = evidence::head_list(reader, found.entries, last).await?;
            for entry in entries {
                let place = found.entries + 1;
                found.fault = self
                    .fault_of(&entry, place, &mut hash, &heads)
                    .await?
                    .map(|fault| (place, fault));
                if found.fault.is_some() {
                    return Ok(found);
                }
                found.entries = place;
            }
        }
        let signed = found.head.as_ref().map_or(0, |head| head.entries);
        if signed > found.entries {
            let fault = format!("{signed} entries were signed, and {} are there", found.entries);
            found.fault = Some((found.entries + 1, fault));
        }
        Ok(found)
    }

    async fn fault_of(
        &self,
        entry: &decision::Model,
        place: i64,
        hash: &mut String,
        heads: &[head::Model],
    ) -> Result<Option<String>, Problem> {
        if entry.place != Some(place) {
            return Ok(Some("an entry was removed".to_owned()));
        }
        *hash = chain::link(hash, place, &content(entry));
        if *hash != entry.hash {
            return Ok(Some(format!("decision {} was changed", entry.decision_id)));
        }
        if !entry.picture_hash.is_empty() {
            let picture = evidence::picture_fetch(self.db.reader(), entry.decision_id).await?;
            let kept = picture.map(|picture| chain::digest(&[&picture.document]));
            if kept.as_ref() != Some(&entry.picture_hash) {
                return Ok(Some(format!("what decision {} knew was changed", entry.decision_id)));
            }
        }
        let Some(head) = heads.iter().find(|head| head.entries == place) else {
            return Ok(None);
        };
        // Heads of the time before there was a key are not signed.
        let key = &self.settings.decisions.signing_key;
        let signature = chain::sign(key, place, &head.hash, head.signed_at);
        let is_signed = !key.is_empty() && !head.signature.is_empty();
        let signed = head.hash == *hash && (!is_signed || signature == head.signature);
        Ok((!signed).then(|| format!("the head signed at {place} entries is not that of this chain")))
    }

    /// Makes a decision again from what was known then and the rules of then.
    pub(crate) async fn replay_decision(&self, id: Uuid) -> Result<Replayed, OfferError> {
        let reader = self.db.reader();
        let missing = || OfferError::DecisionNotFound(id.to_string());
        let row = decisions::decision_fetch(reader, id).await?.ok_or_else(missing)?;
        let picture = evidence::picture_fetch(reader, id).await?.ok_or_else(missing)?;
        let picture: AccountPicture = from_json(&picture.document)?;
        let Record { decision, offer_ids } = from_json(&row.document)?;
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
            offer_ids: offer_ids.clone(),
        })?;
        let difference = (told != row.document).then(|| differs(&decision, &again));
        let mut explained = super::explain::recorded(row)?;
        explained.decision = again;
        Ok(Replayed { explained, difference })
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
