//! What holds for every account and every mixture of signals.

use std::sync::LazyLock;

use jiff::SignedDuration;
use proptest::prelude::*;

use super::support::*;
use crate::domain::{
    decision::*,
    ledger::{Proposal, judge},
    policy::Policy,
    vocabulary::*,
};

static POLICY: LazyLock<Policy> = LazyLock::new(policy);

fn decided(picture: &AccountPicture) -> Decision {
    decide_slot(
        picture,
        &POLICY,
        &caps(),
        Slot {
            at: now(),
            timing: Timing::Daily,
        },
    )
}

fn any_signal() -> impl Strategy<Value = SignalView> {
    let subjects = prop::sample::select(vec!["users", "storage_gb", "integrations", "api", "unknown"]);
    let kinds = prop::sample::select(SignalKind::ALL.to_vec());
    let grades = prop::sample::select(Grade::ALL.to_vec());
    (kinds, subjects, grades, 0_i64..40).prop_map(|(kind, subject, grade, age)| {
        let names = crate::domain::playbook::facts::of_signal(kind);
        let evidence: Vec<(&str, f64)> = names.iter().map(|name| (*name, 20.0)).collect();
        SignalView {
            grade,
            opened_at: days_ago(age),
            ..signal(kind, subject, &evidence)
        }
    })
}

fn any_past() -> impl Strategy<Value = OfferHistory> {
    let playbooks = prop::sample::select(vec![
        ("capacity-growth", Motion::Capacity),
        ("ticket-recipe", Motion::Value),
        ("premium-support", Motion::PremiumSupport),
    ]);
    let subjects = prop::sample::select(vec!["users", "integrations"]);
    (
        playbooks,
        subjects,
        prop::sample::select(OfferState::ALL.to_vec()),
        0_i64..120,
    )
        .prop_map(|((playbook, motion), subject, state, days)| past(playbook, motion, subject, state, days))
}

prop_compose! {
    fn any_picture()(
        mut signals in prop::collection::vec(any_signal(), 0..7),
        offers in prop::collection::vec(any_past(), 0..3),
        touches in prop::collection::vec((0_i64..400, any::<bool>()), 0..4),
        roles in prop::collection::vec((prop::sample::select(ContactRole::ALL.to_vec()), any::<bool>()), 0..4),
        propensity in 0.0_f64..0.5,
        critical in 0_u32..2,
        holdout in any::<bool>(),
    ) -> AccountPicture {
        // One open signal of a kind and subject (SG-R2).
        signals.sort_by(|a, b| a.id.cmp(&b.id));
        signals.dedup_by(|a, b| a.id == b.id);
        let mut picture = with_signals(signals);
        picture.offers = offers;
        picture.ledger_rows = touches.iter().enumerate().map(|(number, (hours, commercial))| {
            let class = if *commercial { TouchClass::Commercial } else { TouchClass::Educational };
            touch(number as u128, class, now() - SignedDuration::from_hours(*hours))
        }).collect();
        picture.contacts = roles.iter().enumerate().map(|(number, (role, budget))| {
            Contact { budget_holder: *budget, ..contact(&format!("c{number}"), *role) }
        }).collect();
        picture.score.as_mut().unwrap().propensity = propensity;
        picture.problems.open_critical = critical;
        picture.holdout = holdout;
        picture
    }
}

/// A candidate without what depends on the others: the verdict of the slot.
fn alone(candidate: &Candidate) -> (String, String, Vec<GateVerdict>) {
    let gates = candidate
        .gates
        .iter()
        .filter(|gate| gate.gate != "slot")
        .cloned()
        .collect();
    (candidate.playbook.clone(), candidate.subject.clone(), gates)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn c16_a_decision_does_not_depend_on_the_order_of_its_input(picture in any_picture()) {
        let mut turned = picture.clone();
        turned.signals.reverse();
        turned.offers.reverse();
        turned.contacts.reverse();
        turned.ledger_rows.reverse();
        prop_assert_eq!(decided(&picture), decided(&turned));
    }

    #[test]
    fn m1_the_ranking_is_a_total_order(picture in any_picture()) {
        let decision = decided(&picture);
        let mut shuffled = decision.candidates.clone();
        shuffled.reverse();
        shuffled.sort_by(rank::order);
        prop_assert_eq!(&shuffled, &decision.candidates);
        for pair in decision.candidates.windows(2) {
            prop_assert_eq!(rank::order(&pair[0], &pair[1]), std::cmp::Ordering::Less);
        }
    }

    #[test]
    fn c9_another_candidate_never_opens_a_gate(picture in any_picture(), more in any_signal()) {
        let before = decided(&picture);
        // A falling account is judged otherwise by rule (SG-3), and a second signal of a subject is the same candidate.
        let same_subject = picture.signals.iter().any(|signal| signal.subject == more.subject);
        prop_assume!(!same_subject && more.kind != SignalKind::UsageDrop);
        let mut richer = picture.clone();
        richer.signals.push(more);
        let after: Vec<_> = decided(&richer).candidates.iter().map(alone).collect();
        for candidate in &before.candidates {
            prop_assert!(after.contains(&alone(candidate)));
        }
    }

    #[test]
    fn c9_at_most_one_wins_and_only_with_all_gates_open(picture in any_picture()) {
        let decision = decided(&picture);
        let open = |candidate: &&Candidate| candidate.gates.iter().all(|gate| gate.verdict == Verdict::Pass);
        let won = decision.candidates.iter().filter(|candidate| candidate.outcome == Outcome::Won);
        prop_assert!(won.clone().count() <= 1);
        prop_assert_eq!(won.count(), decision.candidates.iter().filter(open).count());
        if let Some(winner) = decision.winner() {
            let draft = decision.draft().unwrap();
            let proposal = Proposal { class: winner.class, proposes_expansion: winner.proposes_expansion, at: now() };
            prop_assert!(judge(&caps(), &picture.calendar, &picture.ledger_rows, &proposal).allowed());
            prop_assert!(!draft.message.body.is_empty() && !draft.message.subject.is_empty());
            prop_assert_eq!(draft.terms.is_some(), winner.class == TouchClass::Commercial);
            let commercial = winner.class == TouchClass::Commercial;
            let held_back = picture.holdout || picture.problems.open_critical > 0;
            prop_assert!(!(commercial && held_back));
        }
    }

    #[test]
    fn c9_what_is_deferred_is_deferred_into_the_future(picture in any_picture()) {
        for candidate in decided(&picture).candidates {
            if let Outcome::Deferred(Some(until)) = candidate.outcome {
                prop_assert!(until > now(), "{} {:?}", candidate.playbook, candidate.gates);
            }
        }
    }
}
