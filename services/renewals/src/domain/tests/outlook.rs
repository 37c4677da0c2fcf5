//! What is likely to come and what was lost (RN-4, RN-7).

use proptest::prelude::*;

use super::*;
use crate::domain::{
    deal::{LossCategory, LossReason},
    forecast::{Prospect, forecast},
    losses::{Loss, SignalRule, analyse},
};

fn loss(on: &str, category: LossCategory) -> Loss {
    let reason = LossReason {
        category,
        detail: String::new(),
        competitor: "Rival".into(),
        integration: if category == LossCategory::MissingIntegration {
            "1C".into()
        } else {
            String::new()
        },
    };
    Loss {
        lost_on: day(on),
        reason,
        mrr: kzt(10),
    }
}

#[test]
fn rn4_a_reason_with_two_fifths_of_a_quarters_losses_is_a_product_signal() {
    use LossCategory::*;
    let rule = SignalRule {
        share_percent: 40,
        losses_min: 1,
    };
    let mut losses = vec![
        loss("2026-10-01", MissingIntegration),
        loss("2026-12-31", MissingIntegration),
    ];
    losses.extend(["2026-11-01", "2026-11-02", "2026-11-03"].map(|on| loss(on, Other)));
    let quarters = analyse(&losses, rule);
    let [quarter] = quarters.as_slice() else {
        panic!("one quarter: {quarters:?}")
    };
    assert_eq!((quarter.first_on, quarter.lost), (day("2026-10-01"), 5));
    let shares: Vec<_> = quarter
        .shares
        .iter()
        .map(|share| (share.category, share.count, share.product_signal))
        .collect();
    assert_eq!(
        shares,
        [(Other, 3, false), (MissingIntegration, 2, true)],
        "nobody can answer `other`"
    );
    assert_eq!(quarter.shares[1].integrations, [("1c".to_owned(), 2)]);
    assert_eq!(quarter.shares[1].mrr, [kzt(20)]);
    losses.push(loss("2026-11-04", Price));
    assert!(
        analyse(&losses, rule)[0]
            .shares
            .iter()
            .all(|share| !share.product_signal),
        "2 of 6 are not 40 %"
    );
    losses.push(loss("2027-01-01", Price));
    assert!(analyse(&losses, rule)[1].shares[0].product_signal);
}

fn prospect(on: &str, segment: &str, risk: f64, close: Option<bool>) -> Prospect {
    let mut world = World::new([version("v1", "2026-01-01", on)]);
    world.account.segment = segment.to_owned();
    world.settle("2026-05-01");
    if close == Some(true) {
        world.renew("2026-05-02");
    } else if close == Some(false) {
        let (id, etag) = world.last_key();
        let reason = loss("2026-05-02", LossCategory::Price).reason;
        let lost = world.renewal.closed(
            (id, &etag),
            Some(reason),
            "anna",
            &world.account,
            &world.policy,
            noon("2026-05-02"),
        );
        world.take(lost.unwrap());
    }
    Prospect {
        deal: world.last().clone(),
        risk: ChurnRisk::from_fraction(risk).unwrap(),
    }
}

#[test]
fn rn7_expected_best_and_worst_by_month_and_segment() {
    let lines = forecast(
        [
            prospect("2027-01-01", "smb", 0.25, None),
            prospect("2027-01-31", "smb", 0.0, Some(true)),
            prospect("2027-01-15", "smb", 0.5, Some(false)),
            prospect("2027-02-01", "smb", 0.9, None),
            prospect("2027-01-01", "mid", 0.1, None),
        ],
        200,
    );
    let [mid, smb, february] = lines.as_slice() else {
        panic!("three lines: {lines:?}")
    };
    assert_eq!(
        (mid.segment.as_str(), mid.expected, mid.worst),
        ("mid", kzt(216_000), kzt(192_000))
    );
    assert_eq!(
        (smb.deals, smb.due, smb.renewed, smb.lost),
        (3, kzt(720_000), kzt(240_000), kzt(240_000))
    );
    assert_eq!(
        (smb.expected, smb.best, smb.worst),
        (kzt(420_000), kzt(480_000), kzt(360_000))
    );
    assert_eq!((february.month, february.worst), (day("2027-02-01"), kzt(0)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn rn7_worst_is_never_above_expected_nor_expected_above_best(
        risks in prop::collection::vec((0.0_f64..=1.0, 0_u8..3), 1..6), factor in 100_u32..1_000,
    ) {
        let close = |kind: u8| [None, Some(true), Some(false)][usize::from(kind)];
        let prospects = risks.iter().map(|(risk, kind)| prospect("2027-01-01", "smb", *risk, close(*kind)));
        for line in forecast(prospects.collect::<Vec<_>>(), factor) {
            prop_assert!(line.worst.minor <= line.expected.minor && line.expected.minor <= line.best.minor);
            prop_assert!(line.best.minor + line.lost.minor <= line.due.minor);
        }
    }
}
