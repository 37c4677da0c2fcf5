//! Prices, discounts and trials (M-4, M-5, M-6).

use jiff::civil::date;

use super::support::*;
use crate::{
    domain::{decision::*, discount::Grantor, ledger::CapPolicy, offer::Terms, policy::Policy, vocabulary::*},
    policy::{parse, sources},
};

const DISCOUNTS: &str = "discounts: {authority: {autopilot: 5, csm: 10, lead: 25}, annual: 20}\n";

/// The built-in policy after replacements in its files; discounts are allowed.
fn dealing(changes: &[(&str, &str)]) -> Result<Policy, String> {
    let mut files = sources(None);
    for (_, text) in &mut files {
        for (from, to) in changes {
            *text = text.replace(from, to);
        }
    }
    files[0].1.push_str(DISCOUNTS);
    parse(&files).map_err(|faults| faults.to_string())
}

/// The offer for more seats that another `offers` makes.
fn offered(offers: &str, picture: &AccountPicture) -> Candidate {
    let policy = dealing(&[("{by_subject: true, quantity: 1}", offers)]).unwrap();
    seats(picture, &policy)
}

fn seats(picture: &AccountPicture, policy: &Policy) -> Candidate {
    let slot = Slot {
        at: now(),
        timing: Timing::Daily,
    };
    let decision = decide_slot(picture, policy, &CapPolicy::default(), slot);
    candidate(&decision, "capacity-growth").clone()
}

fn terms(candidate: &Candidate) -> &Terms {
    candidate.draft.as_ref().unwrap().terms.as_ref().unwrap()
}

#[test]
fn m5_a_discount_is_granted_by_whoever_may() {
    for (discount, unit, grantor, asks) in [
        (0, 2_500, None, false),
        (5, 2_375, Some(Grantor::Autopilot), false),
        (10, 2_250, Some(Grantor::Csm), true),
        (25, 1_875, Some(Grantor::Lead), true),
    ] {
        let found = offered(&format!("{{by_subject: true, discount: {discount}}}"), &growing());
        let terms = terms(&found);
        assert_eq!((terms.unit_price, terms.monthly), (usd(unit), usd(unit)), "{discount}");
        assert_eq!((terms.discount_basis_points, terms.grantor), (discount * 100, grantor));
        assert_eq!(found.factors.monthly, Some(usd(unit)), "it is ranked by what it brings");
        let reasons = &found.draft.as_ref().unwrap().approval_reasons;
        assert_eq!(
            reasons.iter().any(|reason| reason.starts_with("M-5")),
            asks,
            "{reasons:?}"
        );
    }
}

#[test]
fn m5_what_nobody_may_grant_is_refused_when_it_is_loaded() {
    let faults = dealing(&[("{by_subject: true, quantity: 1}", "{by_subject: true, discount: 26}")]).unwrap_err();
    assert!(
        faults.contains("nobody may grant 26% (M-5)") && faults.contains("25%"),
        "{faults}"
    );
}

#[test]
fn m4_volume_and_annual_commitment_need_no_grant() {
    let pack = "prices: [{currency: USD, amount: 25, period: month}]\n    adds: {users: 5}";
    let steps = format!("{pack}\n    volume: [{{from: 4, percent: 4}}, {{from: 10, percent: 8}}]");
    let with = |offers: &str| {
        let policy = dealing(&[(pack, &steps), ("{by_subject: true, quantity: 1}", offers)]).unwrap();
        let found = seats(&growing(), &policy);
        terms(&found).clone()
    };
    let three = with("{by_subject: true, quantity: 3}");
    assert_eq!((three.unit_price, three.discount_basis_points), (usd(2_500), 0));
    let four = with("{by_subject: true, quantity: 4}");
    assert_eq!((four.unit_price, four.monthly), (usd(2_400), usd(9_600)));
    assert_eq!(
        (four.discount_basis_points, four.granted_basis_points, four.grantor),
        (400, 0, None)
    );
    let year = with("{by_subject: true, quantity: 10, annual: true}");
    // 12 × 25 $, 8 % for ten and 20 % for the year.
    assert_eq!((year.unit_price, year.discount_basis_points), (usd(21_600), 2_800));
    assert_eq!((year.period.to_string().as_str(), year.monthly), ("year", usd(18_000)));
    assert!(year.summary.contains("−28%"), "{}", year.summary);
}

#[test]
fn m4_an_old_customer_keeps_the_old_price() {
    let price = "{currency: USD, amount: 25, period: month}";
    let old = "{currency: USD, amount: 25, period: month, grandfathered: {before: \"2025-01-01\", amount: 19.50}}";
    let policy = dealing(&[(price, old)]).unwrap();
    for (since, unit) in [
        (Some(date(2024, 12, 31)), 1_950),
        (Some(date(2025, 1, 1)), 2_500),
        (None, 2_500),
    ] {
        let mut picture = growing();
        picture.profile.customer_since = since;
        assert_eq!(terms(&seats(&picture, &policy)).unit_price, usd(unit), "{since:?}");
    }
}

