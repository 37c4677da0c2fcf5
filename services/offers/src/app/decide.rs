//! An account's candidates compete, at most one goes (C-9).
//!
//! A decision and everything that follows from it (offers, the place in the ledger or the approval request, events, and
//! the account's next slot) are one transaction, so that a run that was cut off is simply run again. Many accounts are
//! decided in one transaction; when that fails, each is tried alone, so that one account cannot hold up the others.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tracing::Instrument as _;
use upswell_runtime::{
    db::{Tx, from_micros, micros},
    ids,
    jobs::Job,
    outbox::NewEvent,
    problem::Problem,
};
use uuid::Uuid;

use super::{App, NAME, ledger::reserve_in};
use crate::{
    api::events,
    domain::{
        approval::{AUTOPILOT, Approval},
        decision::{Candidate, Decision, Draft, Outcome, Slot, Timing, chain, decide_slot},
        delivery::Progress,
        ledger::Reserve,
        offer::Offer,
        slots::last_slot,
        vocabulary::OfferState,
    },
    error::OfferError,
    store::{
        accounts, approvals, decisions,
        entities::{account, decision, picture},
        evidence, json,
        ledger::account_touch_lock,
        offers,
        pictures::{Loaded, pictures_load},
    },
};

/// Accounts in one transaction.
const BATCH: usize = 50;
/// Accounts in one run.
const RUN: u64 = 5_000;

/// Decides for every account whose slot of the day has come.
pub struct DecideSlots(pub(crate) Arc<App>);

/// Decides at once for accounts with a new signal; only playbooks that may not wait compete.
pub struct DecideImmediate(pub(crate) Arc<App>);

#[async_trait]
impl Job for DecideSlots {
    fn name(&self) -> &'static str {
        "offers.decide_slots"
    }

    fn period(&self) -> Duration {
        Duration::from_secs(30)
    }

    async fn run_once(&self, now: Timestamp) -> Result<usize, Problem> {
        let due = accounts::accounts_due(self.0.db.reader(), now, RUN).await?;
        self.0.decide_all(due, Timing::Daily, now).await
    }
}

#[async_trait]
impl Job for DecideImmediate {
    fn name(&self) -> &'static str {
        "offers.decide_immediate"
    }

    fn period(&self) -> Duration {
        Duration::from_secs(30)
    }

    fn event_driven(&self) -> bool {
        true
    }

    async fn run_once(&self, now: Timestamp) -> Result<usize, Problem> {
        let urgent = accounts::accounts_urgent(self.0.db.reader(), RUN).await?;
        self.0.decide_all(urgent, Timing::Immediate, now).await
    }
}

/// A decision as it is recorded.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Record {
    /// What was decided.
    pub(crate) decision: Decision,
    /// The offer of each candidate, in their order; none for a candidate that became none.
    pub(crate) offer_ids: Vec<Option<Uuid>>,
    /// What was decided about a playbook or a motion; empty for a decision on an account.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) note: String,
}

impl Record {
    /// The offer that won.
    pub(crate) fn winner_id(&self) -> Option<Uuid> {
        let won = |candidate: &Candidate| candidate.outcome == Outcome::Won;
        let place = self.decision.candidates.iter().position(won)?;
        self.offer_ids.get(place).copied().flatten()
    }
}

/// A decision and what it was made from, as they are stored.
type Recorded = (decision::Model, picture::Model);

/// What one decision changes.
#[derive(Default)]
struct Outcomes {
    offers: Vec<Offer>,
    approvals: Vec<Approval>,
    events: Vec<NewEvent>,
}

impl App {
    async fn decide_all(
        &self,
        accounts: Vec<account::Model>,
        timing: Timing,
        now: Timestamp,
    ) -> Result<usize, Problem> {
        let mut decided = 0;
        for batch in accounts.chunks(BATCH) {
            match self.decide_batch(batch, timing, now).await {
                Ok(count) => decided += count,
                Err(problem) if batch.len() == 1 || problem.is_transient() => return Err(problem),
                Err(problem) => {
                    tracing::debug!(error = %problem, "a batch of decisions failed and is taken one by one");
                    decided += self.decide_singly(batch, timing, now).await?;
                }
            }
        }
        Ok(decided)
    }

