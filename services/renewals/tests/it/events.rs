use upswell_proto::renewals::v1::{GetDealRequest, ListDealsRequest, ListTasksRequest, deal::Stage, task::State};

use crate::world::*;

#[tokio::test]
async fn rn1_a_plan_becomes_a_deal_that_offers_is_told_of() {
    let world = World::new("2026-10-12").await;
    world
        .tell(vec![
            profile("acme", "csm-1"),
            plan("acme", "v1", "2026-06-01", "2027-06-01"),
        ])
        .await;
    let told = world.deals_told();
    let [changed] = told.as_slice() else {
        panic!("one deal: {told:?}")
    };
    let deal = changed.deal.clone().unwrap();
    assert_eq!(
        (deal.account_id.as_str(), deal.subscription_id.as_str()),
        ("acme", "acme-plan")
    );
    assert_eq!((deal.owner_id.as_str(), deal.stage()), ("csm-1", Stage::Scheduled));
    assert_eq!(deal.renewal_date, Some(wire_date("2027-06-01")));
    assert_eq!(changed.previous_renewal_date, None);
    let read = world
        .client
        .clone()
        .get_deal(GetDealRequest {
            deal_id: deal.deal_id.clone(),
        })
        .await
        .unwrap();
    assert_eq!(read.into_inner().deal.unwrap(), deal, "the event carries the state");
    // The six weeks of the model case.
    for day in ["2026-10-20", "2026-11-12", "2026-11-23"] {
        world.until(day).await;
    }
    assert!(world.deals_told().is_empty());
    assert!(world.marks_told().is_empty());
}

#[tokio::test]
async fn sg6_marks_are_told_to_scoring_and_stages_to_offers() {
    let world = World::new("2026-10-12").await;
    world.tell(vec![plan("acme", "v1", "2026-03-01", "2027-03-01")]).await;
    assert_eq!(world.deals_told().len(), 1);
    world.until("2026-11-01").await;
    let marks = world.marks_told();
    let [mark] = marks.as_slice() else {
        panic!("one mark: {marks:?}")
    };
    assert_eq!((mark.account_id.as_str(), mark.mark_days), ("acme", 120));
    assert_eq!(
        (mark.renewal_date, mark.mark_date),
        (Some(wire_date("2027-03-01")), Some(wire_date("2026-11-01")))
    );
    assert_eq!(world.deals_told()[0].deal.as_ref().unwrap().stage(), Stage::Preparation);
    world.until("2027-01-29").await;
    assert_eq!(
        world.marks_told().iter().map(|mark| mark.mark_days).collect::<Vec<_>>(),
        [60, 30]
    );
}

#[tokio::test]
async fn c8_a_moved_date_is_told_with_the_one_before() {
    let world = World::new("2026-10-12").await;
    world.tell(vec![plan("acme", "v1", "2026-03-01", "2027-03-01")]).await;
    let first = world.deals_told().remove(0).deal.unwrap();
    world.tell(vec![plan("acme", "v2", "2026-10-01", "2026-11-15")]).await;
    let moved = world.deals_told().remove(0);
    assert_eq!(moved.previous_renewal_date, Some(wire_date("2027-03-01")));
    let deal = moved.deal.unwrap();
    assert_eq!(
        (deal.deal_id, deal.renewal_date),
        (first.deal_id, Some(wire_date("2026-11-15")))
    );
    assert_eq!(deal.stage, i32::from(Stage::Negotiation));
    assert_ne!(deal.etag, first.etag);
}

#[tokio::test]
async fn i3_a_deal_follows_its_subscription_to_the_account_of_a_merge_and_back() {
    let world = World::new("2026-10-12").await;
    world
        .tell(vec![
            profile("twin", "csm-2"),
            plan("twin", "v1", "2026-02-01", "2027-02-01"),
            profile("acme", "csm-1"),
        ])
        .await;
    let first = world.deals_told().remove(0).deal.unwrap();
    let mut client = world.client.clone();
    for (account, owner) in [("acme", "csm-1"), ("twin", "csm-2")] {
        world
            .tell(vec![plan_under(account, "twin", "v1", "2026-02-01", "2027-02-01")])
            .await;
        let told = world.deals_told();
        let [changed] = told.as_slice() else {
            panic!("the deal is told under {account}: {told:?}")
        };
        let deal = changed.deal.clone().unwrap();
        assert_eq!((&deal.deal_id, changed.previous_renewal_date), (&first.deal_id, None));
        assert_eq!((deal.account_id.as_str(), deal.owner_id.as_str()), (account, owner));
        let request = ListTasksRequest {
            deal_id: first.deal_id.clone(),
            ..Default::default()
        };
        let tasks = client.list_tasks(request).await.unwrap().into_inner().tasks;
        assert!(!tasks.is_empty());
        for task in tasks {
            assert_eq!((task.account_id.as_str(), task.assignee_id.as_str()), (account, owner));
        }
        let listed = ListDealsRequest {
            account_id: account.into(),
            ..Default::default()
        };
        assert_eq!(client.list_deals(listed).await.unwrap().into_inner().deals, [deal]);
    }
}