#[test]
fn m4_nobody_buys_a_part_of_a_bundle_that_is_there() {
    let bundle = "  growth-bundle:\n    name: {en: Growth bundle, ru: Пакет роста}\n    motion: adjacent\n    \
                  prices: [{currency: USD, amount: 60, period: month}]\n    \
                  includes: [analytics-module, automation-module]\n\n# Who drives";
    let policy = dealing(&[("\n# Who drives", bundle)]).unwrap();
    let embrace = signal(
        SignalKind::FeatureEmbrace,
        "reports",
        &[("users", 4.0), ("active_days", 9.0)],
    );
    let mut picture = with_signals([embrace]);
    picture.contacts[0].budget_holder = true;
    let product = |picture: &AccountPicture| {
        let slot = Slot {
            at: now(),
            timing: Timing::Daily,
        };
        let decision = decide_slot(picture, &policy, &CapPolicy::default(), slot);
        gate(&decision, "adjacent-module", "product").clone()
    };
    assert_eq!(product(&picture).verdict, Verdict::Pass);
    picture.subscriptions.push(SubscriptionView {
        product: "growth-bundle".to_owned(),
        kind: SubscriptionKind::AddOn,
        ..picture.subscriptions[0].clone()
    });
    let found = product(&picture);
    assert_eq!((found.verdict, found.rule_id.as_ref()), (Verdict::Block, "M-4"));
    assert!(found.detail.contains("growth-bundle"), "{}", found.detail);
}

#[test]
fn m4_upgrades_that_never_end_and_bundles_of_nothing_are_refused() {
    for (from, to, expected) in [
        (
            "    support: dedicated\n",
            "    support: dedicated\n    upgrade_to: basic\n",
            "the upgrades of `basic` never end",
        ),
        (
            "    adds: {users: 5}\n",
            "    adds: {users: 5}\n    includes: [nothing]\n",
            "includes the unknown add-on `nothing`",
        ),
        (
            "    adds: {users: 5}\n",
            "    adds: {users: 5}\n    volume: [{from: 5, percent: 9}, {from: 9, percent: 4}]\n",
            "does not ascend",
        ),
    ] {
        let faults = dealing(&[(from, to)]).unwrap_err();
        assert!(faults.contains(expected), "{faults}");
    }
}

#[test]
fn m6_a_trial_of_the_higher_plan_costs_nothing_and_says_so() {
    let playbook = sources(None)
        .into_iter()
        .find(|(name, _)| name.contains("plan-upgrade"))
        .unwrap()
        .1;
    let trial = playbook
        .replace("key: plan-upgrade", "key: plan-trial")
        .replace("motion: tier", "motion: trial")
        .replace("offers: next_plan", "offers: {next_plan: true, trial_days: 14}");
    let mut files = sources(None);
    files.retain(|(name, _)| !name.contains("plan-upgrade"));
    files.push(("playbooks/plan-trial.yaml".to_owned(), trial));
    let policy = parse(&files).unwrap();
    let mut picture = with_signals([signal(SignalKind::SpendGrowth, "spend", &[("growth_percent", 20.0)])]);
    picture.subscriptions[0].product = "basic".to_owned();
    picture.subscriptions[0].mrr = usd(2_900);
    picture.mrr = Some(usd(2_900));
    let slot = Slot {
        at: now(),
        timing: Timing::Daily,
    };
    let decision = decide_slot(&picture, &policy, &CapPolicy::default(), slot);
    let winner = decision.winner().unwrap();
    let terms = terms(winner);
    assert_eq!(
        (winner.motion, terms.product.as_str(), terms.trial_days),
        (Motion::Trial, "pro", 14)
    );
    assert_eq!((terms.unit_price, terms.monthly), (usd(0), usd(0)));
    assert_eq!(
        winner.factors.monthly,
        Some(usd(7_000)),
        "ranked by what follows if it is kept"
    );
    assert!(terms.summary.contains("free for 14 days"), "{}", terms.summary);
    // M-5: exactly what changes.
    for part in ["users: 25", "storage: 100", "advanced reporting", "priority", "stays"] {
        assert!(terms.summary.contains(part), "{part}: {}", terms.summary);
    }
    let half = files.iter_mut().find(|(name, _)| name.contains("plan-trial")).unwrap();
    half.1 = half.1.replace(", trial_days: 14", "");
    assert!(parse(&files).unwrap_err().to_string().contains("a trial by half"));
}
