//! F30: what people decide about a deal, and what the calendar does, with every step repeated and failing at each.

use sea_orm::{ConnectionTrait as _, Statement};
use tonic::Status;
use upswell_proto::renewals::v1::{
    AdvanceDealRequest, CloseDealRequest, Deal, ListDealsRequest, MoveStagesRequest, RecordNoticeRequest, RenewalTerms,
    SetRenewalTermsRequest, deal::Stage,
};

use crate::world::*;

/// The tables that these steps read or write.
const TABLES: [&str; 7] = [
    "request_log",
    "subscriptions",
    "subscription_versions",
    "deals",
    "tasks",
    "outbox_seq",
    "outbox",
];

async fn rename(world: &World, from: &str, to: &str) {
    let sql = format!("ALTER TABLE {from} RENAME TO {to}");
    let tx = world.service.db.begin().await.unwrap();
    tx.execute_unprepared(&sql).await.unwrap();
    tx.commit().await.unwrap();
}

/// What the store holds, in numbers.
async fn state(world: &World) -> Vec<i64> {
    let reader = world.service.db.reader();
    let mut counts = Vec::new();
    for sql in [
        "SELECT COUNT(*) FROM deals",
        "SELECT CAST(COALESCE(SUM(version), 0) AS BIGINT) FROM deals",
        "SELECT CAST(COALESCE(SUM(version), 0) AS BIGINT) FROM tasks",
        "SELECT COUNT(*) FROM renewal_marks",
        "SELECT COUNT(*) FROM outbox",
        "SELECT COUNT(*) FROM request_log",
    ] {
        let statement = Statement::from_string(reader.get_database_backend(), sql);
        let row = reader.query_one_raw(statement).await.unwrap().unwrap();
        counts.push(row.try_get_by_index(0).unwrap());
    }
    counts
}

/// Does a step while a table is away, table by table: nothing of it is kept. Then it is done twice, and once in effect.
async fn fails_at_each(world: &World, step: impl AsyncFn() -> Result<Option<Deal>, Status>) -> Option<Deal> {
    let before = state(world).await;
    let mut failed = 0;
    for table in TABLES {
        let away = format!("{table}_away");
        rename(world, table, &away).await;
        let broken = step().await;
        rename(world, &away, table).await;
        if broken.is_err() {
            failed += 1;
            assert_eq!(state(world).await, before, "it failed at {table} and left a trace");
        }
    }
    assert!(failed >= 4, "the step fails at {failed} tables");
    let first = step().await.unwrap();
    let after = state(world).await;
    assert_eq!(step().await.unwrap(), first, "repeated, it has the same answer");
    assert_eq!(state(world).await, after, "repeated, it changes nothing");
    first
}

async fn deal(world: &World) -> Deal {
    let request = ListDealsRequest {
        include_closed: true,
        ..Default::default()
    };
    world
        .client
        .clone()
        .list_deals(request)
        .await
        .unwrap()
        .into_inner()
        .deals
        .remove(0)
}

fn request_id(of: u8) -> String {
    format!("0199d000-0000-7000-8000-0000000000{of:02x}")
}

#[tokio::test]
async fn f30_what_people_decide_about_a_deal_happens_once_or_not_at_all() {
    let world = World::new("2026-10-12").await;
    world
        .tell(vec![
            profile("acme", "csm-1"),
            plan("acme", "v1", "2026-02-01", "2027-02-01"),
        ])
        .await;
    let Deal { deal_id, etag, .. } = deal(&world).await;
    let terms = SetRenewalTermsRequest {
        deal_id: deal_id.clone(),
        terms: Some(RenewalTerms {
            auto_renew: true,
            notice_days: 40,
            term_months: 0,
        }),
        etag,
        request_id: request_id(1),
    };
    let set = fails_at_each(&world, async || {
        Ok(world
            .client
            .clone()
            .set_renewal_terms(terms.clone())
            .await?
            .into_inner()
            .deal)
    });
    let moved = MoveStagesRequest {
        deal_id: deal_id.clone(),
        negotiation_end_date: Some(wire_date("2027-01-15")),
        reason: "their board".into(),
        etag: set.await.unwrap().etag,
        request_id: request_id(2),
    };
    let moved = fails_at_each(&world, async || {
        Ok(world.client.clone().move_stages(moved.clone()).await?.into_inner().deal)
    });
    let ahead = AdvanceDealRequest {
        deal_id: deal_id.clone(),
        stage: Stage::Negotiation.into(),
        etag: moved.await.unwrap().etag,
        request_id: request_id(3),
    };
    let ahead = fails_at_each(&world, async || {
        Ok(world
            .client
            .clone()
            .advance_deal(ahead.clone())
            .await?
            .into_inner()
            .deal)
    });
    let notice = RecordNoticeRequest {
        deal_id: deal_id.clone(),
        notice_date: Some(wire_date("2026-10-12")),
        etag: ahead.await.unwrap().etag,
        request_id: request_id(4),
    };
    let notice = fails_at_each(&world, async || {
        Ok(world
            .client
            .clone()
            .record_notice(notice.clone())
            .await?
            .into_inner()
            .deal)
    });
    let close = CloseDealRequest {
        deal_id,
        renewed: true,
        loss_reason: None,
        etag: notice.await.unwrap().etag,
        request_id: request_id(5),
    };
    let closed = fails_at_each(&world, async || {
        Ok(world.client.clone().close_deal(close.clone()).await?.into_inner().deal)
    });
    assert_eq!(closed.await.unwrap().stage(), Stage::Renewed);
}

#[tokio::test]
async fn f30_what_the_calendar_does_happens_once_or_not_at_all() {
    let world = World::new("2026-10-12").await;
    world
        .tell(vec![
            profile("acme", "csm-1"),
            plan("acme", "v1", "2026-03-01", "2027-03-01"),
        ])
        .await;
    let before = state(&world).await;
    world.clock.set(noon("2026-11-10"));
    for table in [
        "subscriptions",
        "subscription_versions",
        "deals",
        "tasks",
        "renewal_marks",
        "outbox_seq",
        "outbox",
    ] {
        let away = format!("{table}_away");
        rename(&world, table, &away).await;
        assert!(
            world.service.tick(noon("2026-11-10")).await.is_err(),
            "{table} is needed"
        );
        rename(&world, &away, table).await;
        assert_eq!(state(&world).await, before, "it failed at {table} and left a trace");
    }
    world.until("2026-11-10").await;
    assert_eq!(deal(&world).await.stage(), Stage::Preparation);
    assert_eq!(world.marks_told().len(), 1, "the mark of day 120 is told once");
    let after = state(&world).await;
    world.until("2026-11-10").await;
    assert_eq!(state(&world).await, after);
}
