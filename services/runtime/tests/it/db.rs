use std::{
    os::unix::fs::PermissionsExt as _,
    sync::{
        Arc,
        atomic::{AtomicI32, Ordering},
    },
};

use sea_orm::{ConnectionTrait, Statement};
use sea_orm_migration::{MigrationName, MigrationTrait, MigratorTrait};
use upswell_runtime::{
    db::{Db, DbSettings},
    problem::Kind,
    testing::{RuntimeMigrator, TempDb},
};

use crate::world::{Migrator, effects, number, sql};

async fn pragma(connection: &impl ConnectionTrait, name: &str) -> String {
    let query = Statement::from_string(connection.get_database_backend(), format!("PRAGMA {name}"));
    let row = connection.query_one_raw(query).await.unwrap().unwrap();
    row.try_get_by_index::<String>(0)
        .or_else(|_| row.try_get_by_index::<i64>(0).map(|n| n.to_string()))
        .unwrap()
}

#[tokio::test]
async fn the_pragmas_are_in_force_on_both_pools() {
    let temp = TempDb::open::<Migrator>().await.unwrap();
    if !temp.is_sqlite() {
        return;
    }
    let tx = temp.db.begin().await.unwrap();
    for (name, value) in [
        ("journal_mode", "wal"),
        ("synchronous", "2"),
        ("busy_timeout", "5000"),
        ("foreign_keys", "1"),
        ("wal_autocheckpoint", "1000"),
        ("journal_size_limit", "67108864"),
        ("trusted_schema", "0"),
        ("cell_size_check", "1"),
    ] {
        assert_eq!(pragma(&*tx, name).await, value, "writer {name}");
        assert_eq!(pragma(temp.db.reader(), name).await, value, "reader {name}");
    }
    assert_eq!(pragma(temp.db.reader(), "query_only").await, "1");
}

#[tokio::test]
async fn readers_cannot_write() {
    let temp = TempDb::open::<Migrator>().await.unwrap();
    if !temp.is_sqlite() {
        return;
    }
    let written = temp
        .db
        .reader()
        .execute_unprepared("INSERT INTO effects (key, seq) VALUES ('a', 1)")
        .await;
    assert!(written.unwrap_err().to_string().contains("readonly"));
}

