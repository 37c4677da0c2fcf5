//! What only PostgreSQL does: many processes over one store, connections that die, conflicts. Without
//! `UPSWELL_TEST_POSTGRES` there is nothing to see here.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use sea_orm::{ConnectionTrait as _, DbErr};
use sea_orm_migration::{MigrationName, MigrationTrait, MigratorTrait, SchemaManager};
use upswell_runtime::{
    db::{Db, retrying, runtime_migrations},
    problem::Kind,
    testing::TempDb,
};

use crate::world::{Migrator, effects, number, sql};

/// A migration that takes its time.
struct Slow;

impl MigrationName for Slow {
    fn name(&self) -> &str {
        "test_0002_slow"
    }
}

#[async_trait::async_trait]
#[expect(
    elided_lifetimes_in_paths,
    reason = "async_trait gives a written lifetime a name that the trait has not"
)]
impl MigrationTrait for Slow {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        connection
            .execute_unprepared("CREATE TABLE slow_once (id INTEGER PRIMARY KEY)")
            .await?;
        connection.execute_unprepared("SELECT pg_sleep(0.3)").await.map(drop)
    }
}

struct SlowMigrator;

impl MigratorTrait for SlowMigrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let mut all = runtime_migrations();
        all.push(Box::new(Slow));
        all
    }
}

/// Ends the sessions of the store whose last statement begins with `statement`; how many.
async fn terminate(db: &Db, statement: &str) -> i64 {
    let query = format!(
        "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity \
         WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE '{statement}%'"
    );
    number(db, &query).await
}

#[tokio::test]
async fn f37_of_many_migrators_at_once_one_migrates_and_the_others_wait() {
    let temp = TempDb::empty::<SlowMigrator>().await.unwrap();
    if !temp.is_postgres() {
        return;
    }
    let starts = (0..5).map(|_| async {
        let db = Db::open::<SlowMigrator>(temp.settings()).await.unwrap();
        let applied = db.migrate::<SlowMigrator>().await.unwrap();
        assert_eq!(
            db.pending::<SlowMigrator>().await.unwrap(),
            0,
            "whoever waited finds the schema whole"
        );
        applied.len()
    });
    let applied = futures::future::join_all(starts).await;
    assert_eq!(
        applied.iter().sum::<usize>(),
        SlowMigrator::migrations().len(),
        "{applied:?}"
    );
    assert_eq!(applied.iter().filter(|count| **count > 0).count(), 1, "{applied:?}");
}

#[tokio::test]
async fn f34_a_migrator_that_is_killed_leaves_nothing_half_done() {
    let temp = TempDb::empty::<SlowMigrator>().await.unwrap();
    if !temp.is_postgres() {
        return;
    }
    let db = temp.db.clone();
    let killed = tokio::spawn(async move { db.migrate::<SlowMigrator>().await });
    while terminate(&temp.db, "SELECT pg_sleep").await == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(killed.await.unwrap().unwrap_err().kind(), Kind::Unavailable);
    assert_eq!(temp.db.pending::<SlowMigrator>().await.unwrap(), 1);
    let half = "SELECT COUNT(*) FROM pg_tables WHERE tablename = 'slow_once'";
    assert_eq!(number(&temp.db, half).await, 0);
    assert_eq!(temp.db.migrate::<SlowMigrator>().await.unwrap(), ["test_0002_slow"]);
    let locks = "SELECT COUNT(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database \
                 WHERE l.locktype = 'advisory' AND d.datname = current_database()";
    tokio::time::timeout(Duration::from_secs(20), async {
        while number(&temp.db, locks).await > 0 {}
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn f40_a_store_whose_connections_were_all_killed_is_written_again_at_once() {
    let temp = TempDb::open::<Migrator>().await.unwrap();
    if !temp.is_postgres() {
        return;
    }
    let open: Vec<_> = futures::future::join_all((0..6).map(|_| temp.db.begin())).await;
    for tx in open {
        tx.unwrap().commit().await.unwrap();
    }
    let other = Db::open::<Migrator>(temp.settings()).await.unwrap();
    assert!(terminate(&other, "").await >= 6);
    let tx = temp.db.begin().await.unwrap();
    tx.execute_unprepared("INSERT INTO effects (key, seq) VALUES ('a', 1)")
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(effects(&temp.db).await, [("a".to_owned(), 1)]);
}

#[tokio::test]
async fn f40_a_transaction_whose_connection_is_killed_is_unavailable_and_gone() {
    let temp = TempDb::open::<Migrator>().await.unwrap();
    if !temp.is_postgres() {
        return;
    }
    let tx = temp.db.begin().await.unwrap();
    tx.execute_unprepared("INSERT INTO effects (key, seq) VALUES ('killed', 1)")
        .await
        .unwrap();
    assert!(terminate(&temp.db, "INSERT INTO effects").await > 0);
    assert_eq!(tx.commit().await.unwrap_err().kind(), Kind::Unavailable);
    assert_eq!(effects(&temp.db).await, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f43_transactions_that_deadlock_are_run_again_and_both_succeed() {
    let temp = TempDb::open::<Migrator>().await.unwrap();
    if !temp.is_postgres() {
        return;
    }
    sql(&temp.db, "INSERT INTO effects (key, seq) VALUES ('a', 0), ('b', 0)").await;
    let met = tokio::sync::Barrier::new(2);
    let crossing = async |first: &str, second: &str| {
        let attempts = AtomicU32::new(0);
        retrying(|| async {
            let attempt = attempts.fetch_add(1, Ordering::SeqCst);
            let tx = temp.db.begin().await?;
            let update = |key: &str| format!("UPDATE effects SET seq = seq + 1 WHERE key = '{key}'");
            tx.execute_unprepared(&update(first)).await?;
            // Both hold their first row before either asks for its second.
            if attempt == 0 {
                met.wait().await;
            }
            tx.execute_unprepared(&update(second)).await?;
            tx.commit().await
        })
        .await
    };
    let (one, other) = tokio::join!(crossing("a", "b"), crossing("b", "a"));
    one.unwrap();
    other.unwrap();
    assert_eq!(
        number(&temp.db, "SELECT CAST(SUM(seq) AS BIGINT) FROM effects").await,
        4
    );
}

#[tokio::test]
async fn f41_who_waits_too_long_for_a_lock_is_told_to_come_again() {
    let temp = TempDb::open::<Migrator>().await.unwrap();
    if !temp.is_postgres() {
        return;
    }
    sql(&temp.db, "INSERT INTO effects (key, seq) VALUES ('a', 0)").await;
    let holder = temp.db.begin().await.unwrap();
    let lock = "SELECT 1 FROM effects WHERE key = 'a' FOR UPDATE";
    holder.execute_unprepared(lock).await.unwrap();
    let tx = temp.db.begin().await.unwrap();
    tx.execute_unprepared("SET LOCAL lock_timeout = '1ms'").await.unwrap();
    let problem = upswell_runtime::problem::Problem::from(tx.execute_unprepared(lock).await.unwrap_err());
    assert_eq!((problem.kind(), problem.reason()), (Kind::Unavailable, "STORE_LOCKED"));
    drop(tx);
    let tx = temp.db.begin().await.unwrap();
    tx.execute_unprepared("SET LOCAL statement_timeout = '1ms'")
        .await
        .unwrap();
    let problem =
        upswell_runtime::problem::Problem::from(tx.execute_unprepared("SELECT pg_sleep(5)").await.unwrap_err());
    assert_eq!(problem.kind(), Kind::Unavailable);
}
