//! The decision slot: an account's candidates compete, at most one goes (C-9).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    AccountPicture, Candidate, Decision, Draft, Factors, GateVerdict, Outcome, Verdict, gates::Case, proposal::ideas,
    rank,
};
use crate::domain::{
    ledger::{self, CapPolicy, Row, judge},
    policy::Policy,
    vocabulary::{OfferState, TouchState},
};

/// The moment that is decided about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    /// When what wins is sent.
    pub at: Timestamp,
    /// Which playbooks compete.
    pub timing: Timing,
}

/// When a playbook's offers are decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Timing {
    /// As soon as the signal opens: only playbooks with `timing: immediate` compete.
    Immediate,
    /// In the account's slot of the day: all playbooks compete, also immediate ones that had to wait.
    Daily,
}

/// Decides what goes to an account in a slot. The same arguments give the same decision, whatever the order of
/// contacts, signals or offers in the picture.
pub fn decide_slot(picture: &AccountPicture, policy: &Policy, caps: &CapPolicy, slot: Slot) -> Decision {
    let ideas = ideas(picture, policy, slot.timing);
    let mut candidates: Vec<Candidate> = Vec::with_capacity(ideas.len());
    for idea in &ideas {
        let assembly = idea.assemble(picture, policy, slot);
        candidates.push(candidate(&Case {
            picture,
            policy,
            caps,
            slot,
            idea,
            assembly: &assembly,
        }));
    }
    candidates.sort_by(rank::order);
    let mut free = candidates
        .iter_mut()
        .filter(|candidate| candidate.outcome == Outcome::Won);
    if let Some(winner) = free.next() {
        for loser in free {
            lose(loser, winner, picture, caps, slot);
        }
    }
    let waiting = |candidate: &Candidate| match candidate.outcome {
        Outcome::Deferred(until) => until,
        Outcome::Won | Outcome::Blocked => None,
    };
    Decision {
        account_id: picture.account_id.clone(),
        slot,
        earliest: candidates.iter().filter_map(waiting).min(),
        candidates,
        policy_version: policy.version.clone(),
        caps_version: caps.version.clone(),
        model_version: picture
            .score
            .as_ref()
            .map(|score| score.model_version.clone())
            .unwrap_or_default(),
    }
}

/// A candidate as it stands by itself: it would win if it were the only one.
fn candidate(case: &Case<'_>) -> Candidate {
    let (idea, assembly, picture) = (case.idea, case.assembly, case.picture);
    let playbook = idea.playbook;
    let monthly = assembly
        .sale
        .as_ref()
        .ok()
        .and_then(|sale| sale.as_ref().map(|sale| sale.monthly));
    let factors = Factors::weigh(
        picture,
        &case.policy.rules,
        case.slot,
        playbook.motion,
        monthly,
        &idea.signals,
    );
    let gates = case.verdicts();
    let mine = |state| state == OfferState::Deferred;
    let deferred = picture
        .offers
        .iter()
        .filter(|offer| mine(offer.state) && offer.playbook == playbook.key && offer.subject == idea.subject);
    Candidate {
        playbook: playbook.key.clone(),
        motion: playbook.motion,
        subject: idea.subject.to_owned(),
        class: playbook.class,
        proposes_expansion: playbook.proposes_expansion(),
        owner: assembly.owner,
        signal_ids: idea.signals.iter().map(|signal| signal.id.clone()).collect(),
        signal_at: idea
            .signals
            .iter()
            .map(|signal| signal.opened_at)
            .max()
            .unwrap_or(case.slot.at),
        continues: deferred.map(|offer| (offer.state_at, offer.id)).max().map(|(_, id)| id),
        expected_value: factors.expected_value(),
        factors,
        outcome: outcome(&gates),
        gates,
        draft: draft(case),
    }
}

fn draft(case: &Case<'_>) -> Option<Draft> {
    let assembly = case.assembly;
    let (Ok(_), Ok(addressee), Ok(message)) = (&assembly.sale, &assembly.addressee, &assembly.words) else {
        return None;
    };
    let playbook = case.idea.playbook;
    let arm = case.idea.arm(case.picture);
    let send_at = arm.and_then(|arm| arm.send_at).filter(|_| !addressee.channel.is_task());
    Some(Draft {
        contact_id: addressee.contact.map(|contact| contact.id.clone()),
        address: addressee.address.map(str::to_owned),
        channel: addressee.channel,
        owner: assembly.owner,
        message: message.clone(),
        terms: assembly.terms.clone(),
        validity_days: playbook.validity_days,
        consumes_signals: playbook.consumes_signals,
        approval_reasons: case.approval_reasons(),
        variant: arm.map(|arm| arm.key.clone()),
        send_at: send_at.and_then(|time| later_today(case, time)),
    })
}

/// A time of this day in the account's time zone, if it is still to come.
fn later_today(case: &Case<'_>, time: jiff::civil::Time) -> Option<Timestamp> {
    let zone = &case.picture.profile.time_zone;
    let today = zone.to_datetime(case.slot.at).date();
    let at = zone.to_zoned(today.to_datetime(time)).ok()?.timestamp();
    (at > case.slot.at).then_some(at)
}

/// Blocked by one gate is blocked; else it may go when the last of the gates opens, if all of them say when.
fn outcome(gates: &[GateVerdict]) -> Outcome {
    let worst = gates.iter().map(|gate| gate.verdict).max().unwrap_or(Verdict::Pass);
    match worst {
        Verdict::Pass => Outcome::Won,
        Verdict::Block => Outcome::Blocked,
        Verdict::Defer => {
            let closed = gates.iter().filter(|gate| gate.verdict == Verdict::Defer);
            let opens: Option<Vec<Timestamp>> = closed.map(|gate| gate.earliest).collect();
            Outcome::Deferred(opens.and_then(|opens| opens.into_iter().max()))
        }
    }
}

/// Another candidate goes first; this one competes again when the limits allow it beside that one (C-9).
fn lose(loser: &mut Candidate, winner: &Candidate, picture: &AccountPicture, caps: &CapPolicy, slot: Slot) {
    let (class, proposes_expansion, at) = (winner.class, winner.proposes_expansion, slot.at);
    let row = Row {
        touch_id: Uuid::nil(),
        class,
        proposes_expansion,
        at,
        state: TouchState::Reserved,
    };
    let rows: Vec<Row> = picture.ledger_rows.iter().cloned().chain([row]).collect();
    let (class, proposes_expansion) = (loser.class, loser.proposes_expansion);
    let again = judge(
        caps,
        &picture.calendar,
        &rows,
        &ledger::Proposal {
            class,
            proposes_expansion,
            at,
        },
    );
    // Where the limits would allow both at once, the slot still takes one: the next slot is the caller's to know.
    let earliest = again.earliest.filter(|earliest| *earliest > at);
    let detail = format!("{} ({}) goes first", winner.playbook, winner.subject);
    loser.gates.push(GateVerdict::defer("slot", "C-9", detail, earliest));
    loser.outcome = Outcome::Deferred(earliest);
}
