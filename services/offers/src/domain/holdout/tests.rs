use std::collections::BTreeMap;

use jiff::civil::date;
use proptest::{prelude::*, sample::Index};
use upswell_runtime::money::Money;

use super::{Arm, HoldoutShare, Member, draw};

fn member(number: usize, segment: &str, units: i64) -> Member {
    Member {
        account_id: format!("acc-{number:04}"),
        segment: segment.to_owned(),
        plan: "pro".to_owned(),
        mrr: Some(Money::new(units * 100, "USD".parse().unwrap())),
        renewal: Some(date(2027, 1 + i8::try_from(number % 12).unwrap(), 1)),
    }
}

fn members(count: usize) -> Vec<Member> {
    let segment = |number| if number % 3 == 0 { "smb" } else { "mid-market" };
    (0..count)
        .map(|number| member(number, segment(number), 100 + i64::try_from(number % 17).unwrap()))
        .collect()
}

fn share(fraction: f64) -> HoldoutShare {
    HoldoutShare::from_fraction(fraction).unwrap()
}

fn held(arms: &[Arm]) -> usize {
    arms.iter().filter(|arm| arm.holdout).count()
}

#[test]
fn c12_one_account_in_eight_is_held_out() {
    for (accounts, expected) in [(0, 0), (1, 0), (3, 0), (4, 1), (8, 1), (30, 4), (160, 20), (1_000, 125)] {
        assert_eq!(
            held(&draw(&members(accounts), &[], share(0.125), 1)),
            expected,
            "{accounts}"
        );
    }
}

#[test]
fn c11_a_share_of_zero_is_nobody_and_one_is_everybody() {
    assert_eq!(held(&draw(&members(100), &[], share(0.0), 1)), 0);
    assert_eq!(held(&draw(&members(100), &[], share(1.0), 1)), 100);
    for outside in [-0.1, 1.1, f64::NAN] {
        assert_eq!(HoldoutShare::from_fraction(outside), None);
    }
}

#[test]
fn c12_every_large_stratum_gives_its_share() {
    let mut all = members(400);
    for member in &mut all {
        member.renewal = None;
    }
    let mut strata: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for arm in draw(&all, &[], share(0.125), 1) {
        let (accounts, held) = strata.entry(arm.stratum).or_default();
        *accounts += 1;
        *held += usize::from(arm.holdout);
    }
    assert_eq!(strata.len(), 8);
    for (stratum, (accounts, held)) in strata {
        let floor = accounts / 8;
        assert!((floor..=floor + 1).contains(&held), "{stratum}: {held} of {accounts}");
    }
}

#[test]
fn c12_the_stratum_says_segment_plan_revenue_and_renewal() {
    let mut some = members(8);
    some[0].mrr = None;
    some[1].plan = String::new();
    some[2].renewal = None;
    let arms = draw(&some, &[], share(0.5), 3);
    assert_eq!(arms[0].stratum, "smb/pro/-/2027q1");
    assert_eq!(arms[1].stratum, "mid-market/-/r1/2027q1");
    assert_eq!(arms[2].stratum, "mid-market/pro/r2/-");
    assert_eq!(arms[7].stratum, "mid-market/pro/r4/2027q3");
    assert!(arms.iter().all(|arm| arm.epoch == 3));
}

#[test]
fn c12_another_epoch_draws_anew() {
    let all = members(200);
    assert_ne!(
        draw(&all, &[], share(0.125), 1)
            .iter()
            .map(|arm| arm.holdout)
            .collect::<Vec<_>>(),
        draw(&all, &[], share(0.125), 2)
            .iter()
            .map(|arm| arm.holdout)
            .collect::<Vec<_>>()
    );
}

proptest! {
    #[test]
    fn c12_the_quota_is_met_whatever_the_order(count in 0_usize..120, basis in 0_u32..=10_000, swaps in prop::collection::vec(any::<(Index, Index)>(), 0..40)) {
        let share = share(f64::from(basis) / 10_000.0);
        let all = members(count);
        let mut shuffled = all.clone();
        for (a, b) in swaps.iter().filter(|_| count > 0) {
            shuffled.swap(a.index(count), b.index(count));
        }
        let arms = draw(&all, &[], share, 1);
        prop_assert_eq!(&arms, &draw(&shuffled, &[], share, 1));
        prop_assert_eq!(arms.len(), count);
        prop_assert_eq!(held(&arms), share.quota(count));
    }

    #[test]
    fn c12_arrivals_keep_the_quota_and_nobody_is_reassigned(batches in prop::collection::vec(1_usize..9, 1..20), basis in 0_u32..=3_000) {
        let share = share(f64::from(basis) / 10_000.0);
        let all = members(batches.iter().sum());
        let mut drawn: Vec<Arm> = Vec::new();
        let mut here = 0;
        for batch in batches {
            here += batch;
            let fresh = draw(&all[..here], &drawn, share, 1);
            prop_assert_eq!(fresh.len(), batch);
            prop_assert!(fresh.iter().all(|arm| !drawn.iter().any(|known| known.account_id == arm.account_id)));
            drawn.extend(fresh);
            prop_assert_eq!(held(&drawn), share.quota(here));
        }
        prop_assert!(draw(&all, &drawn, share, 1).is_empty());
    }
}
