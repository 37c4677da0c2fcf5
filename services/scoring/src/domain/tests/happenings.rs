//! SG-11, SG-12, SG-14, SG-15, SG-16, SG-19, SG-21 and SG-22: each for as long as it speaks.

use super::build::*;
use crate::domain::{
    facts::{Facts, Happening, What},
    moment::days_after,
    signal::{Grade, Kind},
};

fn with(happenings: Vec<Happening>) -> Facts {
    Facts {
        happenings,
        ..account()
    }
}

#[test]
fn sg11_sg12_sg15_sg16_sg19_sg21_sg22_what_happened_speaks_from_its_instant_to_the_end_of_its_days() {
    for (what, kind, subject, days) in [
        (What::FeatureRequest, Kind::Interest, "routes", 30),
        (What::LockedAction, Kind::Interest, "routes", 30),
        (What::UpgradeView, Kind::Interest, "routes", 30),
        (What::PlanQuestion, Kind::Interest, "routes", 30),
        (What::Webinar, Kind::Interest, "routes", 30),
        (What::GoalReached, Kind::ValueReached, "routes", 60),
        (What::Team, Kind::Initiative, "routes", 90),
        (What::Project, Kind::Initiative, "routes", 90),
        (What::Branch, Kind::CompanyGrowth, "branch", 90),
        (What::Funding, Kind::CompanyGrowth, "funding", 90),
        (What::NewMarket, Kind::CompanyGrowth, "new_market", 90),
        (What::ProofRequest, Kind::ProofRequest, "proof", 30),
        (What::ManualWork, Kind::CsmRaised, "routes", 30),
        (What::Opportunity, Kind::CsmRaised, "routes", 30),
        (What::Downgrade, Kind::DowngradeAttempt, "downgrade", 30),
        (What::Cancel, Kind::DowngradeAttempt, "cancel", 30),
    ] {
        for (hours, holds) in [
            (0, true),
            (1, true),
            (days * 24 - 1, true),
            (days * 24, false),
            (-1, false),
        ] {
            let seen = seen(&with(vec![happening(what, "routes", hours)]));
            assert_eq!(
                grade(&seen, kind, subject).is_some(),
                holds,
                "{what:?} {hours} hours ago"
            );
        }
    }
}

#[test]
fn sg11_looking_is_less_than_asking() {
    for (whats, expected) in [
        (vec![What::UpgradeView], Grade::Low),
        (vec![What::UpgradeView, What::Webinar], Grade::Low),
        (vec![What::UpgradeView; 3], Grade::Normal),
        (vec![What::LockedAction], Grade::Normal),
        (vec![What::UpgradeView, What::FeatureRequest], Grade::Normal),
    ] {
        let found = whats.iter().map(|what| happening(*what, "routes", 5)).collect();
        assert_eq!(
            grade(&seen(&with(found)), Kind::Interest, "routes"),
            Some(expected),
            "{whats:?}"
        );
    }
    let unnamed = seen(&with(vec![happening(What::UpgradeView, "", 5)]));
    assert!(grade(&unnamed, Kind::Interest, "unknown").is_some());
}

#[test]
fn sg11_each_subject_has_a_signal_of_its_own_and_counts_alone() {
    let seen = seen(&with(vec![
        happening(What::LockedAction, "routes", 5),
        happening(What::LockedAction, "routes", 50),
        happening(What::FeatureRequest, "reports", 7),
    ]));
    let times = |subject| figure(observation(&seen, Kind::Interest, subject).unwrap(), "times");
    assert_eq!((times("routes"), times("reports")), (2.0, 1.0));
    let found = observation(&seen, Kind::Interest, "routes").unwrap();
    assert_eq!(found.evidence[0].facts, "action/routes");
}

#[test]
fn sg16_head_count_up_10_percent() {
    for (percent, holds) in [
        (Some(9.99), false),
        (Some(10.0), true),
        (Some(10.01), true),
        (None, false),
    ] {
        let hired = Happening {
            percent,
            ..happening(What::Hiring, "", 24)
        };
        let seen = seen(&with(vec![hired]));
        assert_eq!(
            grade(&seen, Kind::CompanyGrowth, "head_count").is_some(),
            holds,
            "{percent:?}"
        );
    }
}

#[test]
fn sg14_five_exports_in_30_days() {
    // Today counts, and it is the first of the 30 days.
    let today = moment().today;
    for (counts, holds) in [
        (vec![(0, 4)], false),
        (vec![(0, 5)], true),
        (vec![(0, 6)], true),
        (vec![(0, 3), (29, 2)], true),
        (vec![(0, 3), (30, 2)], false),
        (vec![(-1, 9)], false),
    ] {
        let mut facts = account();
        let days = counts.iter().map(|(days, count)| (days_after(today, -days), *count));
        facts.exports.insert("spreadsheet".into(), series(days));
        assert_eq!(
            grade(&seen(&facts), Kind::WorkflowFriction, "exports").is_some(),
            holds,
            "{counts:?}"
        );
    }
    let mut two_tools = account();
    for tool in ["spreadsheet", "warehouse"] {
        two_tools.exports.insert(tool.into(), series(run(0, 1, 3)));
    }
    let found = seen(&two_tools);
    assert_eq!(
        figure(
            observation(&found, Kind::WorkflowFriction, "exports").unwrap(),
            "exports"
        ),
        6.0
    );
}

#[test]
fn sg14_two_complaints_in_60_days() {
    for (hours, holds) in [
        (vec![1], false),
        (vec![1, 2], true),
        (vec![1, 60 * 24 - 1], true),
        (vec![1, 60 * 24], false),
        (vec![1, 2, 3], true),
    ] {
        let sorts = [What::DuplicatedWork, What::MissingIntegration, What::DuplicatedWork];
        let found = hours
            .iter()
            .zip(sorts)
            .map(|(hours, what)| happening(what, "invoices", *hours))
            .collect();
        let seen = seen(&with(found));
        assert_eq!(
            grade(&seen, Kind::WorkflowFriction, "complaints").is_some(),
            holds,
            "{hours:?}"
        );
    }
}

#[test]
fn sg21_the_signal_keeps_who_raised_it_first() {
    let by = |name: &str, hours| Happening {
        by: name.into(),
        ..happening(What::ManualWork, "routes", hours)
    };
    let seen = seen(&with(vec![by("late", 1), by("first", 9)]));
    let found = observation(&seen, Kind::CsmRaised, "routes").unwrap();
    assert_eq!(
        (found.raised_by.as_deref(), figure(found, "times")),
        (Some("first"), 2.0)
    );
}

#[test]
fn sg22_a_cancel_attempt_presses_more_than_a_downgrade() {
    let both = seen(&with(vec![
        happening(What::Downgrade, "price", 5),
        happening(What::Cancel, "price", 5),
    ]));
    assert_eq!(grade(&both, Kind::DowngradeAttempt, "downgrade"), Some(Grade::Normal));
    assert_eq!(grade(&both, Kind::DowngradeAttempt, "cancel"), Some(Grade::High));
}