    async fn decide_singly(&self, batch: &[account::Model], timing: Timing, now: Timestamp) -> Result<usize, Problem> {
        let mut decided = 0;
        for one in batch {
            match self.decide_batch(std::slice::from_ref(one), timing, now).await {
                Ok(count) => decided += count,
                Err(problem) if problem.is_transient() => return Err(problem),
                Err(problem) => {
                    tracing::error!(account.id = one.account_id, error = %problem, "an account could not be decided");
                }
            }
        }
        Ok(decided)
    }

    async fn decide_batch(&self, batch: &[account::Model], timing: Timing, now: Timestamp) -> Result<usize, Problem> {
        let tx = self.db.begin().await?;
        let mut claimed = Vec::with_capacity(batch.len());
        // Everybody who locks several accounts does so in the order of their ids.
        let mut batch: Vec<&account::Model> = batch.iter().collect();
        batch.sort_by(|a, b| a.account_id.cmp(&b.account_id));
        for account in batch {
            // Locks the account; another run may have been first.
            let is_mine = match timing {
                Timing::Daily => {
                    let next = self.slot_after(&account.time_zone, now);
                    accounts::account_slot_advance(&tx, &account.account_id, account.next_slot_at, next).await?
                }
                Timing::Immediate => accounts::account_urgency_set(&tx, &account.account_id, false).await?,
            };
            if is_mine {
                claimed.push(account.clone());
            }
        }
        let locked: BTreeSet<String> = claimed.iter().map(|account| account.account_id.clone()).collect();
        account_touch_lock(&tx, &locked, now).await?;
        let mut records = Vec::new();
        let mut decided = 0;
        let waiting = |loaded: &Loaded| !loaded.assigned;
        for loaded in pictures_load(&*tx, claimed, self.settings.holdout.epoch, now).await? {
            if waiting(&loaded) {
                // Without an arm nothing may be decided (C-12): it stays due.
                self.leave_due(&tx, &loaded, timing, now).await?;
                continue;
            }
            if loaded.part_of.is_some() {
                // It is decided about as a part of the account that goes on (I-3).
                continue;
            }
            decided += 1;
            let decision = decide_slot(
                &loaded.picture,
                &self.policy,
                &self.ledger.policy,
                Slot { at: now, timing },
            );
            records.extend(self.carry_out(&tx, &loaded, decision, now).await?);
        }
        let (records, pictures): (Vec<_>, Vec<_>) = records.into_iter().unzip();
        decisions::decisions_save(&tx, records).await?;
        evidence::pictures_save(&tx, pictures).await?;
        tx.commit().await?;
        Ok(decided)
    }

    async fn leave_due(&self, tx: &Tx, loaded: &Loaded, timing: Timing, now: Timestamp) -> Result<(), Problem> {
        let account = &loaded.account;
        match timing {
            Timing::Daily => {
                let next = self.slot_after(&account.time_zone, now);
                let back = from_micros(account.next_slot_at);
                accounts::account_slot_advance(tx, &account.account_id, micros(next), back).await?;
            }
            Timing::Immediate => drop(accounts::account_urgency_set(tx, &account.account_id, true).await?),
        }
        Ok(())
    }

    /// Writes what follows from a decision, under a span that continues the trace of the winner's signal.
    async fn carry_out(
        &self,
        tx: &Tx,
        loaded: &Loaded,
        decision: Decision,
        now: Timestamp,
    ) -> Result<Option<Recorded>, Problem> {
        if decision.candidates.is_empty() && !loaded.offers.iter().any(|offer| offer.state == OfferState::Deferred) {
            return Ok(None);
        }
        let account_id = loaded.account.account_id.as_str();
        let span = tracing::info_span!("offers.decide_slot", account.id = %account_id);
        let why = decision
            .winner()
            .or(decision.candidates.first())
            .and_then(|candidate| candidate.signal_ids.first());
        if let Some(trace) = why.and_then(|signal_id| loaded.traces.get(signal_id)) {
            trace.adopt(&span, self.trace_mode);
        }
        self.write(tx, loaded, decision, now).instrument(span).await
    }

