//! The RPCs over a real channel.

use tonic::Code;
use tonic_types::StatusExt as _;
use upswell_proto::scoring::v1::{
    BatchGetScoresRequest, GetScoreRequest, ListScoresRequest, ListSignalsRequest, RescoreAccountsRequest,
};

use crate::{
    wire::{account, nps},
    world::World,
};

const REQUEST: &str = "5f0c9f6e-6a53-4b5e-9d5e-0a6d6a7b8c9d";

fn rescore(accounts: &[&str], request_id: &str) -> RescoreAccountsRequest {
    let account_ids = accounts.iter().map(|id| (*id).to_owned()).collect();
    RescoreAccountsRequest {
        account_ids,
        request_id: request_id.to_owned(),
    }
}

#[tokio::test]
async fn rescore_answers_the_same_request_once() {
    let mut world = World::new().await;
    world.double.knows(account("acme", 100, 118, 15));
    for _ in 0..2 {
        let answer = world
            .scoring
            .rescore_accounts(rescore(&["Acme", "ghost"], REQUEST))
            .await
            .unwrap();
        assert_eq!(answer.into_inner().scored, 1);
    }
    assert_eq!(world.double.asked().len(), 1);
    let other = world
        .scoring
        .rescore_accounts(rescore(&["beta"], REQUEST))
        .await
        .unwrap_err();
    assert_eq!(other.code(), Code::InvalidArgument);
    assert_eq!(other.get_details_error_info().unwrap().reason, "REQUEST_ID_REUSED");
}

#[tokio::test]
async fn rescore_of_nothing_named_takes_what_changed() {
    let mut world = World::new().await;
    world.double.knows(account("acme", 100, 118, 15));
    world.changed("acme").await;
    let answer = world.scoring.rescore_accounts(rescore(&[], REQUEST)).await.unwrap();
    assert_eq!(answer.into_inner().scored, 1);
    assert_eq!(world.score("acme").await.model_version, "rules-1");
}

#[tokio::test]
async fn rescore_fails_and_can_be_repeated_while_ingestion_is_away() {
    let mut world = World::new().await;
    world.double.knows(account("acme", 100, 118, 15));
    world.double.set_down(true);
    let status = world
        .scoring
        .rescore_accounts(rescore(&["acme"], REQUEST))
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    world.double.set_down(false);
    let answer = world
        .scoring
        .rescore_accounts(rescore(&["acme"], REQUEST))
        .await
        .unwrap();
    assert_eq!(answer.into_inner().scored, 1);
}

#[tokio::test]
async fn every_violation_is_told() {
    let mut world = World::new().await;
    let status = world
        .scoring
        .rescore_accounts(rescore(&["a b", "ok", ""], "no uuid"))
        .await
        .unwrap_err();
    let fields: Vec<_> = status
        .get_details_bad_request()
        .unwrap()
        .field_violations
        .into_iter()
        .map(|v| v.field)
        .collect();
    assert_eq!(fields, ["account_ids[0]", "account_ids[2]", "request_id"]);
    let many = BatchGetScoresRequest {
        account_ids: vec!["a".into(); 1_001],
    };
    assert_eq!(
        world.scoring.batch_get_scores(many).await.unwrap_err().code(),
        Code::InvalidArgument
    );
    let none = BatchGetScoresRequest::default();
    assert_eq!(
        world.scoring.batch_get_scores(none).await.unwrap_err().code(),
        Code::InvalidArgument
    );
    let states = ListSignalsRequest {
        states: vec![1, 0, 99],
        ..ListSignalsRequest::default()
    };
    let status = world.scoring.list_signals(states).await.unwrap_err();
    assert_eq!(status.get_details_bad_request().unwrap().field_violations.len(), 2);
}

#[tokio::test]
async fn an_account_without_a_score_is_not_found() {
    let mut world = World::new().await;
    let status = world
        .scoring
        .get_score(GetScoreRequest {
            account_id: "ghost".into(),
        })
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
    assert_eq!(status.get_details_error_info().unwrap().reason, "SCORE_NOT_FOUND");
    let batch = BatchGetScoresRequest {
        account_ids: vec!["ghost".into()],
    };
    assert!(
        world
            .scoring
            .batch_get_scores(batch)
            .await
            .unwrap()
            .into_inner()
            .scores
            .is_empty()
    );
}

#[tokio::test]
async fn sc3_lists_rank_a_rising_65_above_a_falling_75_page_by_page() {
    let mut world = World::new().await;
    // Health a week ago and now: rising 45 → 65, falling 85 → 65 and 50 → 35, steady 65.
    let people = |name, people| account(name, 100, 100, people);
    let answered = |name, score, at| {
        let mut facts = account(name, 100, 100, 15);
        facts.surveys = vec![nps(score, at)];
        facts
    };
    world.double.knows(people("rising", 5));
    world.double.knows(answered("high", 10, "2026-10-10T00:00:00Z"));
    world.double.knows(people("steady", 15));
    for name in ["rising", "high", "steady"] {
        world.changed(name).await;
    }
    world.drain().await;
    world.double.knows(people("rising", 15));
    world.double.knows(answered("high", 8, "2026-10-25T00:00:00Z"));
    world.set("2026-10-27T12:00:00+05:00");
    world.tick().await;
    world.drain().await;
    let mut token = String::new();
    let mut ranking = Vec::new();
    loop {
        let request = ListScoresRequest {
            page_size: 1,
            page_token: token,
        };
        let page = world.scoring.list_scores(request).await.unwrap().into_inner();
        ranking.extend(
            page.scores
                .into_iter()
                .map(|score| (score.account_id, score.health_change)),
        );
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    let expected = [("rising", Some(20)), ("steady", Some(0)), ("high", Some(-20))];
    assert_eq!(ranking, expected.map(|(name, change)| (name.to_owned(), change)));
}

#[tokio::test]
async fn signals_are_listed_newest_first_and_tokens_are_bound_to_the_filter() {
    let mut world = World::new().await;
    for (name, instant) in [
        ("one", "2026-10-20T12:00:00+05:00"),
        ("two", "2026-10-20T13:00:00+05:00"),
    ] {
        world.set(instant);
        world.double.knows(account(name, 100, 120, 15));
        world.changed(name).await;
        world.drain().await;
    }
    let request = |token: &str, account: &str| ListSignalsRequest {
        page_size: 1,
        page_token: token.to_owned(),
        account_id: account.to_owned(),
        ..ListSignalsRequest::default()
    };
    let first = world.scoring.list_signals(request("", "")).await.unwrap().into_inner();
    assert_eq!(first.signals[0].account_id, "two");
    let second = world
        .scoring
        .list_signals(request(&first.next_page_token, ""))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(second.signals[0].account_id, "one");
    let third = world
        .scoring
        .list_signals(request(&second.next_page_token, ""))
        .await
        .unwrap()
        .into_inner();
    assert!(third.signals.is_empty() && third.next_page_token.is_empty());
    let stolen = world
        .scoring
        .list_signals(request(&first.next_page_token, "one"))
        .await
        .unwrap_err();
    assert_eq!(stolen.code(), Code::InvalidArgument);
}
