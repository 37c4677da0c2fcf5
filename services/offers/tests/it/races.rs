//! Things that come at the very moment at which something else is being decided. On PostgreSQL the second one is seen to
//! wait for the first; SQLite has one writer, so that it waits there by itself.

use std::time::Duration;

use sea_orm::{ConnectionTrait as _, DbBackend, Statement};
use upswell_offers::{
    domain::vocabulary::Channel,
    store::{
        accounts::{account_fetch, account_lock, account_slot_advance},
        arms::{arm_list_all, arms_add},
        copies::{contact_fetch, contact_save},
        entities::arm,
        opt_outs::{OptOut, opt_out_save},
    },
};
use upswell_runtime::db::{Db, micros};

use super::world::{ACCOUNT, World, at};

/// Until somebody waits for a lock in this database.
async fn somebody_waits(db: &Db) {
    if db.backend() == DbBackend::Sqlite {
        return;
    }
    let sql = "SELECT COUNT(*) AS n FROM pg_stat_activity \
               WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let looking = async {
        loop {
            let statement = Statement::from_string(DbBackend::Postgres, sql);
            let row = db.reader().query_one_raw(statement).await.unwrap().unwrap();
            if row.try_get::<i64>("", "n").unwrap() > 0 {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), looking)
        .await
        .expect("nobody waits");
}

#[tokio::test]
async fn c9_a_profile_that_comes_while_a_slot_is_decided_does_not_bring_the_slot_back() {
    let mut world = World::new().await;
    world.known().await;
    let db = world.service.db.clone();
    let tx = db.begin().await.unwrap();
    let account = account_fetch(&*tx, ACCOUNT).await.unwrap().unwrap();
    let next = at("2026-10-13T05:00:00Z");
    assert!(
        account_slot_advance(&tx, ACCOUNT, account.next_slot_at, next)
            .await
            .unwrap()
    );
    let deciding = async {
        somebody_waits(&db).await;
        tx.commit().await.unwrap();
    };
    tokio::join!(world.profile(false, "csm-2"), deciding);
    let account = account_fetch(db.reader(), ACCOUNT).await.unwrap().unwrap();
    assert_eq!((account.csm_id.as_str(), account.next_slot_at), ("csm-2", micros(next)));
}

#[tokio::test]
async fn c10_an_opt_out_stands_when_the_profile_comes_at_the_same_time() {
    let mut world = World::new().await;
    world.known().await;
    let db = world.service.db.clone();
    let tx = db.begin().await.unwrap();
    account_lock(&tx, ACCOUNT).await.unwrap();
    let out = OptOut {
        account_id: ACCOUNT.to_owned(),
        contact_id: "ann".to_owned(),
        channel: Channel::Email,
        address: String::new(),
        reason: "link".to_owned(),
    };
    opt_out_save(&tx, &out, world.clock.now()).await.unwrap();
    let mut contact = contact_fetch(&*tx, "ann").await.unwrap().unwrap();
    contact.points = contact.points.replace("true", "false");
    contact_save(&tx, contact).await.unwrap();
    let opting_out = async {
        somebody_waits(&db).await;
        tx.commit().await.unwrap();
    };
    // The profile says that the person agreed to everything.
    tokio::join!(world.contact(true), opting_out);
    let points = contact_fetch(db.reader(), "ann").await.unwrap().unwrap().points;
    let points: serde_json::Value = serde_json::from_str(&points).unwrap();
    let agreed = |channel: &str| {
        let found = points
            .as_array()
            .unwrap()
            .iter()
            .find(|point| point["channel"] == channel);
        found.unwrap()["consent"].as_bool().unwrap()
    };
    assert_eq!((agreed("email"), agreed("in_app")), (false, true));
}

#[tokio::test]
async fn c12_an_arm_that_was_drawn_stays_as_it_is() {
    let world = World::new().await;
    let arm = |account: &str, holdout| arm::Model {
        epoch: 7,
        account_id: account.to_owned(),
        holdout,
        stratum: String::new(),
        assigned_at: 0,
    };
    let db = &world.service.db;
    let tx = db.begin().await.unwrap();
    let first = vec![arm("one", true)];
    assert_eq!(arms_add(&tx, first.clone()).await.unwrap(), first);
    // Another process drew too, and is told what is its own doing.
    let second = vec![arm("one", false), arm("two", false)];
    assert_eq!(arms_add(&tx, second).await.unwrap(), [arm("two", false)]);
    tx.commit().await.unwrap();
    let all = arm_list_all(db.reader(), 7).await.unwrap();
    assert_eq!(all, [arm("one", true), arm("two", false)]);
}
