//! One test for each rule that can stand against a candidate.

use jiff::civil::date;

use super::support::*;
use crate::domain::{decision::*, ledger::Hold, playbook::Stage, vocabulary::*};

#[test]
fn c10_a_suppressed_account_is_left_alone() {
    let mut picture = growing();
    picture.suppressed = Some(Suppressed {
        reason: "asked for silence".to_owned(),
        until: Some(in_days(5)),
    });
    check_blocked(&picture, "capacity-growth", "suppression", "C-10", Verdict::Block);
    assert_eq!(
        gate(&decide(&picture), "capacity-growth", "suppression").earliest,
        Some(in_days(5))
    );
    picture.signals = vec![tickets("integrations")];
    check_blocked(&picture, "ticket-recipe", "suppression", "C-10", Verdict::Block);
}

#[test]
fn c13_in_shadow_a_playbook_decides_and_sends_nothing() {
    let picture = growing();
    let mut policy = policy();
    let rollout = &mut policy.playbooks.get_mut("capacity-growth").unwrap().rollout;
    rollout.stage = Stage::Shadow;
    let slot = Slot {
        at: now(),
        timing: Timing::Daily,
    };
    let shadow = decide_slot(&picture, &policy, &caps(), slot);
    let closed = ("rollout".to_owned(), "C-13".to_owned(), Verdict::Block);
    assert_eq!(against(&shadow, "capacity-growth"), [closed]);
    // Everything else about it is decided: what it would say, and what it would be worth.
    let candidate = &shadow.candidates[0];
    assert!(candidate.draft.is_some() && candidate.expected_value.is_some() && shadow.winner().is_none());
    let rollout = &mut policy.playbooks.get_mut("capacity-growth").unwrap().rollout;
    (rollout.stage, rollout.accounts) = (Stage::Friendly, [picture.account_id.clone()].into());
    assert!(decide_slot(&picture, &policy, &caps(), slot).winner().is_some());
}

#[test]
fn c17_a_hold_defers_until_it_is_over() {
    let mut picture = growing();
    let hold = |from, until| Hold {
        reason: "board meeting".to_owned(),
        from,
        until,
    };
    picture.holds = vec![hold(days_ago(1), in_days(2)), hold(in_days(5), in_days(9))];
    check_blocked(&picture, "capacity-growth", "hold", "C-17", Verdict::Defer);
    assert_eq!(
        gate(&decide(&picture), "capacity-growth", "hold").earliest,
        Some(in_days(2))
    );
    picture.holds.remove(0);
    assert!(decide(&picture).winner().is_some());
}

#[test]
fn c12_the_control_group_gets_help_and_renewals_but_no_offer() {
    let mut picture = with_signals([growth(), tickets("integrations"), renewal_mark(120)]);
    picture.contacts[0].budget_holder = true;
    picture.holdout = true;
    let decision = decide(&picture);
    assert_eq!(against(&decision, "capacity-growth")[0].1, "C-12");
    assert_eq!(decision.winner().unwrap().playbook, "renewal-package");
    picture.signals.pop();
    assert_eq!(decide(&picture).winner().unwrap().playbook, "ticket-recipe");
}

#[test]
fn sc9_with_a_critical_ticket_open_nothing_commercial_goes_out() {
    let mut picture = with_signals([growth(), tickets("integrations")]);
    picture.problems = Problems {
        open_critical: 1,
        oldest_critical_at: Some(days_ago(1)),
    };
    let decision = decide(&picture);
    let closed = ("problem_first".to_owned(), "SC-9".to_owned(), Verdict::Block);
    assert_eq!(against(&decision, "capacity-growth"), [closed]);
    assert_eq!(decision.winner().unwrap().playbook, "ticket-recipe");
}