#[tokio::test]
async fn the_file_is_for_its_owner_only() {
    let temp = TempDb::open::<Migrator>().await.unwrap();
    if !temp.is_sqlite() {
        return;
    }
    let path = temp.settings().url.strip_prefix("sqlite:").unwrap().to_owned();
    for file in [path.clone(), format!("{path}-wal"), format!("{path}-shm")] {
        assert_eq!(
            std::fs::metadata(&file).unwrap().permissions().mode() & 0o777,
            0o600,
            "{file}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixteen_writers_take_turns() {
    let temp = TempDb::open::<Migrator>().await.unwrap();
    if !temp.is_sqlite() {
        return;
    }
    let inside = Arc::new(AtomicI32::new(0));
    let tasks: Vec<_> = (0..16)
        .map(|_| {
            let (db, inside) = (temp.db.clone(), Arc::clone(&inside));
            tokio::spawn(async move {
                let tx = db.begin().await.unwrap();
                assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                let query = Statement::from_string(db.backend(), "SELECT COUNT(*) FROM effects");
                let count: i64 = tx
                    .query_one_raw(query)
                    .await
                    .unwrap()
                    .unwrap()
                    .try_get_by_index(0)
                    .unwrap();
                tokio::task::yield_now().await;
                tx.execute_unprepared(&format!("INSERT INTO effects (key, seq) VALUES ('k', {count})"))
                    .await
                    .unwrap();
                inside.fetch_sub(1, Ordering::SeqCst);
                tx.commit().await.unwrap();
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let seqs: Vec<i64> = effects(&temp.db).await.into_iter().map(|(_, seq)| seq).collect();
    assert_eq!(seqs, (0..16).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_dropped_transaction_is_rolled_back() {
    let temp = TempDb::open::<Migrator>().await.unwrap();
    let tx = temp.db.begin().await.unwrap();
    tx.execute_unprepared("INSERT INTO effects (key, seq) VALUES ('a', 1)")
        .await
        .unwrap();
    assert_eq!(effects(&temp.db).await, [], "readers do not see it before the commit");
    drop(tx);
    sql(&temp.db, "INSERT INTO effects (key, seq) VALUES ('b', 1)").await;
    assert_eq!(number(&temp.db, "SELECT COUNT(*) FROM effects").await, 1);
}

#[tokio::test]
async fn a_second_process_waits_for_the_write_lock_and_then_gives_up() {
    let temp = TempDb::open::<Migrator>().await.unwrap();
    if !temp.is_sqlite() {
        return;
    }
    let settings = DbSettings {
        busy_timeout_ms: 1,
        ..temp.settings().clone()
    };
    let other = Db::open::<Migrator>(&settings).await.unwrap();
    let tx = temp.db.begin().await.unwrap();
    assert_eq!(other.begin().await.unwrap_err().kind(), Kind::Unavailable);
    tx.commit().await.unwrap();
    other.begin().await.unwrap().commit().await.unwrap();
}

#[tokio::test]
async fn migrations_are_told_apart() {
    let temp = TempDb::open::<RuntimeMigrator>().await.unwrap();
    assert_eq!(temp.db.pending::<RuntimeMigrator>().await.unwrap(), 0);
    assert_eq!(temp.db.pending::<Migrator>().await.unwrap(), 1);
    assert_eq!(temp.db.migrate::<Migrator>().await.unwrap(), ["test_0001_effects"]);
    assert_eq!(temp.db.migrate::<Migrator>().await.unwrap(), Vec::<String>::new());
    temp.db.close().await.unwrap();
}

struct Foreign;

struct Named;

impl MigrationName for Named {
    fn name(&self) -> &str {
        "foreign_0001"
    }
}

impl MigrationTrait for Named {
    fn up<'a, 'b, 'c>(
        &'a self,
        _: &'b sea_orm_migration::SchemaManager<'_>,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<(), sea_orm::DbErr>> + Send + 'c>>
    where
        'a: 'c,
        'b: 'c,
        Self: 'c,
    {
        Box::pin(async { Ok(()) })
    }
}

impl MigratorTrait for Foreign {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(Named)]
    }
}

#[tokio::test]
async fn the_store_of_another_service_is_refused() {
    let temp = TempDb::open::<Migrator>().await.unwrap();
    assert_eq!(
        Db::open::<Foreign>(temp.settings()).await.unwrap_err().reason(),
        "STORE_FOREIGN"
    );
    // One unknown migration is what an older binary meets while a newer release rolls out.
    Db::open::<RuntimeMigrator>(temp.settings()).await.unwrap();
}

#[tokio::test]
async fn a_store_in_memory_is_one_store() {
    let settings = DbSettings {
        url: "sqlite::memory:".into(),
        readers: 2,
        connections: 2,
        busy_timeout_ms: 10,
    };
    let db = Db::open::<Migrator>(&settings).await.unwrap();
    db.migrate::<Migrator>().await.unwrap();
    sql(&db, "INSERT INTO effects (key, seq) VALUES ('b', 1)").await;
    assert_eq!(number(&db, "SELECT COUNT(*) FROM effects").await, 1);
}

#[tokio::test]
async fn a_store_that_cannot_be_opened_is_named() {
    let settings = DbSettings {
        url: "sqlite:/dev/null/x.db".into(),
        readers: 1,
        connections: 2,
        busy_timeout_ms: 10,
    };
    let problem = Db::open::<Migrator>(&settings).await.unwrap_err();
    assert!(problem.message().contains("/dev/null/x.db"), "{problem}");
}
