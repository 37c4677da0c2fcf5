//! The model case of the specification (§10): every figure comes out of the computation and is compared with what the
//! case is known to come to, and with an oracle that reads the case's files alone.

use crate::support::{self, Played};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_model_case_ends_as_the_specification_says() {
    let Played { world, report, .. } = support::play("model").await;
    let motion = |name: &str| {
        report
            .motions
            .iter()
            .find(|motion| motion.motion == name)
            .cloned()
            .unwrap_or_default()
    };

    let capacity = motion("capacity");
    assert_eq!(
        (capacity.sent, capacity.accepted, capacity.paid),
        (12, 9, 9),
        "{capacity:?}"
    );
    assert_eq!(capacity.expansion_mrr, 9 * 12_800_000);
    let premium = motion("premium_support");
    assert_eq!(
        (premium.sent, premium.accepted, premium.paid),
        (11, 3, 3),
        "{premium:?}"
    );
    assert_eq!(premium.expansion_mrr, 3 * 12_000_000);

    let money = &report.revenue;
    assert_eq!((money.mrr_start, money.mrr_end), (720_000_000, 871_200_000));
    assert_eq!(
        (money.expansion_gross, money.expansion_attributed, money.churned),
        (151_200_000, 151_200_000, 0)
    );
    assert_eq!(money.nrr, Some(1.21));
    assert_eq!(money.grr, Some(1.0));
    assert_eq!(money.arpa, 871_200_000 / 30);

    assert_eq!(
        report.checker.violations,
        Vec::<String>::new(),
        "C-1…C-3, C-19 as read by another pair of eyes"
    );
    assert_eq!((report.pressure.touches, report.checker.touches), (34, 34));
    assert!((report.pressure.per_account_week - report.checker.per_account_week).abs() < 1e-12);
    assert!(report.pressure.per_account_week <= 0.8);
    let mean = report.signal_to_payment.mean.unwrap();
    assert!(
        (8.0..=10.0).contains(&mean),
        "about nine days from signal to payment, not {mean}"
    );
    assert_eq!((report.facts.rejected.len(), report.facts.conflicts), (0, 0));

    support::golden(
        "model-report.json",
        &(serde_json::to_string_pretty(&report).unwrap() + "\n"),
    );
    support::golden("model-report.txt", &upswell::demo::report::render(&report));
    world.cluster.stop().await.unwrap();
}

#[test]
fn the_shipped_facts_are_what_the_generator_makes() {
    for case in upswell_tests::cases::SHIPPED {
        let path = support::case_folder(case.name).join("facts.jsonl");
        let shipped = std::fs::read_to_string(&path).unwrap_or_default();
        let made = (case.facts)();
        assert!(
            shipped == made,
            "{} is not what the generator makes: run generate_cases",
            path.display()
        );
    }
}