#[test]
fn sc9_below_the_threshold_education_comes_first() {
    let mut picture = with_signals([growth(), tickets("integrations")]);
    picture.score.as_mut().unwrap().propensity = 0.14;
    let decision = decide(&picture);
    assert_eq!(
        candidate(&decision, "capacity-growth").outcome,
        Outcome::Deferred(Some(in_days(30)))
    );
    assert_eq!(decision.winner().unwrap().playbook, "ticket-recipe");

    picture.offers = vec![past("adoption-help", Motion::Value, "users", OfferState::Sent, 10)];
    let decision = decide(&picture);
    assert_eq!(
        candidate(&decision, "capacity-growth").outcome,
        Outcome::Deferred(Some(in_days(20)))
    );

    picture.score.as_mut().unwrap().propensity = 0.15;
    assert_eq!(decide(&picture).winner().unwrap().playbook, "capacity-growth");
    picture.score = None;
    check_blocked(&picture, "capacity-growth", "education_first", "SC-9", Verdict::Defer);
}

#[test]
fn sg3_while_use_falls_a_priced_offer_needs_green_health_or_approval() {
    let drop = signal(SignalKind::UsageDrop, "storage_gb", &[("drop_percent", 12.0)]);
    let mut picture = with_signals([growth(), drop]);
    assert!(!decide(&picture).draft().unwrap().needs_approval());
    picture.score.as_mut().unwrap().band = HealthBand::Yellow;
    let decision = decide(&picture);
    assert_eq!(decision.winner().unwrap().playbook, "capacity-growth");
    assert!(decision.draft().unwrap().approval_reasons[0].starts_with("SG-3"));
    assert!(
        candidate(&decision, "adoption-help")
            .draft
            .as_ref()
            .unwrap()
            .approval_reasons
            .is_empty()
    );
}

#[test]
fn c14_offers_to_enterprise_accounts_wait_for_a_person() {
    let reasons = |picture: &AccountPicture| decide(picture).draft().unwrap().approval_reasons.len();
    let mut picture = growing();
    assert_eq!(reasons(&picture), 0);
    picture.profile.enterprise = true;
    assert_eq!(reasons(&picture), 1);
    picture.profile.enterprise = false;
    picture.mrr = Some(usd(500_000));
    assert_eq!(reasons(&picture), 1);
    picture.profile.enterprise = true;
    picture.signals = vec![tickets("integrations")];
    assert_eq!(reasons(&picture), 0, "help needs no approval");
}

#[test]
fn sg_r3_what_was_not_wanted_is_not_offered_again_for_ninety_days() {
    for (state, days, blocked) in [
        (OfferState::Declined, 89, Some(1)),
        (OfferState::Declined, 90, None),
        (OfferState::Expired, 1, Some(89)),
        (OfferState::Rejected, 1, Some(89)),
        (OfferState::Withdrawn, 1, None),
        (OfferState::Accepted, 29, Some(1)),
        (OfferState::Accepted, 30, None),
    ] {
        let mut picture = growing();
        picture.offers = vec![past("capacity-growth", Motion::Capacity, "users", state, days)];
        let decision = decide(&picture);
        let earliest = gate(&decision, "capacity-growth", "not_blocked").earliest;
        assert_eq!(earliest, blocked.map(in_days), "{state} {days} days ago");
        picture.offers = vec![past("capacity-growth", Motion::Capacity, "storage_gb", state, days)];
        assert!(decide(&picture).winner().is_some(), "another subject is another need");
    }
}

#[test]
fn t6_one_offer_of_a_kind_is_open_at_a_time() {
    for state in [
        OfferState::AwaitingApproval,
        OfferState::Reserved,
        OfferState::Sending,
        OfferState::Sent,
    ] {
        let mut picture = growing();
        picture.offers = vec![past("capacity-growth", Motion::Capacity, "users", state, 5)];
        let verdict = gate(&decide(&picture), "capacity-growth", "never_twice").clone();
        assert_eq!((verdict.verdict, &*verdict.rule_id), (Verdict::Block, "T-6"), "{state}");
    }
}

#[test]
fn t6_the_same_offer_never_goes_out_twice() {
    let mut picture = growing();
    let mut offer = past("capacity-growth", Motion::Capacity, "users", OfferState::Declined, 100);
    offer.signal_ids = vec![picture.signals[0].id.clone()];
    picture.signals[0].opened_at = days_ago(101);
    picture.offers = vec![offer];
    check_blocked(&picture, "capacity-growth", "never_twice", "T-6", Verdict::Block);
    picture.signals[0].opened_at = days_ago(99);
    assert!(decide(&picture).winner().is_some(), "the signal opened anew after it");
}

