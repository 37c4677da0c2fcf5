//! Why something was sent, or was not (C-16).

use jiff::Timestamp;
use upswell_runtime::{db::from_micros, problem::Problem};
use uuid::Uuid;

use super::{App, decide::Record};
use crate::{
    domain::decision::{Decision, Slot, Timing, decide_slot},
    error::OfferError,
    store::{accounts, decisions, entities::decision, from_json},
};

/// A decision to be shown.
#[derive(Debug, Clone)]
pub(crate) struct Explained {
    /// None for a decision that was not recorded.
    pub(crate) decision_id: Option<Uuid>,
    /// Its slot.
    pub(crate) slot_at: Timestamp,
    /// What was weighed.
    pub(crate) decision: Decision,
    /// The offer of each candidate.
    pub(crate) offer_ids: Vec<Option<Uuid>>,
    /// What was decided about a playbook or a motion; empty for a decision on an account.
    pub(crate) note: String,
}

impl App {
    /// The decision recorded at or before `time`; without one, what would be decided now.
    pub(crate) async fn explain(&self, account_id: &str, time: Option<Timestamp>) -> Result<Explained, OfferError> {
        let reader = self.db.reader();
        let account = accounts::account_fetch(reader, account_id).await?;
        let account = account.ok_or_else(|| OfferError::AccountNotFound(account_id.to_owned()))?;
        if let Some(time) = time {
            let found = decisions::decision_fetch_at(reader, account_id, time).await?;
            let row = found.ok_or_else(|| OfferError::DecisionNotFound(account_id.to_owned()))?;
            return Ok(recorded(row)?);
        }
        let now = self.clock.now();
        let loaded = self.picture(reader, account, now).await?;
        let slot = Slot {
            at: now,
            timing: Timing::Daily,
        };
        let decision = decide_slot(&loaded.picture, &self.policy, &self.ledger.policy, slot);
        let offer_ids = decision
            .candidates
            .iter()
            .map(|candidate| candidate.continues)
            .collect();
        Ok(Explained {
            decision_id: None,
            slot_at: now,
            decision,
            offer_ids,
            note: String::new(),
        })
    }
}

/// A recorded decision.
pub(crate) fn recorded(row: decision::Model) -> Result<Explained, Problem> {
    let Record {
        decision,
        offer_ids,
        note,
    } = from_json(&row.document)?;
    Ok(Explained {
        decision_id: Some(row.decision_id),
        slot_at: from_micros(row.slot_at),
        decision,
        offer_ids,
        note,
    })
}
