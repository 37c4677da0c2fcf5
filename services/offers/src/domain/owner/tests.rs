use std::collections::{BTreeMap, BTreeSet};

use upswell_runtime::money::Money;

use super::{EnterpriseRule, OwnerBand, OwnerLimits};
use crate::domain::vocabulary::Owner;

fn usd(units: i64) -> Money {
    Money::new(units * 100, "USD".parse().unwrap())
}

fn limits(product_led_max: Option<Money>, csm_led_max: Option<Money>) -> OwnerLimits {
    let band = OwnerBand {
        product_led_max,
        csm_led_max,
    };
    OwnerLimits {
        by_currency: BTreeMap::from([(usd(0).currency, band)]),
        least_by_segment: BTreeMap::from([("strategic".to_owned(), Owner::SalesLed)]),
    }
}

#[test]
fn m3_size_decides_who_drives() {
    let limits = limits(Some(usd(200)), Some(usd(2_000)));
    for (monthly, owner) in [
        (Some(usd(0)), Owner::ProductLed),
        (Some(usd(200)), Owner::ProductLed),
        (Some(usd(201)), Owner::CsmLed),
        (Some(usd(2_000)), Owner::CsmLed),
        (Some(usd(2_001)), Owner::SalesLed),
        (None, Owner::ProductLed),
        (Some(Money::new(1, "KZT".parse().unwrap())), Owner::CsmLed),
    ] {
        assert_eq!(limits.owner(monthly, "mid-market"), owner, "{monthly:?}");
    }
}

#[test]
fn m3_a_segment_may_need_more_of_a_person() {
    let limits = limits(Some(usd(200)), None);
    assert_eq!(limits.owner(Some(usd(1)), "strategic"), Owner::SalesLed);
    assert_eq!(limits.owner(None, "strategic"), Owner::SalesLed);
}

#[test]
fn c11_zero_and_unlimited_are_different() {
    let none = limits(Some(usd(0)), Some(usd(0)));
    assert_eq!(none.owner(Some(usd(1)), "smb"), Owner::SalesLed);
    let all = limits(None, None);
    assert_eq!(all.owner(Some(usd(i64::from(i32::MAX))), "smb"), Owner::ProductLed);
}

#[test]
fn i1_an_account_is_enterprise_by_mark_plan_or_revenue() {
    let rule = EnterpriseRule {
        plans: BTreeSet::from(["enterprise".to_owned()]),
        mrr_from: BTreeMap::from([(usd(0).currency, usd(5_000))]),
    };
    assert!(rule.applies(true, [], None));
    assert!(rule.applies(false, ["pro", "enterprise"], None));
    assert!(rule.applies(false, ["pro"], Some(usd(5_000))));
    assert!(!rule.applies(false, ["pro"], Some(usd(4_999))));
    assert!(!rule.applies(false, ["pro"], Some(Money::new(i64::MAX, "KZT".parse().unwrap()))));
    assert!(!EnterpriseRule::default().applies(false, ["pro"], Some(usd(1_000_000))));
}
