//! Where vendors disagree the choice is one documented switch: each of them changes what it is about, and nothing else.

use serde_json::{Value, json};
use upswell_metrics::{
    app::{App, Asked, Fact},
    config::RevenueSettings,
    domain::{journey::Profile, window::Window},
    store::MovementFilter,
};
use upswell_runtime::{clock::Clock, testing::TempDb};

use crate::world::{NOW, day, version};

/// What the switches are about.
#[derive(Debug, PartialEq)]
struct Told {
    movements: Vec<String>,
    gross_mrr_churn: String,
    monthly_churn_of_ltv: String,
    cohorts: Vec<String>,
}

/// `a` signed up in November, pays 100 from December, gives notice on 10 January for 1 March and returns in April with 80.
/// `b` pays 300, in January and February only 250.
async fn told(settings: RevenueSettings) -> Told {
    let store = TempDb::open::<upswell_metrics::Migrator>().await.unwrap();
    let app = App::with(store.db.clone(), Clock::manual(NOW.parse().unwrap()), settings);
    let mut notice = version("a2", "a/plan", "2026-01-05", 100);
    notice.occurred_at = "2026-01-10T09:00:00Z".parse().unwrap();
    notice.end_on = Some(day("2026-03-01"));
    let facts = [
        ("a", version("a1", "a/plan", "2025-12-01", 100)),
        ("a", notice),
        ("a", version("a3", "a/again", "2026-04-01", 80)),
        ("b", version("b1", "b/plan", "2025-12-01", 300)),
        ("b", version("b2", "b/plan", "2026-01-15", 250)),
        ("b", version("b3", "b/plan", "2026-02-15", 300)),
    ];
    let tx = store.db.begin().await.unwrap();
    for account in ["a", "b"] {
        let profile = Profile {
            account_id: account.to_owned(),
            customer_since: (account == "a").then(|| day("2025-11-03")),
            ..Profile::default()
        };
        app.record(&tx, Fact::Profile(profile)).await.unwrap();
    }
    for (account, version) in facts {
        app.record(&tx, Fact::Version(account.to_owned(), version))
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
    let filter = MovementFilter {
        window: Window::new(day("2026-01-01"), day("2026-05-01")).unwrap(),
        account_id: Some("a".to_owned()),
        kind: None,
        cause: None,
    };
    let window = Window::new(day("2026-01-01"), day("2026-03-15")).unwrap();
    let before = Window::new(day("2025-12-01"), day("2026-01-01")).unwrap();
    let page = app.movements(&filter, None, 10).await.unwrap().movements.into_iter();
    let revenue = app.revenue_of(window, &Asked::all()).await.unwrap().remove(0);
    let life = app
        .lifetime((window, before), &Asked::all(), None, None)
        .await
        .unwrap()
        .remove(0)
        .1;
    let cohorts = app.cohorts(day("2025-11-01"), day("2026-04-01")).await.unwrap();
    let percent = |share: Option<f64>| format!("{:.3}", share.unwrap() * 100.0);
    Told {
        movements: page
            .map(|listed| {
                let moved = listed.movement;
                format!("{} {:?} {}", moved.day, moved.kind, moved.amount.minor)
            })
            .collect(),
        gross_mrr_churn: percent(revenue.gross_mrr_churn),
        monthly_churn_of_ltv: percent(life.monthly_churn),
        cohorts: cohorts.into_iter().map(|cohort| cohort.cohort).collect(),
    }
}

fn settings(change: Option<(&str, &str)>) -> RevenueSettings {
    let mut keys = json!({
        "churn_day": "end_of_term",
        "reactivation": "own",
        "mrr_churn": "movements",
        "ltv_churn": "logo",
        "cohort": "sign_up",
        "gross_margin_bp": 0,
    });
    if let Some((key, word)) = change {
        keys[key] = Value::from(word);
    }
    serde_json::from_value(keys).unwrap()
}

fn lines(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|&line| line.to_owned()).collect()
}

/// Shares of 400: 150 fell, 100 stay away; one of two accounts left in 73 days.
#[tokio::test(flavor = "multi_thread")]
async fn k1_k6_each_switch_changes_what_it_is_about() {
    assert_eq!(settings(None), RevenueSettings::default(), "the documented defaults");
    let usual = || Told {
        movements: lines(&["2026-03-01 Churn -100", "2026-04-01 Reactivation 80"]),
        gross_mrr_churn: "37.500".to_owned(),
        monthly_churn_of_ltv: "20.848".to_owned(),
        cohorts: lines(&["2025-11", "2025-12"]),
    };
    assert_eq!(told(settings(None)).await, usual());
    for (key, word, expected) in [
        (
            "churn_day",
            "notice",
            Told {
                movements: lines(&["2026-01-10 Churn -100", "2026-04-01 Reactivation 80"]),
                ..usual()
            },
        ),
        (
            "reactivation",
            "new",
            Told {
                movements: lines(&["2026-03-01 Churn -100", "2026-04-01 New 80"]),
                ..usual()
            },
        ),
        (
            "mrr_churn",
            "accounts",
            Told {
                gross_mrr_churn: "25.000".to_owned(),
                ..usual()
            },
        ),
        (
            "ltv_churn",
            "gross_mrr",
            Told {
                monthly_churn_of_ltv: "15.636".to_owned(),
                ..usual()
            },
        ),
        (
            "cohort",
            "first_mrr",
            Told {
                cohorts: lines(&["2025-12"]),
                ..usual()
            },
        ),
    ] {
        assert_eq!(told(settings(Some((key, word)))).await, expected, "{key} = {word}");
    }
}

/// Every switch of the table in the README is a key of the file with the defaults, both words beside it.
#[test]
fn every_documented_switch_is_a_key_with_both_of_its_words() {
    let (page, defaults) = (include_str!("../../README.md"), include_str!("../../config.toml"));
    let table = page.split("## Where vendors disagree").nth(1).unwrap();
    let rows: Vec<Vec<&str>> = table
        .lines()
        .skip_while(|line| !line.starts_with("|---"))
        .skip(1)
        .take_while(|line| line.starts_with('|'))
        .map(|line| line.split('`').skip(1).step_by(2).collect())
        .collect();
    assert_eq!(rows.len(), 5, "{rows:?}");
    for row in rows {
        let [key, default, other] = row[..] else {
            panic!("{row:?}")
        };
        assert!(defaults.contains(&format!("\n{key} = \"{default}\"\n")), "{key}");
        assert!(
            defaults.contains(&format!("\"{other}\"")),
            "{key}: {other} is not documented"
        );
        settings(Some((key, default)));
        settings(Some((key, other)));
    }
}
