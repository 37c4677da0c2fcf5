//! Revenue over a real channel.

use sea_orm::{ConnectionTrait, Statement};
use tonic::Code;
use tonic_types::StatusExt as _;
use upswell_metrics::{DEFAULTS, NAME, Settings};
use upswell_proto::{
    metrics::v1::{GetRevenueMetricsRequest, GetWeeklyCutRequest, ListMovementsRequest, MovementKind, Window},
    vocabulary::v1::Motion,
};
use upswell_runtime::{
    config::{Section, load},
    problem::Violations,
};

use crate::world::{World, kzt, order, profile, subscription, window, wire_day};

/// Ten accounts of 240,000 a month; three buy capacity, one of which also loses a seat line that day; one leaves.
async fn played() -> World {
    let world = World::start().await;
    for index in 0..10 {
        let account = format!("a-{index}");
        world
            .tell(
                "ingestion",
                &account,
                &profile(&account, if index < 5 { "mid-market" } else { "small" }),
            )
            .await;
        world
            .tell(
                "ingestion",
                &account,
                &subscription(&account, "plan", "2025-01-01", 240_000, ""),
            )
            .await;
    }
    for index in 0..3 {
        let (account, id) = (format!("a-{index}"), format!("o-{index}"));
        world.tell("offers", &account, &order(&account, &id, None)).await;
        world
            .tell(
                "ingestion",
                &account,
                &subscription(&account, "capacity", "2026-01-10", 128_000, &id),
            )
            .await;
    }
    world
        .tell(
            "ingestion",
            "a-0",
            &subscription("a-0", "plan", "2026-01-10", 220_000, ""),
        )
        .await;
    let mut left = subscription("a-9", "plan", "2026-01-20", 240_000, "");
    left.terms.as_mut().unwrap().end_date = Some(wire_day("2026-01-25"));
    world.tell("ingestion", "a-9", &left).await;
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn k1_to_k5_revenue_of_a_window() {
    let world = played().await;
    let mut metrics = world.metrics.clone();
    let request = GetRevenueMetricsRequest {
        window: window("2026-01-01", "2026-02-01"),
        ..Default::default()
    };
    let all = metrics
        .get_revenue_metrics(request.clone())
        .await
        .unwrap()
        .into_inner()
        .currencies;
    assert_eq!(all.len(), 1);
    let all = &all[0];
    assert_eq!((all.currency_code.as_str(), all.churned_accounts), ("KZT", 1));
    assert_eq!(
        (all.mrr_start.clone(), all.mrr_end.clone()),
        (Some(kzt(2_400_000)), Some(kzt(2_524_000)))
    );
    assert_eq!((all.paying_accounts_start, all.paying_accounts_end), (10, 9));
    assert_eq!(all.arr, Some(kzt(12 * 2_524_000)));
    assert_eq!((all.nrr, all.grr), (Some(2_524.0 / 2_400.0), Some(2_160.0 / 2_400.0)));
    assert_eq!(
        (all.expansion_gross.clone(), all.expansion_attributed.clone()),
        (Some(kzt(384_000)), Some(kzt(384_000)))
    );
    assert_eq!(all.expansion_net, Some(kzt(364_000)));
    let kinds: Vec<_> = all
        .movements
        .iter()
        .map(|m| (m.kind(), m.count, m.amount.as_ref().unwrap().units))
        .collect();
    assert_eq!(
        kinds,
        [
            (MovementKind::New, 0, 0),
            (MovementKind::Reactivation, 0, 0),
            (MovementKind::Expansion, 3, 384_000),
            (MovementKind::Contraction, 1, -20_000),
            (MovementKind::Churn, 1, -240_000),
        ]
    );
    let small = GetRevenueMetricsRequest {
        segment: "small".to_owned(),
        ..request.clone()
    };
    let small = metrics
        .get_revenue_metrics(small)
        .await
        .unwrap()
        .into_inner()
        .currencies;
    assert_eq!((small[0].nrr, small[0].paying_accounts_start), (Some(0.8), 5));
    let nobody = GetRevenueMetricsRequest {
        segment: "nobody".to_owned(),
        ..request
    };
    assert!(
        metrics
            .get_revenue_metrics(nobody)
            .await
            .unwrap()
            .into_inner()
            .currencies
            .is_empty()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn k1_movements_tell_their_cause_page_by_page() {
    let world = played().await;
    let mut metrics = world.metrics.clone();
    let mut request = ListMovementsRequest {
        window: window("2026-01-01", "2026-02-01"),
        page_size: 2,
        ..Default::default()
    };
    let mut movements = Vec::new();
    loop {
        let page = metrics.list_movements(request.clone()).await.unwrap().into_inner();
        movements.extend(page.movements);
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    let told: Vec<_> = movements
        .iter()
        .map(|m| (m.account_id.as_str(), m.kind(), m.order_id.as_str(), m.motion()))
        .collect();
    assert_eq!(
        told,
        [
            ("a-0", MovementKind::Expansion, "o-0", Motion::Capacity),
            ("a-0", MovementKind::Contraction, "", Motion::Unspecified),
            ("a-1", MovementKind::Expansion, "o-1", Motion::Capacity),
            ("a-2", MovementKind::Expansion, "o-2", Motion::Capacity),
            ("a-9", MovementKind::Churn, "", Motion::Unspecified),
        ]
    );
    assert_eq!(movements[0].mrr_after, Some(kzt(368_000)));
    assert_eq!(movements[1].mrr_after, Some(kzt(348_000)));
    assert_eq!(movements[0].version_ids, ["billing/a-0/capacity@2026-01-10"]);
    let one = ListMovementsRequest {
        account_id: "a-9".to_owned(),
        page_size: 0,
        ..request.clone()
    };
    assert_eq!(
        metrics.list_movements(one).await.unwrap().into_inner().movements.len(),
        1
    );
    let token = metrics
        .list_movements(request.clone())
        .await
        .unwrap()
        .into_inner()
        .next_page_token;
    let foreign = ListMovementsRequest {
        account_id: "a-1".to_owned(),
        page_token: token,
        ..request
    };
    assert_eq!(
        metrics.list_movements(foreign).await.unwrap_err().code(),
        Code::InvalidArgument
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn k1_a_tampered_store_gives_an_error_and_no_number() {
    let world = played().await;
    let tx = world.db.begin().await.unwrap();
    let tamper = "UPDATE revenue_flows SET amount = amount + 1 WHERE dimension = 0 AND grain = 1 AND kind = 3";
    tx.execute_raw(Statement::from_string(world.db.backend(), tamper))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let request = GetRevenueMetricsRequest {
        window: window("2026-01-01", "2026-02-01"),
        ..Default::default()
    };
    let status = world.metrics.clone().get_revenue_metrics(request).await.unwrap_err();
    assert_eq!(status.code(), Code::Internal);
    assert_eq!(
        status.get_error_details().error_info().unwrap().reason,
        "MRR_IDENTITY_BROKEN"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_in_the_future_holds_what_is_contracted_by_now() {
    let world = played().await;
    world
        .tell(
            "ingestion",
            "a-1",
            &subscription("a-1", "later", "2027-03-01", 50_000, ""),
        )
        .await;
    let request = GetRevenueMetricsRequest {
        window: window("2027-01-01", "2027-04-01"),
        ..Default::default()
    };
    let future = world
        .metrics
        .clone()
        .get_revenue_metrics(request)
        .await
        .unwrap()
        .into_inner()
        .currencies
        .remove(0);
    assert_eq!(
        (future.mrr_start, future.mrr_end),
        (Some(kzt(2_524_000)), Some(kzt(2_574_000)))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_requests_are_told_everything_that_is_wrong() {
    let world = World::start().await;
    let mut metrics = world.metrics.clone();
    let fields = |status: tonic::Status| -> Vec<String> {
        assert_eq!(status.code(), Code::InvalidArgument, "{status}");
        let details = status.get_error_details();
        details
            .bad_request()
            .unwrap()
            .field_violations
            .iter()
            .map(|v| v.field.clone())
            .collect()
    };
    let bad = GetRevenueMetricsRequest {
        window: None,
        segment: "a b\0".to_owned(),
        ..Default::default()
    };
    assert_eq!(
        fields(metrics.get_revenue_metrics(bad).await.unwrap_err()),
        ["window", "segment"]
    );
    let half = Some(Window {
        start_date: Some(wire_day("2026-01-01")),
        end_date: None,
    });
    let bad = ListMovementsRequest {
        window: half,
        page_size: -1,
        account_id: "!".to_owned(),
        ..Default::default()
    };
    assert_eq!(
        fields(metrics.list_movements(bad).await.unwrap_err()),
        ["window.end_date", "account_id", "page_size"]
    );
    let empty = GetWeeklyCutRequest {
        window: window("2026-01-01", "2026-01-01"),
    };
    assert_eq!(
        fields(metrics.get_weekly_cut(empty).await.unwrap_err()),
        ["window.end_date"]
    );
    let long = GetWeeklyCutRequest {
        window: window("2024-01-01", "2026-02-01"),
    };
    assert_eq!(
        fields(metrics.get_weekly_cut(long).await.unwrap_err()),
        ["window.end_date"]
    );
}

#[test]
fn the_defaults_are_settings_that_hold() {
    let loaded = load(
        &[Section {
            name: NAME,
            defaults: DEFAULTS,
        }],
        None,
        std::iter::empty(),
    )
    .unwrap();
    let settings: Settings = loaded.section(NAME).unwrap();
    let mut violations = Violations::new();
    settings.validate(&mut violations);
    assert!(violations.is_empty());
}
