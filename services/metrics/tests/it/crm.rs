//! The subscriptions of a CRM vendor against an oracle that shares nothing with the service: it looks at every account on
//! every day, straight from the rows. A sample is here; `UPSWELL_CRM_SUBSCRIPTIONS` names a CSV with the whole set.

use std::{collections::BTreeMap, env, fs};

use jiff::{
    Timestamp,
    civil::{Date, date},
};
use upswell_metrics::{
    app::{App, Fact},
    domain::{
        kept::months_after,
        movement::MovementKind,
        revenue::Revenue,
        subscription::{Terms, Version},
        timeline::timeline,
        window::Window,
    },
    store,
};
use upswell_runtime::{
    clock::Clock,
    db::{epoch_day, from_epoch_day},
    money::Money,
    testing::TempDb,
};

use crate::world::{NOW, day};

const FIRST: Date = date(2021, 12, 1);
const LAST: Date = date(2025, 2, 1);

/// A row: what an account pays for a product from one day up to another.
struct Paid {
    account: String,
    product: String,
    from: i32,
    to: i32,
    minor: i64,
    quantity: i64,
}

fn rows() -> Vec<Paid> {
    let text = match env::var("UPSWELL_CRM_SUBSCRIPTIONS") {
        Ok(path) => fs::read_to_string(path).unwrap(),
        Err(_) => include_str!("../golden/crm_subscriptions.csv").to_owned(),
    };
    let rows = text.lines().skip(1).map(|line| {
        let cells: Vec<&str> = line.split(',').collect();
        Paid {
            account: cells[0].to_owned(),
            product: cells[1].to_owned(),
            from: epoch_day(day(cells[2])),
            to: epoch_day(day(cells[3])),
            minor: (cells[4].parse::<f64>().unwrap() * 100.0).round() as i64,
            quantity: cells[5].parse::<f64>().map_or(1, |quantity| quantity as i64),
        }
    });
    rows.collect()
}

fn versions(rows: &[Paid]) -> BTreeMap<String, Vec<Version>> {
    let mut versions: BTreeMap<String, Vec<Version>> = BTreeMap::new();
    for (index, row) in rows.iter().enumerate() {
        let plan = !["meetings", "search_unlimited"].contains(&row.product.as_str());
        let line = if plan { "plan" } else { &row.product };
        let version = Version {
            version_id: format!("crm/{index}"),
            subscription_id: format!("{}/{line}", row.account),
            effective_on: from_epoch_day(row.from),
            end_on: Some(from_epoch_day(row.to)),
            mrr: Money::new(row.minor, "USD".parse().unwrap()),
            occurred_at: Timestamp::UNIX_EPOCH,
            superseded: false,
            order_id: None,
            terms: Terms {
                product: row.product.clone(),
                plan,
                quantity: row.quantity,
                ..Terms::default()
            },
        };
        versions.entry(row.account.clone()).or_default().push(version);
    }
    versions
}

/// MRR of each account at the end of each day from [`FIRST`] on.
fn oracle(rows: &[Paid]) -> BTreeMap<String, Vec<i64>> {
    let (first, last) = (epoch_day(FIRST), epoch_day(LAST));
    let mut days: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for row in rows {
        let account = days
            .entry(row.account.clone())
            .or_insert_with(|| vec![0; (last - first) as usize]);
        for day in row.from.max(first)..row.to.min(last) {
            account[(day - first) as usize] += row.minor;
        }
    }
    days
}

/// Kind and net change of an account on each day that has one.
fn turns(days: &[i64]) -> BTreeMap<usize, (MovementKind, i64)> {
    let mut found = BTreeMap::new();
    let mut ever = false;
    for index in 1..days.len() {
        let (before, now) = (days[index - 1], days[index]);
        ever |= before > 0;
        let kind = match (before, now) {
            (0, 0) => continue,
            (0, _) if ever => MovementKind::Reactivation,
            (0, _) => MovementKind::New,
            (_, 0) => MovementKind::Churn,
            _ if now > before => MovementKind::Expansion,
            _ if now < before => MovementKind::Contraction,
            _ => continue,
        };
        found.insert(index, (kind, now - before));
    }
    found
}

