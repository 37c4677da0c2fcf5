//! Requests that wait at the same time share a transaction, and none of them notices the others.

use sea_orm::{ConnectionTrait as _, DbBackend};
use tokio::task::JoinSet;
use tonic::{Code, Status};
use upswell_proto::ingestion::v1 as pb;
use upswell_runtime::db::Tx;

use crate::harness::{Running, about, usage};

/// Keeps every writer waiting until it is dropped.
async fn hold(running: &Running) -> Tx {
    let tx = running.service.db.begin().await.unwrap();
    if running.service.db.backend() == DbBackend::Postgres {
        tx.execute_unprepared("LOCK TABLE fact IN ACCESS EXCLUSIVE MODE")
            .await
            .unwrap();
    }
    tx
}

fn send(
    set: &mut JoinSet<Result<pb::RecordFactsResponse, Status>>,
    running: &Running,
    request: pb::RecordFactsRequest,
) {
    let mut client = running.client.clone();
    set.spawn(async move { client.record_facts(request).await.map(tonic::Response::into_inner) });
}

fn batch(name: &str, facts: usize) -> pb::RecordFactsRequest {
    pb::RecordFactsRequest {
        request_id: String::new(),
        facts: (0..facts).map(|n| usage(&format!("{name}-{n}"), 1, 1)).collect(),
    }
}

const ROOM_FOR_2000: [(&str, &str); 2] = [
    ("UPSWELL__INGESTION__LIMITS__QUEUED_FACTS", "2000"),
    ("UPSWELL__INGESTION__LIMITS__GROUP_FACTS", "20000"),
];

#[tokio::test]
async fn i2_what_waits_shares_a_transaction_and_what_finds_no_room_is_told_to_come_back() {
    let running = Running::start_with(&ROOM_FOR_2000).await;
    let held = hold(&running).await;
    let mut set = JoinSet::new();
    for number in 0..21 {
        send(&mut set, &running, batch(&format!("b{number}"), 100));
    }
    let refused = set.join_next().await.unwrap().unwrap().unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted, "the others wait: {refused:?}");
    let problem = upswell_runtime::problem::Problem::from(refused);
    assert!(problem.retry_after().is_some());
    drop(held);
    while let Some(answer) = set.join_next().await {
        assert_eq!(answer.unwrap().unwrap().recorded, 100);
    }
    assert_eq!(running.rows("SELECT COUNT(*) FROM fact").await, [2_000]);
    let groups = running.rows("SELECT COUNT(*) FROM fact_run").await[0];
    assert!((1..=3).contains(&groups), "{groups} transactions for 20 requests");
    assert_eq!(running.account_facts(&["acme"], 30).await[0].series[0].values, [2_000]);
}

#[tokio::test]
async fn i4_the_same_facts_from_16_clients_at_once_are_recorded_once() {
    let running = Running::start().await;
    let facts: Vec<pb::Fact> = (0..300)
        .map(|n| about(&format!("a{}", n % 40), usage(&format!("u{n}"), 1 + n % 9, 1)))
        .collect();
    let mut set = JoinSet::new();
    for client in 0..16_usize {
        let mut facts = facts.clone();
        facts.rotate_left(client * 17);
        if client % 2 == 1 {
            facts.reverse();
        }
        for chunk in facts.chunks(20 + client * 3) {
            let request = pb::RecordFactsRequest {
                request_id: String::new(),
                facts: chunk.to_vec(),
            };
            send(&mut set, &running, request);
        }
    }
    let (mut recorded, mut duplicates) = (0, 0);
    while let Some(answer) = set.join_next().await {
        let answer = answer.unwrap().unwrap();
        assert_eq!((answer.conflicts, answer.rejected), (0, 0));
        recorded += answer.recorded;
        duplicates += answer.duplicates;
    }
    assert_eq!((recorded, duplicates), (300, 15 * 300));
    assert_eq!(running.rows("SELECT COUNT(*) FROM fact").await, [300]);
    let sums = running.rows("SELECT CAST(SUM(count_sum) AS BIGINT) FROM rollup").await;
    assert_eq!(sums, [300], "no rollup counts a fact twice");
}

#[tokio::test]
async fn a_batch_that_is_refused_harms_none_of_its_group() {
    let running = Running::start_with(&ROOM_FOR_2000).await;
    let id = "0b6f5c1e-8d0a-4e6b-9c55-7d1f64c2a1e3";
    let with = |request_id: &str, request: pb::RecordFactsRequest| pb::RecordFactsRequest {
        request_id: request_id.to_owned(),
        ..request
    };
    let first = running
        .client
        .clone()
        .record_facts(with(id, batch("first", 3)))
        .await
        .unwrap()
        .into_inner();
    let held = hold(&running).await;
    let mut set = JoinSet::new();
    // In whatever order they come, there is room for all but one of the last two.
    for request in [
        batch("good", 880),
        with(id, batch("other", 5)),
        with("no uuid", batch("bad", 5)),
        with(id, batch("first", 3)),
        batch("full", 1_100),
        batch("more", 1_000),
    ] {
        send(&mut set, &running, request);
    }
    let (mut codes, mut recorded) = (Vec::new(), Vec::new());
    // Who finds no room is told so while the others wait.
    while !codes.contains(&Code::ResourceExhausted) {
        codes.push(set.join_next().await.unwrap().unwrap().unwrap_err().code());
    }
    drop(held);
    while let Some(answer) = set.join_next().await {
        match answer.unwrap() {
            Ok(answer) => recorded.push((answer.recorded, answer.duplicates, answer == first)),
            Err(status) => codes.push(status.code()),
        }
    }
    codes.sort_unstable_by_key(|code| *code as i32);
    let refused = [Code::InvalidArgument, Code::InvalidArgument, Code::ResourceExhausted];
    assert_eq!(codes, refused, "one of the last two has no room");
    recorded.sort_unstable();
    assert_eq!(recorded[0], (3, 0, true), "the stored answer");
    assert_eq!(recorded[1], (880, 0, false));
    assert_eq!(recorded.len(), 3);
}

#[tokio::test]
async fn two_requests_with_one_id_at_once_get_one_answer() {
    let running = Running::start_with(&ROOM_FOR_2000).await;
    let held = hold(&running).await;
    let mut set = JoinSet::new();
    let twin = pb::RecordFactsRequest {
        request_id: "0b6f5c1e-8d0a-4e6b-9c55-7d1f64c2a1e4".to_owned(),
        ..batch("twin", 500)
    };
    send(&mut set, &running, twin.clone());
    send(&mut set, &running, twin);
    send(&mut set, &running, batch("full", 1_000));
    send(&mut set, &running, batch("no-room", 1_000));
    set.join_next().await.unwrap().unwrap().unwrap_err();
    drop(held);
    let mut answers = Vec::new();
    while let Some(answer) = set.join_next().await {
        answers.push(answer.unwrap().unwrap().recorded);
    }
    answers.sort_unstable();
    assert_eq!(answers, [500, 500, 1_000], "recorded twice in words, once in fact");
    assert_eq!(running.rows("SELECT COUNT(*) FROM fact").await, [1_500]);
}