#[test]
fn sg5_premium_support_follows_the_recipe_after_a_week() {
    let mut picture = with_signals([tickets("integrations")]);
    picture.signals[0].opened_at = days_ago(9);
    check_blocked(&picture, "premium-support", "sequence", "M-7", Verdict::Defer);
    let mut recipe = past("ticket-recipe", Motion::Value, "integrations", OfferState::Sent, 6);
    recipe.signal_ids = vec![picture.signals[0].id.clone()];
    picture.offers = vec![recipe];
    let decision = decide(&picture);
    assert_eq!(
        candidate(&decision, "premium-support").outcome,
        Outcome::Deferred(Some(in_days(1)))
    );
    assert!(decision.winner().is_none());

    picture.offers[0].sent_at = Some(days_ago(7));
    let decision = decide(&picture);
    let draft = decision.draft().unwrap();
    assert_eq!(decision.winner().unwrap().playbook, "premium-support");
    assert_eq!((draft.channel, draft.owner), (Channel::CsmTask, Owner::CsmLed));
    assert!(draft.message.banner.contains("$49.00"), "{}", draft.message.banner);

    picture.offers[0].sent_at = Some(days_ago(10));
    check_blocked(&picture, "premium-support", "sequence", "M-7", Verdict::Defer);
}

#[test]
fn sg5_no_premium_support_while_a_critical_ticket_is_old() {
    let mut picture = with_signals([tickets("integrations")]);
    picture.signals[0].opened_at = days_ago(9);
    picture.offers = vec![past(
        "ticket-recipe",
        Motion::Value,
        "integrations",
        OfferState::Sent,
        8,
    )];
    picture.problems = Problems {
        open_critical: 1,
        oldest_critical_at: Some(days_ago(8)),
    };
    let gates: Vec<String> = against(&decide(&picture), "premium-support")
        .into_iter()
        .map(|gate| gate.0)
        .collect();
    assert_eq!(gates, ["problem_first", "guards"]);
    picture.problems.oldest_critical_at = Some(days_ago(7));
    let gates: Vec<String> = against(&decide(&picture), "premium-support")
        .into_iter()
        .map(|gate| gate.0)
        .collect();
    assert_eq!(gates, ["problem_first"]);
}

#[test]
fn m4_what_is_held_or_has_no_price_is_not_offered() {
    let mut picture = growing();
    picture.mrr = Some(upswell_runtime::money::Money::new(1, "KZT".parse().unwrap()));
    assert!(
        gate(&decide(&picture), "capacity-growth", "product")
            .detail
            .contains("no price in KZT")
    );
    let mut picture = with_signals([signal(SignalKind::VolumeGrowth, "unheard", &[("growth_percent", 20.0)])]);
    assert_eq!(
        gate(&decide(&picture), "capacity-growth", "product").detail,
        "no capacity add-on for unheard"
    );
    picture.signals = vec![tickets("integrations")];
    picture.subscriptions[0].product = "premium-support".to_owned();
    assert!(
        gate(&decide(&picture), "premium-support", "product")
            .detail
            .contains("already")
    );
}

#[test]
fn m4_a_from_price_needs_a_quote_by_a_person() {
    let spend = signal(SignalKind::SpendGrowth, "spend", &[("growth_percent", 30.0)]);
    let mut picture = with_signals([spend]);
    check_blocked(&picture, "plan-upgrade", "quote", "M-4", Verdict::Block);
    picture.subscriptions[0].product = "basic".to_owned();
    picture.subscriptions[0].mrr = usd(2_900);
    let decision = decide(&picture);
    let terms = decision.draft().unwrap().terms.as_ref().unwrap();
    assert_eq!((terms.product.as_str(), terms.monthly), ("pro", usd(7_000)));
    picture.profile.segment = "strategic".to_owned();
    picture.subscriptions[0].product = "pro".to_owned();
    assert_eq!(decide(&picture).draft().unwrap().channel, Channel::SalesTask);
}

