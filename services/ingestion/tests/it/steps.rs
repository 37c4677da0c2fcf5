//! F30: what a person decides and what is recorded, with every step repeated, and failing at each of them.

use sea_orm::ConnectionTrait as _;
use upswell_proto::ingestion::v1 as pb;

use crate::harness::{Running, about, by_anna, plan, profile, usage};

/// The tables that the steps of a merge and of recording write or read, in their order.
const TABLES: [&str; 7] = [
    "request_log",
    "account",
    "merge",
    "document",
    "fact",
    "outbox_seq",
    "outbox",
];

async fn rename(running: &Running, from: &str, to: &str) {
    let sql = format!("ALTER TABLE {from} RENAME TO {to}");
    let tx = running.service.db.begin().await.unwrap();
    tx.execute_unprepared(&sql).await.unwrap();
    tx.commit().await.unwrap();
}

/// What the store holds, in numbers.
async fn state(running: &Running) -> Vec<i64> {
    let mut counts = Vec::new();
    for sql in [
        "SELECT COUNT(*) FROM merge",
        "SELECT COUNT(*) FROM merge WHERE undone_at IS NOT NULL",
        "SELECT COUNT(*) FROM outbox",
        "SELECT COUNT(*) FROM request_log",
        "SELECT COUNT(*) FROM fact",
        "SELECT COUNT(*) FROM rollup",
        "SELECT COUNT(*) FROM account",
    ] {
        counts.extend(running.rows(sql).await);
    }
    counts
}

/// Does a step while a table is away, table by table: nothing of it is kept. Then it is done twice, and once in effect.
async fn fails_at_each<T: PartialEq + std::fmt::Debug>(
    running: &Running,
    step: impl AsyncFn() -> Result<T, tonic::Status>,
) -> T {
    let before = state(running).await;
    let mut failed = 0;
    for table in TABLES {
        let away = format!("{table}_away");
        rename(running, table, &away).await;
        let broken = step().await;
        rename(running, &away, table).await;
        if broken.is_ok() {
            // A step that needs no such table was done: it must be the same one when it is repeated.
            continue;
        }
        failed += 1;
        assert_eq!(state(running).await, before, "it failed at {table} and left a trace");
    }
    assert!(failed >= 4, "the step fails at {failed} tables");
    let first = step().await.unwrap();
    let after = state(running).await;
    assert_eq!(step().await.unwrap(), first, "repeated, it has the same answer");
    assert_eq!(state(running).await, after, "repeated, it changes nothing");
    first
}

#[tokio::test]
async fn f30_a_merge_and_its_undoing_happen_once_or_not_at_all() {
    let running = Running::start().await;
    running
        .record_new(vec![
            profile("p1", 1, "mid"),
            about("twin", plan("s1", 1, "500 USD")),
            about("twin", usage("u1", 1, 7)),
        ])
        .await;
    let apart = running.picture("acme").await;
    let merge = fails_at_each(&running, async || running.merge("acme", "twin").await).await;
    assert_eq!(running.picture("acme").await.subscriptions.len(), 1);
    fails_at_each(&running, async || running.unmerge(&merge.merge_id).await).await;
    assert_eq!(running.picture("acme").await, apart, "as it was");
    let told = running.events::<pb::AccountsMerged>().await.len();
    let untold = running.events::<pb::AccountsUnmerged>().await.len();
    assert_eq!((told, untold), (4, 4), "each destination was told once");
}

#[tokio::test]
async fn f30_facts_are_recorded_once_or_not_at_all() {
    let running = Running::start().await;
    let request = pb::RecordFactsRequest {
        request_id: "0199d000-0000-7000-8000-00000000f030".to_owned(),
        facts: vec![profile("p1", 1, "mid"), usage("u1", 1, 5), plan("s1", 1, "500 USD")],
    };
    let answer = fails_at_each(&running, async || {
        let answer = running.client.clone().record_facts(by_anna(request.clone())).await?;
        Ok(answer.into_inner())
    })
    .await;
    assert_eq!(answer.recorded, 3);
    assert_eq!(running.events::<pb::AccountChanged>().await.len(), 1);
}
