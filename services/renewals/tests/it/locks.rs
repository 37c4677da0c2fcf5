//! What two transactions that meet on PostgreSQL do to each other: they wait, nothing is lost, and nobody waits in a
//! circle. On SQLite there is one writer at a time, so that they cannot meet.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use sea_orm::{ConnectionTrait as _, Statement};
use tokio::task::JoinHandle;
use upswell_renewals::{
    Migrator,
    app::{App, Fact},
    clients::{Ingestion, Ledger},
    domain::risk::ChurnRisk,
    store,
};
use upswell_runtime::{
    client::{ClientSettings, Peers},
    clock::Clock,
    db::{Db, Tx},
    problem::{Problem, Violations},
    telemetry::{OutboxTrace, TraceContext},
    testing::TempDb,
};

use crate::world::{noon, settings};

fn app(db: &Db) -> App {
    let settings = settings();
    let peers = Peers::new(&BTreeMap::new(), &ClientSettings::default()).unwrap();
    App::new(
        db.clone(),
        Clock::manual(noon("2026-10-12")),
        settings.rules(&mut Violations::new()).unwrap(),
        Ledger::new(peers.clone(), settings.client.clone()),
        Ingestion::new(peers, settings.client),
        OutboxTrace::Link,
    )
}

/// A store on PostgreSQL with subscriptions, each of an account; `None` on SQLite.
async fn store_with(subscriptions: &[(&str, &str)]) -> Option<TempDb> {
    let db = TempDb::open::<Migrator>().await.unwrap();
    let tx = db.db.begin().await.unwrap();
    for (subscription, account) in subscriptions {
        let trace = TraceContext::default();
        store::subscription_due(&tx, subscription, account, &trace)
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
    db.is_postgres().then_some(db)
}

/// Records a fact about an account in a transaction of its own, beside the test.
fn beside(db: &TempDb, account: &'static str, fact: Fact) -> JoinHandle<Result<(), Problem>> {
    let (app, db) = (app(&db.db), db.db.clone());
    tokio::spawn(async move {
        let tx = db.begin().await?;
        app.record(&tx, account, fact, &TraceContext::default()).await?;
        tx.commit().await
    })
}

async fn record(db: &TempDb, tx: &Tx, account: &str, fact: Fact) {
    let (app, trace) = (app(&db.db), TraceContext::default());
    app.record(tx, account, fact, &trace).await.unwrap();
}

/// Waits until `count` transactions of the store wait for a lock.
async fn waiting(db: &Db, count: i64) {
    let sql = "SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
    let mut found: i64 = 0;
    for _ in 0..100_000 {
        let statement = Statement::from_string(db.reader().get_database_backend(), sql);
        let row = db.reader().query_one_raw(statement).await.unwrap().unwrap();
        found = row.try_get_by_index(0).unwrap();
        if found >= count {
            break;
        }
        tokio::task::yield_now().await;
    }
    assert!(found >= count, "nobody waits");
}

fn known(owner: &str) -> Fact {
    Fact::Profile {
        time_zone: TimeZone::UTC,
        owner_id: owner.into(),
        country: "KZ".into(),
        segment: "mid".into(),
        customer_since: None,
    }
}

fn scored() -> Fact {
    Fact::Score {
        risk: ChurnRisk::from_fraction(0.5).unwrap(),
        health: Some(40),
        open_critical: 2,
    }
}

#[tokio::test]
async fn f43_a_profile_and_a_score_that_meet_are_both_kept() {
    let Some(db) = store_with(&[]).await else { return };
    // The account is new to both, then known to both.
    for owner in ["anna", "boris"] {
        let tx = db.db.begin().await.unwrap();
        record(&db, &tx, "acme", known(owner)).await;
        let score = beside(&db, "acme", scored());
        waiting(&db.db, 1).await;
        tx.commit().await.unwrap();
        score.await.unwrap().unwrap();
        let account = store::account_fetch(db.db.reader(), "acme").await.unwrap();
        assert_eq!((account.owner_id.as_str(), account.health), (owner, Some(40)));
        let tx = db.db.begin().await.unwrap();
        let unscored = Fact::Score {
            risk: ChurnRisk::from_fraction(0.1).unwrap(),
            health: None,
            open_critical: 0,
        };
        record(&db, &tx, "acme", unscored).await;
        tx.commit().await.unwrap();
    }
}

#[tokio::test]
async fn f43_an_event_and_a_settling_lock_in_one_order() {
    let Some(db) = store_with(&[("s2", "acme"), ("s1", "beta")]).await else {
        return;
    };
    let tx = db.db.begin().await.unwrap();
    record(&db, &tx, "acme", known("anna")).await;
    tx.commit().await.unwrap();

    // Who settles holds a subscription and asks for its account, for which an event waits.
    let settling = db.db.begin().await.unwrap();
    store::subscriptions_lock(&settling, &["s2".to_owned()]).await.unwrap();
    let event = beside(&db, "acme", known("boris"));
    waiting(&db.db, 1).await;
    store::care_due(&settling, &BTreeSet::from(["acme"])).await.unwrap();
    settling.commit().await.unwrap();
    event.await.unwrap().unwrap();

    // Events come by account, whatever the ids of their subscriptions are.
    let events = db.db.begin().await.unwrap();
    record(&db, &events, "acme", known("anna")).await;
    let store = db.db.clone();
    let settling: JoinHandle<Result<(), Problem>> = tokio::spawn(async move {
        let tx = store.begin().await?;
        store::subscriptions_lock(&tx, &["s1".to_owned(), "s2".to_owned()]).await?;
        tx.commit().await
    });
    waiting(&db.db, 1).await;
    record(&db, &events, "beta", known("anna")).await;
    events.commit().await.unwrap();
    settling.await.unwrap().unwrap();
}