#[tokio::test]
async fn rn8_a_history_in_one_batch_opens_only_the_coming_renewal() {
    let world = World::new("2026-10-12").await;
    let history = [
        ("v1", "2024-06-01", "2025-06-01"),
        ("v2", "2025-06-01", "2026-06-01"),
        ("v3", "2026-06-01", "2027-06-01"),
    ];
    world
        .tell(history.map(|(id, from, to)| plan("acme", id, from, to)).to_vec())
        .await;
    let told = world.deals_told();
    assert_eq!(told.len(), 1);
    assert_eq!(
        told[0].deal.as_ref().unwrap().renewal_date,
        Some(wire_date("2027-06-01"))
    );
}

#[tokio::test]
async fn rn3_a_score_orders_the_list_and_tells_nobody() {
    let world = World::new("2026-10-12").await;
    for account in ["acme", "beta", "core"] {
        world.tell(vec![plan(account, "v1", "2026-06-01", "2027-06-01")]).await;
    }
    assert_eq!(world.deals_told().len(), 3);
    world.score("beta", 0.9).await;
    world.score("core", 0.5).await;
    let list = world
        .client
        .clone()
        .list_deals(ListDealsRequest::default())
        .await
        .unwrap()
        .into_inner();
    let order: Vec<_> = list.deals.iter().map(|deal| deal.account_id.as_str()).collect();
    assert_eq!(order, ["beta", "core", "acme"]);
    assert_eq!(list.deals[0].at_risk.as_ref().unwrap().units, 216_000);
    assert!(world.deals_told().is_empty());
}

#[tokio::test]
async fn rn2_a_new_csm_gets_the_tasks_and_late_ones_are_marked() {
    let world = World::new("2026-10-12").await;
    world
        .tell(vec![
            profile("acme", "csm-1"),
            plan("acme", "v1", "2026-02-01", "2027-02-01"),
        ])
        .await;
    world.tell(vec![profile("acme", "csm-2")]).await;
    world.until("2026-10-30").await;
    let request = ListTasksRequest {
        assignee_id: "csm-2".into(),
        ..ListTasksRequest::default()
    };
    let tasks = world
        .client
        .clone()
        .list_tasks(request)
        .await
        .unwrap()
        .into_inner()
        .tasks;
    let of_deals = tasks.iter().filter(|task| !task.deal_id.is_empty());
    let found: Vec<_> = of_deals.map(|task| (task.kind.as_str(), task.state())).collect();
    assert_eq!(
        found,
        [
            ("prepare_health", State::Overdue),
            ("schedule_review", State::Overdue),
            ("solve_problems", State::Open)
        ]
    );
}

#[tokio::test]
async fn rn8_an_add_on_is_no_deal_of_its_own_and_renews_with_the_plan() {
    let world = World::new("2026-10-12").await;
    world
        .tell(vec![
            profile("acme", "csm-1"),
            add_on("acme", "v1", "2026-08-01", "2027-06-01"),
        ])
        .await;
    assert!(world.deals_told().is_empty());
    world.tell(vec![plan("acme", "v1", "2026-06-01", "2027-06-01")]).await;
    let told = world.deals_told();
    let [changed] = told.as_slice() else {
        panic!("one deal: {told:?}")
    };
    let deal = changed.deal.clone().unwrap();
    assert_eq!(deal.subscription_id, "acme-plan");
    assert_eq!(
        deal.co_terminating_mrr.map(|money| (money.currency_code, money.units)),
        Some(("KZT".to_owned(), 10_000))
    );
}
