use proptest::prelude::*;

use super::*;

fn test(key: &str, weights: &[u32]) -> VariantTest {
    let arm = |(index, weight): (usize, &u32)| Arm {
        key: format!("arm-{index}"),
        weight: *weight,
        control: index == 0,
        send_at: None,
    };
    VariantTest {
        key: key.to_owned(),
        arms: weights.iter().enumerate().map(arm).collect(),
    }
}

#[test]
fn t7_an_account_keeps_its_arm() {
    // Published: whoever writes the hash anew must get these.
    let expected = ["control", "other", "other", "control", "control"];
    let drawn: Vec<&str> = ["acme", "globex", "initech", "umbrella", "hooli"]
        .iter()
        .map(|account| {
            test("subject-1", &[1, 1])
                .arm(account)
                .map_or("", |arm| if arm.control { "control" } else { "other" })
        })
        .collect();
    assert_eq!(drawn, expected);
}

#[test]
fn t7_shares_are_as_weighted_for_30_200_and_1000_accounts() {
    for (accounts, rounds, weights) in [
        (30, 1_000, [1, 1]),
        (200, 300, [1, 1]),
        (1_000, 60, [1, 1]),
        (1_000, 60, [9, 1]),
        (1_000, 60, [2, 3]),
    ] {
        let total: u32 = weights.iter().sum();
        let share = f64::from(weights[0]) / f64::from(total);
        // A/A tests: the share of the control hardly ever leaves four standard deviations, and not to one side.
        let deviation = (share * (1.0 - share) * f64::from(accounts)).sqrt();
        let (mut outside, mut sum) = (0, 0.0);
        for round in 0..rounds {
            let test = test(&format!("round-{round}"), &weights);
            let is_control = |account: &i32| test.arm(&format!("account-{account}")).unwrap().control;
            #[expect(clippy::cast_precision_loss, reason = "at most a thousand")]
            let control = (0..accounts).filter(is_control).count() as f64;
            let off = control - share * f64::from(accounts);
            outside += i32::from(off.abs() > 4.0 * deviation);
            sum += off / deviation;
        }
        assert!(outside <= 2, "{accounts} {weights:?}: {outside} tests are lopsided");
        let mean = sum / f64::from(rounds);
        assert!(
            mean.abs() < 4.0 / f64::from(rounds).sqrt(),
            "{accounts} {weights:?}: mean {mean}"
        );
    }
}

#[test]
fn t7_two_tests_do_not_draw_alike() {
    let (one, two) = (test("one", &[1, 1]), test("two", &[1, 1]));
    let same = (0..1_000).filter(|n: &i32| {
        let account = format!("account-{n}");
        one.arm(&account).unwrap().control == two.arm(&account).unwrap().control
    });
    assert!((420..=580).contains(&same.count()));
}

proptest! {
    #[test]
    fn t7_every_account_has_an_arm(account in ".{0,40}", weights in proptest::collection::vec(1_u32..1_000, 1..6)) {
        let test = test("any", &weights);
        prop_assert!(test.arm(&account).is_some());
        let copy = test.clone();
        prop_assert_eq!(test.arm(&account), copy.arm(&account));
    }
}
