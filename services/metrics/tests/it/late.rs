//! Facts in any order, late, corrected, twice: the same numbers (I-5, K-1), on whichever database the suite runs.

use jiff::{SignedDuration, Span, Timestamp, civil::date};
use proptest::{collection::vec, option, prelude::*, test_runner::TestRunner};
use sea_orm::{ConnectionTrait, Statement};
use tokio::runtime::Runtime;
use upswell_metrics::{
    app::{App, Asked, Fact, VerifySums},
    domain::{
        journey::{Order, Profile},
        kept::Dimension,
        movement::Cause,
        revenue::Revenue,
        schedule::Step,
        subscription::{Terms, Version},
        window::Window,
    },
};
use upswell_runtime::{db::Db, jobs::Job as _, money::Money};

use crate::world::{app, day, version};

/// What is told in the end, apart from the order in which it is.
#[derive(Clone, Debug)]
struct History {
    facts: Vec<Fact>,
}

fn fact() -> impl Strategy<Value = Fact> {
    let what = (0..3_u8, 0..3_u8, 0..400_i64, option::of(0..200_i64));
    let terms = (
        0..900_i64,
        0..3_i64,
        option::of(0..2_u8),
        prop::bool::weighted(0.1),
        1..4_i64,
        option::of((1..120_i64, 0..900_i64)),
    );
    let version = (what, terms).prop_map(
        |((account, line, from, lasts), (mrr, occurred, order, superseded, quantity, later))| {
            let effective_on = date(2025, 12, 10) + Span::new().days(from);
            let currency = if line == 2 { "KZT" } else { "USD" };
            let id = format!("b/{account}/{line}/{from}/{occurred}");
            let version = Version {
                effective_on,
                end_on: lasts.map(|days| effective_on + Span::new().days(days)),
                mrr: Money::new(mrr, currency.parse().unwrap()),
                occurred_at: Timestamp::UNIX_EPOCH + SignedDuration::from_hours(occurred),
                superseded,
                order_id: order.map(|order| format!("o-{account}-{order}")),
                terms: Terms {
                    product: if mrr % 2 == 0 { "basic" } else { "pro" }.to_owned(),
                    plan: line == 0,
                    quantity,
                    // A discount that runs out, whatever comes before that day.
                    steps: Vec::from_iter(later.map(|(days, mrr)| Step {
                        on: effective_on + Span::new().days(days),
                        mrr: Money::new(mrr, currency.parse().unwrap()),
                        cause: Cause::DiscountExpiry,
                    })),
                    ..Terms::default()
                },
                ..version(&id, &format!("{account}/{line}"), "2026-01-01", 0)
            };
            Fact::Version(format!("a-{account}"), version)
        },
    );
    let profile = (0..3_u8, 0..2_u8).prop_map(|(account, segment)| {
        Fact::Profile(Profile {
            account_id: format!("a-{account}"),
            segment: format!("s-{segment}"),
            country: "KZ".to_owned(),
            customer_since: None,
        })
    });
    let order = (0..3_u8).prop_map(|account| {
        Fact::Order(Order {
            order_id: format!("o-{account}-0"),
            offer_id: "offer".to_owned(),
            account_id: format!("a-{account}"),
            motion: "capacity".to_owned(),
            signal_at: None,
            placed_at: Timestamp::UNIX_EPOCH,
            paid_at: None,
        })
    });
    prop_oneof![8 => version, 1 => profile, 1 => order]
}

/// The last word on each thing: what an inbox that keeps the order of each thing's own events leaves. Everything else
/// may be told in any order.
fn history() -> impl Strategy<Value = (History, Vec<Fact>)> {
    vec(fact(), 0..14).prop_flat_map(|facts| {
        let mut last: Vec<Fact> = Vec::new();
        for fact in facts {
            last.retain(|known| key(known) != key(&fact));
            last.push(fact);
        }
        let shuffled = Just(last.clone()).prop_shuffle();
        let first_words = vec((any::<prop::sample::Index>(), 0..900_i64), 0..6);
        (Just(last), shuffled, first_words).prop_map(|(last, shuffled, first_words)| {
            // What is corrected later, and what comes twice, is told before its last word.
            let mut told = Vec::new();
            for (index, mrr) in first_words {
                if shuffled.is_empty() {
                    break;
                }
                told.push(other_words(index.get(&shuffled), mrr));
            }
            let repeated = shuffled.iter().step_by(3).cloned();
            told.extend(repeated);
            told.extend(shuffled.iter().cloned());
            (History { facts: last }, told)
        })
    })
}

fn key(fact: &Fact) -> String {
    match fact {
        Fact::Version(_, version) => version.version_id.clone(),
        Fact::Profile(profile) => format!("profile/{}", profile.account_id),
        Fact::Order(order) => format!("order/{}", order.order_id),
        other => format!("{other:?}"),
    }
}

