//! The store suite: what must hold in every database.

use jiff::Timestamp;
use upswell_runtime::{problem::Kind as ProblemKind, telemetry::TraceContext, testing::TempDb};
use upswell_scoring::{
    domain::{
        facts::Mark,
        signal::{Grade, Key, Kind, Signal, State},
    },
    store::{self, Migrator, Scored},
};

use crate::world::NOON;

fn now() -> Timestamp {
    NOON.parse().unwrap()
}

async fn open() -> TempDb {
    TempDb::open::<Migrator>().await.unwrap()
}

async fn change(db: &TempDb, account_id: &str, trace: &str) {
    let trace = TraceContext {
        traceparent: trace.to_owned(),
        tracestate: String::new(),
    };
    let tx = db.db.begin().await.unwrap();
    store::accounts_mark_changed(&tx, account_id, now(), trace)
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

async fn scored(db: &TempDb, account_id: &str, version: i64) {
    let tx = db.db.begin().await.unwrap();
    let scored = Scored {
        account_id: account_id.to_owned(),
        version,
        due_at: now(),
    };
    store::accounts_mark_scored(&tx, &[scored]).await.unwrap();
    tx.commit().await.unwrap();
}

fn signal(episode: i32, state: State) -> Signal {
    Signal {
        id: upswell_runtime::ids::derive("signal", &["acme", &episode.to_string()]),
        account_id: "acme".into(),
        key: Key::new(Kind::VolumeGrowth, "shipments"),
        episode,
        state,
        grade: Grade::Normal,
        strength: 0.5,
        evidence: Vec::new(),
        opened_at: now(),
        last_seen_at: now(),
        closed_at: None,
        offer_id: None,
        quiet_since: Some("2026-10-01".parse().unwrap()),
        told_strength: 0.5,
        raised_by: None,
    }
}

#[tokio::test]
async fn a_change_during_the_scoring_leaves_the_account_dirty() {
    let db = open().await;
    change(&db, "acme", "first").await;
    change(&db, "acme", "last").await;
    let dirty = store::accounts_list_dirty(db.db.reader(), 10).await.unwrap();
    assert_eq!(
        (
            dirty.len(),
            dirty[0].change_version,
            dirty[0].trace.traceparent.as_str()
        ),
        (1, 2, "last")
    );
    change(&db, "acme", "meanwhile").await;
    scored(&db, "acme", 2).await;
    let dirty = store::accounts_list_dirty(db.db.reader(), 10).await.unwrap();
    assert_eq!((dirty[0].change_version, dirty[0].scored_version), (3, 2));
    scored(&db, "acme", 3).await;
    assert!(store::accounts_list_dirty(db.db.reader(), 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn accounts_are_due_once() {
    let db = open().await;
    assert!(!store::accounts_are_due(db.db.reader(), now()).await.unwrap());
    scored(&db, "acme", 0).await;
    assert!(store::accounts_are_due(db.db.reader(), now()).await.unwrap());
    let tx = db.db.begin().await.unwrap();
    assert_eq!(store::accounts_mark_due(&tx, now()).await.unwrap(), 1);
    assert_eq!(store::accounts_mark_due(&tx, now()).await.unwrap(), 0);
    tx.commit().await.unwrap();
    assert!(!store::accounts_are_due(db.db.reader(), now()).await.unwrap());
    assert_eq!(
        store::accounts_list_dirty(db.db.reader(), 10).await.unwrap()[0].change_version,
        1
    );
}

#[tokio::test]
async fn signals_survive_the_store() {
    let db = open().await;
    let first = signal(1, State::Consumed);
    let tx = db.db.begin().await.unwrap();
    store::signals_upsert(&tx, std::slice::from_ref(&first)).await.unwrap();
    tx.commit().await.unwrap();
    let ids = ["acme".to_owned()];
    assert_eq!(
        store::signals_list_newest(db.db.reader(), &ids).await.unwrap(),
        std::slice::from_ref(&first)
    );
    let second = signal(2, State::Open);
    let tx = db.db.begin().await.unwrap();
    store::signals_upsert(&tx, std::slice::from_ref(&second)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(
        store::signals_list_newest(db.db.reader(), &ids).await.unwrap(),
        [second]
    );
    assert_eq!(
        store::signals_fetch(db.db.reader(), &[first.id]).await.unwrap(),
        [first]
    );
}

#[tokio::test]
async fn sgr2_the_store_refuses_a_second_open_signal() {
    let db = open().await;
    let tx = db.db.begin().await.unwrap();
    let both = [signal(1, State::Open), signal(2, State::Open)];
    let problem = store::signals_upsert(&tx, &both).await.unwrap_err();
    assert_eq!(problem.kind(), ProblemKind::AlreadyExists);
}

#[tokio::test]
async fn a_moved_mark_replaces_the_old_one() {
    let db = open().await;
    let mark = |renewal: &str| Mark {
        deal_id: "deal".into(),
        days: 120,
        renewal: renewal.parse().unwrap(),
        reached: "2026-10-20".parse().unwrap(),
    };
    let tx = db.db.begin().await.unwrap();
    for renewal in ["2027-02-17", "2027-03-01"] {
        store::marks_upsert(&tx, "acme", &mark(renewal)).await.unwrap();
    }
    tx.commit().await.unwrap();
    let marks = store::marks_list(db.db.reader(), &["acme".to_owned()]).await.unwrap();
    assert_eq!(marks["acme"], [mark("2027-03-01")]);
}
