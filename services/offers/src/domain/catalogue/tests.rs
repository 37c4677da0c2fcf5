use super::{Limit, Product};
use crate::domain::{message::Language, vocabulary::Motion};

fn catalogue() -> super::Catalogue {
    crate::policy::load(None).unwrap().catalogue
}

#[test]
fn m4_the_fixture_of_three_plans() {
    let catalogue = catalogue();
    let fixture = [
        (
            "basic",
            2_900,
            false,
            Limit::Of(5),
            Limit::Of(10),
            Limit::Of(3),
            "e-mail",
        ),
        (
            "pro",
            9_900,
            false,
            Limit::Of(25),
            Limit::Of(100),
            Limit::Of(10),
            "priority",
        ),
        (
            "enterprise",
            29_900,
            true,
            Limit::Unlimited,
            Limit::Of(1_000),
            Limit::Unlimited,
            "dedicated",
        ),
    ];
    for (key, minor, from, users, storage, integrations, support) in fixture {
        let plan = &catalogue.plans[key];
        let price = plan.prices[&"USD".parse().unwrap()];
        assert_eq!((price.amount.minor, price.from), (minor, from), "{key}");
        assert_eq!(plan.limits["users"], users);
        assert_eq!(plan.limits["storage_gb"], storage);
        assert_eq!(plan.limits["integrations"], integrations);
        assert_eq!(plan.support, support);
    }
    assert_eq!(catalogue.plans["basic"].upgrade_to.as_deref(), Some("pro"));
    assert_eq!(catalogue.plans["enterprise"].upgrade_to, None);
}

#[test]
fn m2_a_quota_finds_its_capacity_and_a_feature_its_module() {
    let catalogue = catalogue();
    let key = |motion, subject| catalogue.add_on_for(motion, subject).map(|(key, _)| key);
    assert_eq!(key(Motion::Capacity, "users"), Some("seat-pack"));
    assert_eq!(key(Motion::Capacity, "storage_gb"), Some("storage-pack"));
    assert_eq!(key(Motion::Adjacent, "api"), Some("automation-module"));
    assert_eq!(key(Motion::Capacity, "api"), None);
    assert!(matches!(catalogue.product("pro"), Some(Product::Plan(_))));
    assert!(matches!(catalogue.product("seat-pack"), Some(Product::AddOn(_))));
    assert!(catalogue.product("nothing").is_none());
}

#[test]
fn t4_names_and_language_follow_the_reader() {
    let catalogue = catalogue();
    assert_eq!(catalogue.subject_name("integrations", Language::Russian), "интеграции");
    assert_eq!(catalogue.subject_name("no-name", Language::Russian), "no-name");
    assert_eq!(catalogue.language_for(["kk", "ru-KZ"]), Language::Russian);
    assert_eq!(catalogue.language_for(["kk"]), Language::English);
}
