//! The rules model (SC-5, SC-9, SC-12).

use super::build::*;
use crate::domain::{
    features::Features,
    health::Band,
    model::{Model as _, Rules},
    signal::Kind,
};

fn ordinary() -> Features {
    Features {
        health: 65,
        band: Band::Yellow,
        health_change: None,
        is_paying: true,
        overdue_invoices: 0,
        open_critical: 0,
        nps: None,
        volume_growth: Some(1.0),
        days_to_renewal: Some(200),
        open_signals: [].into(),
    }
}

#[test]
fn sc9_one_need_lifts_an_ordinary_account_above_the_threshold() {
    for kind in [
        Kind::VolumeGrowth,
        Kind::LimitApproach,
        Kind::SpendGrowth,
        Kind::TicketCluster,
        Kind::FeatureEmbrace,
    ] {
        let prediction = Rules.predict(&Features {
            open_signals: [kind].into(),
            ..ordinary()
        });
        assert!(
            prediction.expansion_propensity >= 0.2,
            "{kind}: {}",
            prediction.expansion_propensity
        );
    }
    assert!(Rules.predict(&ordinary()).expansion_propensity < 0.15);
}

#[test]
fn sc9_no_need_lifts_a_red_or_declining_account_above_it() {
    let needs = [
        Kind::VolumeGrowth,
        Kind::LimitApproach,
        Kind::TicketCluster,
        Kind::Promoter,
        Kind::RenewalClock,
    ];
    let red = Features {
        band: Band::Red,
        health: 20,
        health_change: Some(9),
        open_signals: needs.into(),
        ..ordinary()
    };
    assert!(Rules.predict(&red).expansion_propensity < 0.15);
    let mut declining = Features {
        band: Band::Green,
        health: 100,
        health_change: Some(9),
        open_signals: needs.into(),
        ..ordinary()
    };
    declining.open_signals.insert(Kind::UsageDrop);
    assert!(Rules.predict(&declining).expansion_propensity < 0.15);
}

#[test]
fn sc12_bad_news_raises_risk_and_lowers_propensity() {
    let base = Rules.predict(&ordinary());
    for worse in [
        Features {
            band: Band::Red,
            ..ordinary()
        },
        Features {
            overdue_invoices: 1,
            ..ordinary()
        },
        Features {
            open_critical: 1,
            ..ordinary()
        },
        Features {
            nps: Some(6),
            ..ordinary()
        },
        Features {
            open_signals: [Kind::UsageDrop].into(),
            ..ordinary()
        },
    ] {
        let prediction = Rules.predict(&worse);
        assert!(prediction.churn_risk > base.churn_risk, "{worse:?}");
        assert!(prediction.expansion_propensity < base.expansion_propensity, "{worse:?}");
    }
}

#[test]
fn sc5_reasons_add_up_and_come_strongest_first() {
    let features = Features {
        band: Band::Green,
        open_signals: [Kind::VolumeGrowth].into(),
        ..ordinary()
    };
    let prediction = Rules.predict(&features);
    let sum = |score: &str| {
        prediction
            .reasons
            .iter()
            .filter(|r| r.score == score)
            .map(|r| r.effect)
            .sum::<f64>()
    };
    assert!((0.10 + sum("churn_risk") - prediction.churn_risk).abs() < 1e-9);
    assert!((0.12 + sum("expansion_propensity") - prediction.expansion_propensity).abs() < 1e-9);
    assert!(
        prediction
            .reasons
            .windows(2)
            .all(|pair| pair[0].effect.abs() >= pair[1].effect.abs())
    );
    assert_eq!(prediction.reasons[0].feature, "volume_growth");
    assert_eq!(Rules.version(), "rules-1");
}

#[test]
fn i2_an_account_without_facts_is_scored_and_says_what_is_missing() {
    let facts = crate::domain::facts::Facts::default();
    let assessment = crate::domain::assess::assess("acme", &facts, &nothing_known(), now(), &rulebook());
    let expected = [
        "activity",
        "invoices",
        "licences",
        "nps",
        "primary_metric",
        "profile",
        "renewal_date",
        "subscriptions",
        "usage",
    ];
    assert_eq!(assessment.score.missing_inputs, expected);
    assert!(assessment.steps.is_empty());
    assert_eq!(assessment.score.health.value, 15);
}