    async fn write(
        &self,
        tx: &Tx,
        loaded: &Loaded,
        decision: Decision,
        now: Timestamp,
    ) -> Result<Option<Recorded>, Problem> {
        let slot_at = match decision.slot.timing {
            Timing::Daily => last_slot(&loaded.picture.profile.time_zone, self.slot_time, now),
            Timing::Immediate => now,
        };
        let (picture, account_id) = (json(&loaded.picture)?, loaded.account.account_id.as_str());
        let picture_hash = chain::digest(&[&picture]);
        let (timing, slot) = (format!("{:?}", decision.slot.timing), micros(slot_at).to_string());
        let decision_id = match decision.slot.timing {
            Timing::Daily => ids::derive("decision", &[account_id, &timing, &slot]),
            // At one instant there may be several, each by what was known then.
            Timing::Immediate => ids::derive("decision", &[account_id, &timing, &slot, &picture_hash]),
        };
        let mut outcomes = Outcomes::default();
        let mut offer_ids = Vec::with_capacity(decision.candidates.len());
        for candidate in &decision.candidates {
            offer_ids.push(
                self.enact(tx, loaded, candidate, decision_id, now, &mut outcomes)
                    .await?,
            );
        }
        if decision.slot.timing == Timing::Daily {
            withdraw_the_rest(loaded, &offer_ids, now, &mut outcomes)?;
        }
        offers::offers_save(tx, &mut outcomes.offers).await?;
        approvals::approvals_save(tx, &outcomes.approvals).await?;
        outcomes
            .events
            .extend(outcomes.approvals.iter().map(events::approval_changed));
        let previous = |offer: &Offer| {
            loaded
                .offers
                .iter()
                .find(|known| known.id == offer.id)
                .map(|known| known.state)
        };
        // A deferred offer that stays deferred is no news.
        let news = outcomes
            .offers
            .iter()
            .filter(|offer| previous(offer) != Some(offer.state));
        outcomes
            .events
            .extend(news.map(|offer| events::offer_changed(offer, previous(offer))));
        self.tell(tx, outcomes.events).await?;
        if decision.candidates.is_empty() {
            return Ok(None);
        }
        let document = json(&Record {
            decision,
            offer_ids,
            note: String::new(),
        })?;
        let record = decision::Model {
            decision_id,
            account_id: account_id.to_owned(),
            slot_at: micros(slot_at),
            decided_at: micros(now),
            document,
            picture_hash,
            place: None,
            hash: String::new(),
        };
        let picture = picture::Model {
            decision_id,
            document: picture,
        };
        Ok(Some((record, picture)))
    }

    /// Makes or continues the offer of one candidate. Returns its id; none when it became no offer.
    async fn enact(
        &self,
        tx: &Tx,
        loaded: &Loaded,
        candidate: &Candidate,
        decision_id: Uuid,
        now: Timestamp,
        outcomes: &mut Outcomes,
    ) -> Result<Option<Uuid>, Problem> {
        let known = candidate
            .continues
            .and_then(|id| loaded.offers.iter().find(|offer| offer.id == id));
        let (Some(draft), false) = (&candidate.draft, candidate.outcome == Outcome::Blocked) else {
            return Ok(known.map(|offer| offer.id));
        };
        let mut offer = draw_up(loaded, candidate, draft, decision_id, known, now);
        if candidate.outcome == Outcome::Won {
            outcomes.events.extend(self.variant_assigned(&offer, now));
        }
        match candidate.outcome {
            Outcome::Won if draft.needs_approval() => {
                let asked = self.ask(tx, &mut offer, AUTOPILOT, now).await;
                let approval = asked.map_err(Problem::from)?;
                outcomes.approvals.push(approval);
            }
            Outcome::Won => {
                // Should the ledger refuse what the decision allowed, the offer waits for its time.
                let planned_at = draft.send_at.map_or(now, |at| at.max(now));
                if let Err(earliest) = self.reserve(tx, &mut offer, decision_id, planned_at, now).await? {
                    offer.defer(earliest, now).map_err(OfferError::from)?;
                }
            }
            Outcome::Deferred(until) => offer.defer(until, now).map_err(OfferError::from)?,
            Outcome::Blocked => {}
        }
        let id = offer.id;
        outcomes.offers.push(offer);
        Ok(Some(id))
    }

