//! What scoring reads of all accounts, and batches without end.

use tonic::Code;
use upswell_proto::{gtype, ingestion::v1 as pb};

use crate::harness::{Running, about, fact, profile, usage};

fn all(days: i32) -> pb::StreamAccountFactsRequest {
    let until_day = Some(gtype::Date {
        year: 2026,
        month: 10,
        day: 15,
    });
    pb::StreamAccountFactsRequest {
        until_day,
        days,
        ..Default::default()
    }
}

async fn read(running: &Running, request: pb::StreamAccountFactsRequest) -> Vec<pb::StreamAccountFactsResponse> {
    let mut stream = running
        .client
        .clone()
        .stream_account_facts(request)
        .await
        .unwrap()
        .into_inner();
    let mut found = Vec::new();
    while let Some(answer) = stream.message().await.unwrap() {
        found.push(answer);
    }
    found
}

#[tokio::test]
async fn i1_scoring_reads_every_account_once_and_goes_on_where_a_stream_broke() {
    let running = Running::start().await;
    let facts = (0..120).map(|n| about(&format!("a{n:03}"), usage(&format!("u{n}"), 1 + n % 3, i64::from(n))));
    running.record_new(facts.collect()).await;
    let odd = (0..120)
        .step_by(2)
        .map(|n| about(&format!("a{n:03}"), profile(&format!("p{n}"), 1, "even")));
    running.record_new(odd.collect()).await;

    let whole = read(&running, all(400)).await;
    let ids: Vec<String> = whole
        .iter()
        .map(|answer| answer.account.clone().unwrap().account_id)
        .collect();
    assert_eq!(ids, (0..120).map(|n| format!("a{n:03}")).collect::<Vec<_>>());
    let batch = running.account_facts(&["a007", "a119"], 400).await;
    assert_eq!(whole[7].account.as_ref(), Some(&batch[0]), "the same as in a batch");
    assert_eq!(whole[119].account.as_ref(), Some(&batch[1]));

    let rest = pb::StreamAccountFactsRequest {
        resume_token: whole[66].resume_token.clone(),
        ..all(400)
    };
    assert_eq!(read(&running, rest).await, whole[67..]);
    let even = pb::StreamAccountFactsRequest {
        segment: "even".to_owned(),
        ..all(400)
    };
    assert_eq!(read(&running, even).await.len(), 60);
    let stolen = pb::StreamAccountFactsRequest {
        resume_token: whole[66].resume_token.clone(),
        ..all(30)
    };
    let refused = running.client.clone().stream_account_facts(stolen).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    let refused = running
        .client
        .clone()
        .stream_account_facts(all(10_001))
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn i6_what_says_why_now_reaches_scoring_with_its_origin() {
    let running = Running::start().await;
    let goal = |id: &str, day, rest: &str| {
        fact(
            id,
            day,
            &format!(r#""goal":{{"goal_id":"g1","title":"Less paper"{rest}}}"#),
        )
    };
    let action = |id: &str, day| fact(id, day, r#""action":{"kind":"locked_action","subject":"sso"}"#);
    let limit = fact("l1", 1, r#""plan_limit":{"metric":"projects"}"#);
    let trial_use = |id: &str, users| {
        fact(
            id,
            3,
            &format!(r#""trial_use":{{"feature":"sso","day":"2026-10-03","users":{users},"uses":4}}"#),
        )
    };
    let export = |id: &str| fact(id, 3, r#""export":{"tool":"sheet","day":"2026-10-03","exports":3}"#);
    let facts = vec![
        goal("g@1", 1, ""),
        goal("g@2", 4, r#","reached":"2026-10-04""#),
        action("a1", 1),
        action("a2", 14),
        limit,
        trial_use("t1", 2),
        trial_use("t2", 5),
        export("e1"),
        export("e2"),
    ];
    running.record_new(facts).await;
    let facts = running.account_facts(&["acme"], 13).await.remove(0);
    let ids: Vec<&str> = facts.moments.iter().map(|fact| fact.external_id.as_str()).collect();
    assert_eq!(
        ids,
        ["l1", "g@2", "a2"],
        "states as they stand, and what happened in the range, by time"
    );
    let series: Vec<_> = facts.series.iter().map(|line| (line.kind(), line.values[0])).collect();
    use pb::SeriesKind::{Exports, TrialUsers, TrialUses};
    assert_eq!(series, [(TrialUsers, 5), (TrialUses, 8), (Exports, 6)]);
    let shown = running.picture("acme").await.moments;
    let ids: Vec<_> = shown
        .into_iter()
        .map(|moment| moment.fact.unwrap().external_id)
        .collect();
    assert_eq!(ids, ["a2", "g@2", "l1", "a1"], "the newest first");
}

fn batches(numbers: std::ops::Range<i64>) -> Vec<pb::StreamFactsRequest> {
    let batch = |sequence| pb::StreamFactsRequest {
        sequence,
        facts: (0..50).map(|n| usage(&format!("s{sequence}-{n}"), 1, 1)).collect(),
    };
    numbers.map(batch).collect()
}

#[tokio::test]
async fn i3_a_stream_is_answered_batch_by_batch_and_goes_on_after_a_break_without_loss_or_doubles() {
    let running = Running::start().await;
    let mut client = running.client.clone();
    let stream = tokio_stream::iter(batches(1..41));
    let mut answers = client.stream_facts(stream).await.unwrap().into_inner();
    for expected in 1..=10 {
        let answer = answers.message().await.unwrap().unwrap();
        assert_eq!((answer.sequence, answer.outcome.unwrap().recorded), (expected, 50));
    }
    // The caller goes away; what was taken meanwhile may be recorded, what was answered is.
    drop(answers);
    assert!(running.rows("SELECT COUNT(*) FROM fact").await[0] >= 500);
    let mut answers = client
        .stream_facts(tokio_stream::iter(batches(11..41)))
        .await
        .unwrap()
        .into_inner();
    let mut sequence = 10;
    while let Some(answer) = answers.message().await.unwrap() {
        sequence += 1;
        let outcome = answer.outcome.unwrap();
        assert_eq!((answer.sequence, outcome.recorded + outcome.duplicates), (sequence, 50));
    }
    assert_eq!(sequence, 40, "the stream ends when all is answered");
    assert_eq!(running.rows("SELECT COUNT(*) FROM fact").await, [2_000]);
    assert_eq!(running.account_facts(&["acme"], 30).await[0].series[0].values, [2_000]);
}

#[tokio::test]
async fn a_stream_ends_with_the_batch_that_is_refused_as_a_whole() {
    let running = Running::start().await;
    let mut requests = batches(1..4);
    requests[1].facts.clear();
    let mut answers = running
        .client
        .clone()
        .stream_facts(tokio_stream::iter(requests))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(answers.message().await.unwrap().unwrap().sequence, 1);
    assert_eq!(answers.message().await.unwrap_err().code(), Code::InvalidArgument);
    assert_eq!(running.rows("SELECT COUNT(*) FROM fact").await, [50]);
}
