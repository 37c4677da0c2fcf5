//! Whether an offer still holds, asked when it is approved and again when it is sent (C-14): signal, problems, health,
//! suppression, holdout, audience. It is the very decision that made the offer, made again on what is known now.

use jiff::Timestamp;

use super::App;
use crate::{
    domain::{
        decision::{Slot, Timing, Verdict, decide_slot},
        offer::Offer,
        vocabulary::OfferState,
    },
    store::pictures::Loaded,
};

/// What became of an offer's reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It may go, as far as the ledger allows.
    Holds,
    /// Not now; it should compete again from this time on.
    Waits(Option<Timestamp>, String),
    /// Its reason ceased to hold.
    Gone(String),
}

/// Gates that the offer itself, or the ledger with more authority, answers.
const NOT_ASKED: [&str; 3] = ["caps", "in_flight", "slot"];

impl App {
    /// Judges `offer`, which is on its way, in the picture of its account.
    pub(crate) fn revalidate(&self, loaded: &Loaded, offer: &Offer, now: Timestamp) -> Standing {
        let mut picture = loaded.picture.clone();
        // The offer must not stand in its own way.
        for history in picture.offers.iter_mut().filter(|history| history.id == offer.id) {
            history.state = OfferState::Deferred;
            history.state_at = Timestamp::MAX;
        }
        picture.ledger_rows.retain(|row| Some(row.touch_id) != offer.touch_id);
        let slot = Slot {
            at: now,
            timing: Timing::Daily,
        };
        let decision = decide_slot(&picture, &self.policy, &self.ledger.policy, slot);
        let Some(again) = decision
            .candidates
            .iter()
            .find(|candidate| candidate.continues == Some(offer.id))
        else {
            return Standing::Gone("its signals are no longer open".to_owned());
        };
        let asked = || {
            again
                .gates
                .iter()
                .filter(|gate| !NOT_ASKED.contains(&gate.gate.as_ref()))
        };
        if let Some(gate) = asked().find(|gate| gate.verdict == Verdict::Block) {
            return Standing::Gone(format!("{}: {}", gate.rule_id, gate.detail));
        }
        match asked()
            .filter(|gate| gate.verdict == Verdict::Defer)
            .max_by_key(|gate| gate.earliest)
        {
            Some(gate) => Standing::Waits(gate.earliest, format!("{}: {}", gate.rule_id, gate.detail)),
            None => Standing::Holds,
        }
    }
}