    /// The account's arm of the test behind an offer, for those who measure it (T-7). Telling it again changes nothing.
    fn variant_assigned(&self, offer: &Offer, now: Timestamp) -> Option<NewEvent> {
        let test = self.policy.playbooks.get(&offer.playbook)?.test.as_ref()?;
        let arm = test.arm(&offer.account_id)?;
        Some(events::variant_assigned(&offer.account_id, &test.key, arm, now))
    }

    /// Takes a place in the ledger for `offer` at `at`. `attempt` names this try: the decision or the approval. The
    /// inner error is the earliest time that the ledger would grant.
    pub(crate) async fn reserve(
        &self,
        tx: &Tx,
        offer: &mut Offer,
        attempt: Uuid,
        at: Timestamp,
        now: Timestamp,
    ) -> Result<Result<(), Option<Timestamp>>, Problem> {
        let command = Reserve {
            account_id: offer.account_id.clone(),
            class: offer.class,
            proposes_expansion: offer.proposes_expansion,
            channel: offer.channel,
            sender: NAME.to_owned(),
            idempotency_key: format!("{}/{attempt}", offer.id),
            planned_at: Some(at),
            contact_id: offer.contact_id.clone().unwrap_or_default(),
            offer_id: offer.id.to_string(),
        };
        match reserve_in(tx, &self.ledger, &command, now).await? {
            Ok(touch) => {
                offer.advance(OfferState::Reserved, now).map_err(OfferError::from)?;
                (offer.touch_id, offer.planned_at) = (Some(touch.id), Some(touch.planned_at));
                Ok(Ok(()))
            }
            Err(refusal) => Ok(Err(refusal.earliest)),
        }
    }
}

/// The offer of a candidate with what was decided last; its state is still that of before.
fn draw_up(
    loaded: &Loaded,
    candidate: &Candidate,
    draft: &Draft,
    decision_id: Uuid,
    known: Option<&Offer>,
    now: Timestamp,
) -> Offer {
    let account_id = loaded.account.account_id.clone();
    let when = micros(now).to_string();
    let parts = [account_id.as_str(), &candidate.playbook, &candidate.subject, &when];
    Offer {
        id: known.map_or_else(|| ids::derive("offer", &parts), |offer| offer.id),
        playbook: candidate.playbook.clone(),
        motion: candidate.motion,
        subject: candidate.subject.clone(),
        class: candidate.class,
        proposes_expansion: candidate.proposes_expansion,
        owner: draft.owner,
        state: OfferState::Deferred,
        signal_ids: candidate.signal_ids.clone(),
        contact_id: draft.contact_id.clone(),
        channel: draft.channel,
        message: Some(draft.message.clone()),
        terms: draft.terms.clone(),
        expected_value: candidate.expected_value,
        decision_id: Some(decision_id),
        approval_id: None,
        touch_id: None,
        order_id: None,
        close_reason: String::new(),
        created_at: known.map_or(now, |offer| offer.created_at),
        planned_at: None,
        deferred_until: known.and_then(|offer| offer.deferred_until),
        sent_at: None,
        state_at: known.map_or(now, |offer| offer.state_at),
        signal_at: Some(candidate.signal_at),
        consumes_signals: draft.consumes_signals,
        validity_days: draft.validity_days,
        progress: Progress::default(),
        version: known.map_or(0, |offer| offer.version),
        account_id,
    }
}

/// Deferred offers that no candidate continues have lost their reason.
fn withdraw_the_rest(
    loaded: &Loaded,
    offer_ids: &[Option<Uuid>],
    now: Timestamp,
    outcomes: &mut Outcomes,
) -> Result<(), Problem> {
    let continued: BTreeSet<Uuid> = offer_ids.iter().copied().flatten().collect();
    let deferred = loaded.offers.iter().filter(|offer| offer.state == OfferState::Deferred);
    for offer in deferred.filter(|offer| !continued.contains(&offer.id)) {
        let mut offer = offer.clone();
        offer
            .close(OfferState::Withdrawn, "its signals are no longer open", now)
            .map_err(OfferError::from)?;
        outcomes.offers.push(offer);
    }
    Ok(())
}
