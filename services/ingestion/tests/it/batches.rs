use tonic::Code;
use upswell_proto::ingestion::v1::{self as pb, fact_result::Outcome};

use crate::harness::{Running, about, plan, profile, usage};

fn outcomes(answer: &pb::RecordFactsResponse) -> Vec<Outcome> {
    answer.results.iter().map(pb::FactResult::outcome).collect()
}

#[tokio::test]
async fn i4_the_same_fact_is_recorded_once_within_and_across_batches() {
    let running = Running::start().await;
    let answer = running
        .record(vec![usage("u1", 1, 5), usage("u1", 1, 5), usage("u2", 1, 7)])
        .await;
    assert_eq!(
        outcomes(&answer),
        [Outcome::Recorded, Outcome::Duplicate, Outcome::Recorded]
    );
    assert_eq!((answer.recorded, answer.duplicates), (2, 1));
    let again = running.record(vec![usage("u2", 1, 7), usage("u3", 1, 1)]).await;
    assert_eq!(outcomes(&again), [Outcome::Duplicate, Outcome::Recorded]);
    let series = &running.account_facts(&["acme"], 30).await[0].series[0];
    assert_eq!(series.values, [13]);
}

#[tokio::test]
async fn i4_other_content_under_a_known_key_is_a_conflict_and_the_first_stands() {
    let running = Running::start().await;
    let answer = running.record(vec![usage("u1", 1, 5), usage("u1", 1, 6)]).await;
    assert_eq!(outcomes(&answer), [Outcome::Recorded, Outcome::Conflict]);
    let faults = &answer.results[1].faults;
    assert_eq!(
        (faults[0].field.as_str(), faults[0].description.as_str()),
        ("usage.value", "recorded as 5, now 6")
    );
    // The same refused content again is the same conflict; another one is another.
    let more = running
        .record(vec![
            usage("u1", 1, 6),
            usage("u1", 2, 6),
            about("other", usage("u1", 1, 5)),
        ])
        .await;
    assert_eq!(outcomes(&more), [Outcome::Conflict; 3]);
    let listed = running
        .client
        .clone()
        .list_conflicts(pb::ListConflictsRequest::default())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(listed.conflicts.len(), 3);
    assert!(
        listed
            .conflicts
            .iter()
            .all(|conflict| conflict.recorded == Some(usage("u1", 1, 5)))
    );
    assert_eq!(
        listed.conflicts[0].refused,
        Some(about("other", usage("u1", 1, 5))),
        "the newest first"
    );
    assert_eq!(
        running.rows("SELECT count(*) FROM account").await,
        [1],
        "a refused fact makes no account"
    );
}

#[tokio::test]
async fn nothing_valid_is_lost_beside_a_bad_fact() {
    let running = Running::start().await;
    let bad = pb::Fact {
        source: "\0".to_owned(),
        account_id: String::new(),
        body: None,
        ..usage("bad", 1, 1)
    };
    let answer = running
        .record(vec![usage("u1", 1, 5), bad, profile("p", 1, "mid")])
        .await;
    assert_eq!(
        outcomes(&answer),
        [Outcome::Recorded, Outcome::Rejected, Outcome::Recorded]
    );
    let fields: Vec<&str> = answer.results[1]
        .faults
        .iter()
        .map(|fault| fault.field.as_str())
        .collect();
    assert_eq!(fields, ["source", "account_id", "body"]);
}

#[tokio::test]
async fn a_batch_has_1_to_2000_facts() {
    let running = Running::start().await;
    for number in [0, 2_001] {
        let facts = (0..number).map(|id| usage(&id.to_string(), 1, 1)).collect();
        let request = pb::RecordFactsRequest {
            request_id: String::new(),
            facts,
        };
        let status = running.client.clone().record_facts(request).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
    }
    let many: Vec<_> = (0..2_000)
        .map(|id| about(&format!("a{}", id % 700), usage(&id.to_string(), 1, 1)))
        .collect();
    running.record_new(many.clone()).await;
    assert_eq!(running.record(many).await.duplicates, 2_000);
    assert_eq!(
        running.rows("SELECT count(*) FROM fact_run").await,
        [700],
        "one run per account and batch"
    );
}