#[test]
fn k1_movements_of_every_account_and_day_are_those_of_the_oracle() {
    let rows = rows();
    let oracle = oracle(&rows);
    let mut days_with_movements = 0;
    for (account, versions) in versions(&rows) {
        let timeline = timeline(&versions).unwrap();
        let days = &oracle[&account];
        let mut moved: BTreeMap<usize, (Vec<MovementKind>, i64)> = BTreeMap::new();
        for movement in &timeline.movements {
            let index = (epoch_day(movement.day) - epoch_day(FIRST)) as usize;
            let (kinds, sum) = moved.entry(index).or_default();
            kinds.push(movement.kind);
            *sum += movement.amount.minor;
            assert!(movement.mrr_after.minor >= 0);
        }
        moved.retain(|index, _| *index < days.len());
        let turns = turns(days);
        for (index, (kind, delta)) in &turns {
            let (kinds, sum) = &moved[index];
            assert_eq!(sum, delta, "account {account} day {index}");
            assert!(kinds.contains(kind), "account {account} day {index}: {kinds:?}");
            days_with_movements += 1;
        }
        // A day without a turn may hold what rises and what falls by different causes, as long as nothing is left.
        let others = moved.iter().filter(|(index, _)| !turns.contains_key(index));
        for (index, (_, sum)) in others {
            assert_eq!(*sum, 0, "account {account} day {index}");
        }
    }
    assert!(days_with_movements > 200, "the data moves: {days_with_movements}");
}

#[tokio::test]
async fn k1_to_k6_every_month_of_the_store_is_that_of_the_oracle() {
    let rows = rows();
    let store = TempDb::open::<upswell_metrics::Migrator>().await.unwrap();
    let app = App::new(store.db.clone(), Clock::manual(NOW.parse().unwrap()));
    let versions = versions(&rows);
    let tx = store.db.begin().await.unwrap();
    for (index, (account, versions)) in versions.iter().enumerate() {
        for version in versions {
            // A part comes as events, the rest is found when everything is derived anew.
            if index % 5 == 0 && index < 1_000 {
                app.record(&tx, Fact::Version(account.clone(), version.clone()))
                    .await
                    .unwrap();
            } else {
                store::version_upsert(&tx, account, version).await.unwrap();
            }
        }
    }
    tx.commit().await.unwrap();
    assert!(app.derive_all_if_needed().await.unwrap());
    assert!(!app.derive_all_if_needed().await.unwrap(), "once");
    let oracle = oracle(&rows);
    let mut start = months_after(FIRST, 1);
    while months_after(start, 1) < LAST {
        for (length, window) in [1, 3, 12].map(|months| (months, months_after(start, months))) {
            if window < LAST {
                let window = Window::new(start, window).unwrap();
                let found = app.revenue(window, "").await.unwrap();
                check(&oracle, window, found.first(), length);
            }
        }
        start = months_after(start, 1);
    }
}

fn check(oracle: &BTreeMap<String, Vec<i64>>, window: Window, found: Option<&Revenue>, months: i32) {
    let index = |day: Date| (epoch_day(day) - epoch_day(FIRST)) as usize;
    let (first, last) = (index(window.start()), index(window.end()));
    let ends: Vec<(i64, i64)> = oracle.values().map(|days| (days[first - 1], days[last - 1])).collect();
    let sum = |pick: fn(&(i64, i64)) -> i64| ends.iter().map(pick).sum::<i64>();
    let Some(found) = found else {
        assert_eq!(sum(|e| e.0 + e.1), 0);
        return;
    };
    let place = format!("{} for {months} months", window.start());
    assert_eq!(found.mrr_start.minor, sum(|e| e.0), "{place}");
    assert_eq!(found.mrr_end.minor, sum(|e| e.1), "{place}");
    assert_eq!(found.paying_start, sum(|e| i64::from(e.0 > 0)), "{place}");
    assert_eq!(found.paying_end, sum(|e| i64::from(e.1 > 0)), "{place}");
    assert_eq!(
        found.retained_end.minor,
        sum(|e| if e.0 > 0 { e.1 } else { 0 }),
        "{place}"
    );
    assert_eq!(found.retained_gross.minor, sum(|e| e.0.min(e.1)), "{place}");
    assert_eq!(
        found.churned_accounts,
        sum(|e| i64::from(e.0 > 0 && e.1 == 0)),
        "{place}"
    );
    let mut moved: BTreeMap<MovementKind, i64> = BTreeMap::new();
    for days in oracle.values() {
        for (_, (kind, delta)) in turns(days).range(first..last) {
            *moved.entry(*kind).or_default() += delta;
        }
    }
    let of = |kind| moved.get(&kind).copied().unwrap_or_default();
    let told = |kind| {
        found
            .totals
            .iter()
            .find(|total| total.kind == kind)
            .map_or(0, |total| total.amount.minor)
    };
    for kind in [MovementKind::New, MovementKind::Reactivation, MovementKind::Churn] {
        assert_eq!(told(kind), of(kind), "{place} {kind:?}");
    }
    // By cause, one day may hold both a rise and a fall of an account: only their sum is the oracle's.
    let net = |of: &dyn Fn(MovementKind) -> i64| of(MovementKind::Expansion) + of(MovementKind::Contraction);
    assert_eq!(net(&told), net(&of), "{place}");
    assert_eq!(found.expansion_net.minor, net(&of), "{place}");
}
