//! The store suite: what the SQL sums up is what the definitions say. Each case takes a database, so that the suite
//! runs unchanged on another one.

use std::sync::atomic::{AtomicU32, Ordering};

use jiff::{Span, civil::date};
use proptest::{collection::vec, option, prelude::*, test_runner::TestRunner};
use tokio::runtime::Runtime;
use upswell_metrics::{
    app::{App, Fact},
    domain::{
        journey::{Order, Profile},
        movement::MovementKind,
        revenue::Revenue,
        subscription::Version,
        timeline::{Timeline, timeline},
        window::Window,
    },
    store::{MovementFilter, movement_list, version_list},
};
use upswell_runtime::{db::Db, money::Money};

use crate::world::{app, day, version};

async fn record(app: &App, db: &Db, facts: Vec<Fact>) {
    let tx = db.begin().await.unwrap();
    for fact in facts {
        app.record(&tx, fact).await.unwrap();
    }
    tx.commit().await.unwrap();
}

fn of(account: &str, version: Version) -> Fact {
    Fact::Version(account.to_owned(), version)
}

#[tokio::test]
async fn versions_come_back_as_they_were_written() {
    let (app, store) = app().await;
    let full = Version {
        end_on: Some(day("2027-01-01")),
        superseded: true,
        order_id: Some("o-1".to_owned()),
        ..version("b/1", "line", "2026-01-01", 5)
    };
    let plain = version("b/2", "line", "1969-12-31", 7);
    record(
        &app,
        &store.db,
        vec![of("acme", full.clone()), of("acme", plain.clone())],
    )
    .await;
    record(
        &app,
        &store.db,
        vec![of("other", version("b/3", "else", "2026-01-01", 1))],
    )
    .await;
    assert_eq!(version_list(store.db.reader(), "acme").await.unwrap(), [full, plain]);
}

#[tokio::test]
async fn i5_a_late_or_corrected_version_rewrites_the_account_and_no_other() {
    let (app, store) = app().await;
    let first = version("b/1", "line", "2026-01-10", 100);
    let facts = vec![
        of("acme", first.clone()),
        of("other", version("b/9", "other", "2026-01-01", 7)),
    ];
    record(&app, &store.db, facts).await;
    record(
        &app,
        &store.db,
        vec![of("acme", version("b/0", "line", "2026-01-05", 40))],
    )
    .await;
    let corrected = Version {
        superseded: true,
        ..first
    };
    let told = |rows: Vec<upswell_metrics::store::ListedMovement>| -> Vec<String> {
        let tell = |row: upswell_metrics::store::ListedMovement| {
            format!(
                "{} {} {:?} {}",
                row.account_id, row.movement.day, row.movement.kind, row.movement.amount.minor
            )
        };
        rows.into_iter().map(tell).collect()
    };
    let filter = MovementFilter {
        window: Window::new(day("2026-01-01"), day("2026-02-01")).unwrap(),
        account_id: None,
        kind: None,
        cause: None,
    };
    let before = told(movement_list(store.db.reader(), &filter, None, 100).await.unwrap());
    assert_eq!(
        before,
        [
            "other 2026-01-01 New 7",
            "acme 2026-01-05 New 40",
            "acme 2026-01-10 Expansion 60"
        ]
    );
    record(&app, &store.db, vec![of("acme", corrected)]).await;
    let after = told(movement_list(store.db.reader(), &filter, None, 100).await.unwrap());
    assert_eq!(after, ["other 2026-01-01 New 7", "acme 2026-01-05 New 40"]);
}

