//! I-4: people decide between two contents of one fact.

use tonic::Code;
use upswell_proto::ingestion::v1::{self as pb, conflict::Resolution};

use crate::harness::{Running, about, by_anna, superseding, usage};

async fn listed(running: &Running, include_resolved: bool) -> Vec<pb::Conflict> {
    let request = pb::ListConflictsRequest {
        account_id: "acme".to_owned(),
        include_resolved,
        ..Default::default()
    };
    running
        .client
        .clone()
        .list_conflicts(request)
        .await
        .unwrap()
        .into_inner()
        .conflicts
}

fn decide(conflict: &pb::Conflict, resolution: Resolution) -> pb::ResolveConflictRequest {
    let name = [
        conflict.conflict_id.to_string(),
        resolution.as_str_name().to_owned(),
        conflict.etag.clone(),
    ];
    let parts: Vec<&str> = name.iter().map(String::as_str).collect();
    pb::ResolveConflictRequest {
        request_id: upswell_runtime::ids::derive("test decision", &parts).to_string(),
        conflict_id: conflict.conflict_id,
        etag: conflict.etag.clone(),
        resolution: resolution.into(),
        reason: "the invoice says so".to_owned(),
    }
}

async fn resolve(running: &Running, request: pb::ResolveConflictRequest) -> Result<pb::Conflict, Code> {
    let answer = running.client.clone().resolve_conflict(by_anna(request)).await;
    answer
        .map(|answer| answer.into_inner().conflict.unwrap())
        .map_err(|status| status.code())
}

#[tokio::test]
async fn i4_a_refused_content_replaces_the_recorded_one_as_a_correction() {
    let running = Running::start().await;
    running
        .record(vec![usage("u1", 1, 5), usage("u1", 1, 6), usage("u1", 1, 7)])
        .await;
    let open = listed(&running, false).await;
    assert_eq!(open.len(), 2);
    let kept = resolve(&running, decide(&open[0], Resolution::Keep)).await.unwrap();
    assert_eq!((kept.resolution(), kept.resolver.as_str()), (Resolution::Keep, "anna"));
    let request = decide(&open[1], Resolution::Replace);
    let replaced = resolve(&running, request.clone()).await.unwrap();
    assert_eq!(
        resolve(&running, request).await.unwrap(),
        replaced,
        "the request is answered once"
    );
    assert_eq!(running.account_facts(&["acme"], 30).await[0].series[0].values, [6]);
    assert!(listed(&running, false).await.is_empty());
    assert_eq!(listed(&running, true).await, [kept, replaced.clone()]);
    let second = decide(&replaced, Resolution::Keep);
    assert_eq!(
        resolve(&running, second).await.unwrap_err(),
        Code::Aborted,
        "decided is decided"
    );
}

#[tokio::test]
async fn i4_who_decides_by_what_was_read_before_is_told_to_read_again() {
    let running = Running::start().await;
    running.record(vec![usage("u1", 1, 5), usage("u1", 1, 6)]).await;
    let conflict = listed(&running, false).await.remove(0);
    resolve(&running, decide(&conflict, Resolution::Keep)).await.unwrap();
    let late = decide(&conflict, Resolution::Replace);
    assert_eq!(resolve(&running, late.clone()).await.unwrap_err(), Code::Aborted);
    assert_eq!(
        running.account_facts(&["acme"], 30).await[0].series[0].values,
        [5],
        "nothing was replaced"
    );
    let unsigned = running.client.clone().resolve_conflict(late).await.unwrap_err();
    assert_eq!(unsigned.code(), Code::Unauthenticated);
    let unknown = pb::ResolveConflictRequest {
        request_id: "0b6f5c1e-8d0a-4e6b-9c55-7d1f64c2a1e9".to_owned(),
        conflict_id: 99,
        ..decide(&conflict, Resolution::Keep)
    };
    assert_eq!(resolve(&running, unknown).await.unwrap_err(), Code::NotFound);
    let empty = pb::ResolveConflictRequest::default();
    assert_eq!(resolve(&running, empty).await.unwrap_err(), Code::InvalidArgument);
}

#[tokio::test]
async fn i4_what_cannot_be_a_correction_replaces_nothing() {
    let running = Running::start().await;
    running
        .record(vec![
            usage("u1", 1, 5),
            about("other", usage("u1", 1, 5)),
            usage("u1", 1, 8),
        ])
        .await;
    running.record(vec![superseding("u1", usage("u2", 1, 9))]).await;
    let open = listed(&running, false).await;
    assert_eq!(open.len(), 2);
    for conflict in &open {
        let request = decide(conflict, Resolution::Replace);
        assert_eq!(resolve(&running, request).await.unwrap_err(), Code::FailedPrecondition);
    }
    assert_eq!(listed(&running, false).await, open, "they stay open");
    assert_eq!(running.account_facts(&["acme"], 30).await[0].series[0].values, [9]);
}