#[tokio::test]
async fn a_request_id_replays_its_answer_and_is_bound_to_its_facts() {
    let running = Running::start().await;
    let request = |id: &str, facts| pb::RecordFactsRequest {
        request_id: id.to_owned(),
        facts,
    };
    let id = "0b6f5c1e-8d0a-4e6b-9c55-7d1f64c2a1e3";
    let bad = pb::Fact {
        body: None,
        ..usage("bad", 1, 1)
    };
    let send = |request| async { running.client.clone().record_facts(request).await };
    let first = send(request(id, vec![usage("u1", 1, 5), bad.clone()]))
        .await
        .unwrap()
        .into_inner();
    let again = send(request(id, vec![usage("u1", 1, 5), bad]))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (first.recorded, &first),
        (1, &again),
        "recorded, not duplicate: it is the stored answer"
    );
    let reused = send(request(id, vec![usage("u2", 1, 5)])).await.unwrap_err();
    assert_eq!(reused.code(), Code::InvalidArgument);
    let malformed = send(request("no-uuid", vec![usage("u2", 1, 5)])).await.unwrap_err();
    assert_eq!(malformed.code(), Code::InvalidArgument);
    assert_eq!(running.rows("SELECT count(*) FROM fact").await, [1]);
}

#[tokio::test]
async fn events_tell_of_a_batch_once_per_account_and_of_states_only_when_they_change() {
    let running = Running::start().await;
    running
        .record_new(vec![
            usage("u2", 2, 1),
            usage("u1", 1, 1),
            profile("p1", 1, "mid"),
            plan("s1", 1, "500 USD"),
        ])
        .await;
    running
        .record_new(vec![profile("p2", 2, "mid"), about("other", usage("u3", 3, 1))])
        .await;
    running.record(vec![usage("u1", 1, 1)]).await;
    let accounts = running
        .events::<pb::AccountChanged>()
        .await
        .into_iter()
        .map(|(dest, event)| {
            (
                dest,
                event.account_id,
                event.earliest_day.unwrap().day,
                event.fact_count,
            )
        });
    let accounts: Vec<_> = accounts.collect();
    let line = |account: &str, day, facts| ("scoring".to_owned(), account.to_owned(), day, facts);
    assert_eq!(accounts, [line("acme", 1, 4), line("acme", 2, 1), line("other", 3, 1)]);
    let profiles = running.events::<pb::AccountProfileChanged>().await;
    let to: Vec<&str> = profiles.iter().map(|(dest, _)| dest.as_str()).collect();
    assert_eq!(to, ["offers", "renewals", "metrics"]);
    let (_, version) = running.events::<pb::SubscriptionChanged>().await.remove(0);
    assert_eq!((version.version_id.as_str(), version.superseded), ("src/s1", false));
    let mrr = version.mrr.unwrap();
    assert_eq!((mrr.units, mrr.nanos), (166, 670_000_000), "4 × 500 USD a year");
}

#[tokio::test]
async fn a_fact_older_than_facts_are_kept_is_refused_by_name() {
    let running = Running::start_with(&[("UPSWELL__INGESTION__LIMITS__KEEP_DAYS", "10")]).await;
    let answer = running.record(vec![usage("old", 4, 1), usage("new", 6, 1)]).await;
    assert_eq!(outcomes(&answer), [Outcome::Rejected, Outcome::Recorded]);
    let fault = &answer.results[0].faults[0];
    assert_eq!(
        (fault.field.as_str(), fault.description.as_str()),
        (
            "occur_time",
            "2026-10-04T05:00:00Z is older than facts are kept: expected at most 10 days ago"
        )
    );
}