#[tokio::test]
async fn pages_of_movements_join_without_gap_or_repeat() {
    let (app, store) = app().await;
    for account in ["a", "b", "c"] {
        let lines = ["x", "y", "z"].map(|line| Version {
            order_id: Some(format!("o-{line}")),
            ..version(
                &format!("{account}/{line}"),
                &format!("{account}/{line}"),
                "2026-01-10",
                10,
            )
        });
        let plan = version(&format!("{account}/p"), &format!("{account}/p"), "2026-01-01", 1);
        record(
            &app,
            &store.db,
            lines
                .into_iter()
                .chain([plan])
                .map(|version| of(account, version))
                .collect(),
        )
        .await;
    }
    let filter = MovementFilter {
        window: Window::new(day("2026-01-01"), day("2026-02-01")).unwrap(),
        account_id: None,
        kind: None,
        cause: None,
    };
    let all = movement_list(store.db.reader(), &filter, None, 1_000).await.unwrap();
    assert_eq!(all.len(), 12);
    for size in 1..=12_u32 {
        let (mut joined, mut after) = (Vec::new(), None);
        loop {
            let page = app.movements(&filter, after, size).await.unwrap();
            assert!(page.movements.len() <= size as usize);
            joined.extend(page.movements);
            after = page.last_key;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(joined, all, "pages of {size}");
    }
}

fn versions(account: usize) -> impl Strategy<Value = Vec<Version>> {
    let times = (0..40_i64, option::of(0..30_i64));
    let one = (
        0..3_u8,
        times,
        0..1_000_i64,
        option::of(0..2_u8),
        prop::bool::weighted(0.1),
    )
        .prop_map(move |(line, (from, lasts), mrr, order, superseded)| {
            let effective_on = date(2026, 1, 1) + Span::new().days(from);
            let currency = if line == 2 { "KZT" } else { "USD" };
            Version {
                effective_on,
                end_on: lasts.map(|days| effective_on + Span::new().days(days)),
                mrr: Money::new(mrr, currency.parse().unwrap()),
                superseded,
                order_id: order.map(|order| format!("{account}/o-{order}")),
                ..version("", &format!("{account}/line-{line}"), "2026-01-01", 0)
            }
        });
    vec(one, 0..6).prop_map(move |mut versions| {
        for (index, version) in versions.iter_mut().enumerate() {
            version.version_id = format!("{account}/{index}");
        }
        versions
    })
}

/// Cases share one store; each lives in a segment of its own.
#[test]
fn k1_to_k5_sums_of_the_store_are_those_of_the_definitions() {
    static CASE: AtomicU32 = AtomicU32::new(0);
    let runtime = Runtime::new().unwrap();
    let (app, store) = runtime.block_on(app());
    let accounts = (versions(0), versions(1), versions(2), versions(3));
    let windows = (0..60_i64, 1..40_i64);
    let mut runner = TestRunner::new(ProptestConfig::with_cases(64));
    let outcome = runner.run(&(accounts, windows), |((a, b, c, d), (start, length))| {
        let start = date(2026, 1, 1) + Span::new().days(start);
        let window = Window::new(start, start + Span::new().days(length)).unwrap();
        let segment = format!("case-{}", CASE.fetch_add(1, Ordering::Relaxed));
        let accounts: Vec<Vec<Version>> = [a, b, c, d].into_iter().map(|facts| renamed(facts, &segment)).collect();
        let found = runtime.block_on(async {
            for (index, versions) in accounts.iter().enumerate() {
                record(&app, &store.db, facts(&segment, index, versions)).await;
            }
            app.revenue(window, &segment).await.unwrap()
        });
        let timelines: Vec<Timeline> = accounts.iter().map(|versions| timeline(versions).unwrap()).collect();
        check(&found, &timelines, window, &segment)
    });
    outcome.unwrap();
}

/// Version and order ids are unique in the store.
fn renamed(versions: Vec<Version>, segment: &str) -> Vec<Version> {
    let rename = |version: Version| Version {
        version_id: format!("{segment}/{}", version.version_id),
        order_id: version.order_id.map(|id| format!("{segment}/{id}")),
        ..version
    };
    versions.into_iter().map(rename).collect()
}

/// The first order of each account is known, the second is nobody's.
fn facts(segment: &str, index: usize, versions: &[Version]) -> Vec<Fact> {
    let account_id = format!("{segment}/{index}");
    let order = Order {
        order_id: format!("{segment}/{index}/o-0"),
        offer_id: "offer".to_owned(),
        account_id: account_id.clone(),
        motion: "capacity".to_owned(),
        signal_at: None,
        placed_at: jiff::Timestamp::UNIX_EPOCH,
        paid_at: None,
    };
    let profile = Profile {
        account_id: account_id.clone(),
        segment: segment.to_owned(),
        ..Profile::default()
    };
    let mut facts = vec![Fact::Profile(profile), Fact::Order(order)];
    facts.extend(versions.iter().map(|version| of(&account_id, version.clone())));
    facts
}

fn check(found: &[Revenue], accounts: &[Timeline], window: Window, segment: &str) -> Result<(), TestCaseError> {
    let (before, last) = (window.start().yesterday().unwrap(), window.end().yesterday().unwrap());
    for revenue in found {
        let currency = revenue.mrr_start.currency;
        let mrr = |account: &Timeline, day, any: bool| -> i64 {
            let holds = account
                .levels
                .iter()
                .filter(|l| l.from <= day && l.to.is_none_or(|to| day < to));
            holds
                .filter(|l| any || l.mrr.currency == currency)
                .map(|l| l.mrr.minor)
                .sum()
        };
        let ends: Vec<_> = accounts
            .iter()
            .map(|a| (mrr(a, before, false), mrr(a, last, false), mrr(a, last, true)))
            .collect();
        let sum = |pick: &dyn Fn(&(i64, i64, i64)) -> i64| ends.iter().map(pick).sum::<i64>();
        prop_assert_eq!(revenue.mrr_start.minor, sum(&|e| e.0));
        prop_assert_eq!(revenue.mrr_end.minor, sum(&|e| e.1));
        prop_assert_eq!(revenue.retained_end.minor, sum(&|e| if e.0 > 0 { e.1 } else { 0 }));
        prop_assert_eq!(revenue.retained_gross.minor, sum(&|e| e.0.min(e.1)));
        prop_assert_eq!(revenue.paying_start, sum(&|e| i64::from(e.0 > 0)));
        prop_assert_eq!(revenue.paying_end, sum(&|e| i64::from(e.1 > 0)));
        prop_assert_eq!(revenue.churned_accounts, sum(&|e| i64::from(e.0 > 0 && e.2 == 0)));
        let moved = accounts
            .iter()
            .enumerate()
            .flat_map(|(index, a)| a.movements.iter().map(move |m| (index, m)));
        let inside: Vec<_> = moved
            .filter(|(_, m)| m.amount.currency == currency && m.day >= window.start() && m.day < window.end())
            .collect();
        for total in &revenue.totals {
            let of_kind: Vec<_> = inside.iter().filter(|(_, m)| m.kind == total.kind).collect();
            prop_assert_eq!(total.count, of_kind.len() as i64);
            prop_assert_eq!(
                total.amount.minor,
                of_kind.iter().map(|(_, m)| m.amount.minor).sum::<i64>()
            );
        }
        let expansions = inside.iter().filter(|(_, m)| m.kind == MovementKind::Expansion);
        let ours = |index: usize| Some(format!("{segment}/{index}/o-0"));
        let attributed = expansions
            .filter(|(index, m)| m.order_id == ours(*index))
            .map(|(_, m)| m.amount.minor);
        prop_assert_eq!(revenue.expansion_attributed.minor, attributed.sum::<i64>());
    }
    let currencies = |day| {
        accounts.iter().flat_map(move |a| {
            a.levels
                .iter()
                .filter(move |l| l.from <= day && l.to.is_none_or(|to| day < to))
        })
    };
    for level in currencies(before).chain(currencies(last)) {
        prop_assert!(
            found
                .iter()
                .any(|revenue| revenue.mrr_start.currency == level.mrr.currency)
        );
    }
    Ok(())
}