fn other_words(fact: &Fact, mrr: i64) -> Fact {
    match fact.clone() {
        Fact::Version(account, version) => {
            let mrr = Money::new(mrr, version.mrr.currency);
            let version = Version {
                mrr,
                superseded: !version.superseded,
                ..version
            };
            Fact::Version(account, version)
        }
        Fact::Profile(profile) => Fact::Profile(Profile {
            segment: "before".to_owned(),
            ..profile
        }),
        other => other,
    }
}

async fn tell(app: &App, db: &Db, facts: &[Fact]) {
    for fact in facts {
        let tx = db.begin().await.unwrap();
        app.record(&tx, fact.clone()).await.unwrap();
        tx.commit().await.unwrap();
    }
}

const TABLES: [&str; 6] = [
    "revenue_flows",
    "revenue_spans",
    "revenue_places",
    "mrr_levels",
    "movements",
    "subscription_versions",
];

async fn forget(db: &Db) {
    let tx = db.begin().await.unwrap();
    for table in TABLES.into_iter().chain(["accounts", "orders", "revenue_state"]) {
        let delete = Statement::from_string(db.backend(), format!("DELETE FROM {table}"));
        tx.execute_raw(delete).await.unwrap();
    }
    tx.commit().await.unwrap();
}

/// Everything that can be asked: all, each slice, aligned windows and odd ones.
async fn answers(app: &App) -> Vec<(String, Vec<Revenue>)> {
    let mut found = Vec::new();
    for (start, end) in [
        ("2026-01-01", "2026-02-01"),
        ("2026-01-01", "2026-04-01"),
        ("2026-01-01", "2027-01-01"),
        ("2026-01-15", "2026-03-09"),
        ("2025-12-20", "2026-12-24"),
    ] {
        let window = Window::new(day(start), day(end)).unwrap();
        let all = app.revenue_of(window, &Asked::all()).await.unwrap();
        found.push((format!("{start} {end}"), all));
        for dimension in [
            Dimension::Segment,
            Dimension::Plan,
            Dimension::Country,
            Dimension::Cohort,
        ] {
            found.extend(
                app.breakdown(window, dimension)
                    .await
                    .unwrap()
                    .into_iter()
                    .filter(|(_, r)| !r.is_empty()),
            );
        }
    }
    found
}

#[test]
fn i5_k1_late_corrected_reordered_and_repeated_facts_give_the_numbers_of_the_sorted_ones() {
    let runtime = Runtime::new().unwrap();
    let (app, store) = runtime.block_on(app());
    let mut runner = TestRunner::new(ProptestConfig::with_cases(24));
    let outcome = runner.run(&history(), |(history, told)| {
        let (sorted, shuffled, derived) = runtime.block_on(async {
            forget(&store.db).await;
            let mut facts = history.facts.clone();
            facts.sort_by_key(|fact| match fact {
                Fact::Version(_, version) => (version.effective_on, version.version_id.clone()),
                other => (day("2000-01-01"), key(other)),
            });
            tell(&app, &store.db, &facts).await;
            let sorted = answers(&app).await;
            forget(&store.db).await;
            tell(&app, &store.db, &told).await;
            let shuffled = answers(&app).await;
            assert!(app.derive_all_if_needed().await.unwrap());
            (sorted, shuffled, answers(&app).await)
        });
        prop_assert_eq!(&sorted, &shuffled, "in another order");
        prop_assert_eq!(&sorted, &derived, "all derived anew");
        Ok(())
    });
    outcome.unwrap();
}

#[tokio::test]
async fn k1_sums_that_were_tampered_with_are_found_and_derived_anew() {
    let (app, store) = app().await;
    tell(
        &app,
        &store.db,
        &[Fact::Version(
            "acme".to_owned(),
            version("b/1", "line", "2026-01-10", 100),
        )],
    )
    .await;
    let before = answers(&app).await;
    let job = VerifySums::new(app.clone());
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    assert_eq!(
        job.run_once(at("2026-02-01T00:00:00Z")).await.unwrap(),
        0,
        "nothing is wrong"
    );
    let tx = store.db.begin().await.unwrap();
    let tamper = "UPDATE revenue_flows SET amount = amount + 1 WHERE kind = 0 AND currency <> ''";
    tx.execute_raw(Statement::from_string(store.db.backend(), tamper))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(
        job.run_once(at("2026-02-01T23:00:00Z")).await.unwrap(),
        0,
        "the look of today is good"
    );
    assert_eq!(job.run_once(at("2026-02-02T00:00:00Z")).await.unwrap(), 1);
    assert_eq!(answers(&app).await, before);
}