#[test]
fn t3_only_people_of_the_audience_with_consent_are_written_to() {
    let mut picture = growing();
    picture.contacts[0]
        .points
        .retain(|point| point.channel == Channel::Whatsapp);
    check_blocked_by_audience(&picture);
    picture.contacts[0] = contact("eve", ContactRole::EndUser);
    check_blocked_by_audience(&picture);
    picture.contacts[0] = contact("bob", ContactRole::Business);
    picture.contacts[0]
        .points
        .iter_mut()
        .for_each(|point| point.consent = false);
    check_blocked_by_audience(&picture);
}

#[track_caller]
fn check_blocked_by_audience(picture: &AccountPicture) {
    let decision = decide(picture);
    assert_eq!(gate(&decision, "capacity-growth", "audience").rule_id, "T-3");
    assert_eq!(gate(&decision, "capacity-growth", "audience").verdict, Verdict::Block);
    assert!(candidate(&decision, "capacity-growth").draft.is_none());
}

#[test]
fn t3_a_cross_sell_goes_to_those_with_a_budget() {
    let embrace = signal(
        SignalKind::FeatureEmbrace,
        "api",
        &[("users", 4.0), ("active_days", 9.0)],
    );
    let mut picture = with_signals([embrace]);
    check_blocked(&picture, "adjacent-module", "audience", "T-3", Verdict::Block);
    picture.contacts.push(contact("kate", ContactRole::Executive));
    picture.contacts[1].budget_holder = true;
    assert_eq!(decide(&picture).draft().unwrap().contact_id.as_deref(), Some("kate"));
}

#[test]
fn t1_without_its_facts_a_message_is_not_sent() {
    let mut picture = growing();
    picture.signals[0].evidence.clear();
    check_blocked(&picture, "capacity-growth", "facts", "T-1", Verdict::Block);
    picture.signals[0] = signal(SignalKind::VolumeGrowth, "users", &[("growth_percent", f64::NAN)]);
    check_blocked(&picture, "capacity-growth", "facts", "T-1", Verdict::Block);
    assert_eq!(
        gate(&decide(&picture), "capacity-growth", "facts").detail,
        "without the facts: growth_percent"
    );
}

#[test]
fn c1_a_capped_offer_is_deferred_to_its_earliest_legal_time() {
    let mut picture = growing();
    picture.ledger_rows = vec![touch(1, TouchClass::Commercial, days_ago(3))];
    let decision = decide(&picture);
    assert_eq!(
        candidate(&decision, "capacity-growth").outcome,
        Outcome::Deferred(Some(in_days(4)))
    );
    assert_eq!(against(&decision, "capacity-growth")[0].1, "C-1");
    assert_eq!(decision.earliest, Some(in_days(4)));
}

#[test]
fn c4_the_strictest_limit_is_named() {
    let mut picture = growing();
    picture.calendar.renewals = vec![date(2026, 10, 20)];
    picture.ledger_rows = vec![touch(1, TouchClass::Commercial, days_ago(3))];
    let decision = decide(&picture);
    let verdict = gate(&decision, "capacity-growth", "caps");
    assert_eq!(verdict.rule_id, "C-3");
    assert!(
        verdict.detail.contains("C-1: ") && verdict.detail.contains("C-3: "),
        "{}",
        verdict.detail
    );
}

#[test]
fn c9_one_commercial_offer_is_on_its_way_at_a_time() {
    let mut picture = with_signals([growth(), tickets("integrations")]);
    picture.offers = vec![past(
        "adjacent-module",
        Motion::Adjacent,
        "api",
        OfferState::AwaitingApproval,
        1,
    )];
    let decision = decide(&picture);
    let closed = ("in_flight".to_owned(), "C-9".to_owned(), Verdict::Defer);
    assert_eq!(against(&decision, "capacity-growth"), [closed]);
    assert_eq!(decision.winner().unwrap().playbook, "ticket-recipe");
}
