use tonic::Code;
use upswell_proto::ingestion::v1 as pb;

use crate::harness::{Running, about, activity, profile, usage};

#[tokio::test]
async fn accounts_are_paged_by_id_and_filtered_by_segment() {
    let running = Running::start().await;
    let segment = |number: i32| if number % 2 == 0 { "even" } else { "odd" };
    let facts = (0..5)
        .map(|n| about(&format!("a{n}"), profile(&format!("p{n}"), 1, segment(n))))
        .collect();
    running.record_new(facts).await;
    let mut client = running.client.clone();
    let mut request = pb::ListAccountsRequest {
        page_size: 2,
        ..Default::default()
    };
    let mut seen = Vec::new();
    loop {
        let page = client.list_accounts(request.clone()).await.unwrap().into_inner();
        seen.extend(page.accounts.into_iter().map(|account| account.account_id));
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    assert_eq!(seen, ["a0", "a1", "a2", "a3", "a4"]);
    let even = pb::ListAccountsRequest {
        segment: "Even".to_owned(),
        ..Default::default()
    };
    assert_eq!(
        client
            .list_accounts(even.clone())
            .await
            .unwrap()
            .into_inner()
            .accounts
            .len(),
        3
    );
    let stolen = pb::ListAccountsRequest {
        page_token: request.page_token,
        ..even
    };
    assert_eq!(
        client.list_accounts(stolen).await.unwrap_err().code(),
        Code::InvalidArgument
    );
}

#[tokio::test]
async fn i8_facts_are_listed_as_recorded_over_many_batches() {
    let running = Running::start().await;
    for number in 0..150 {
        let other = about("other", usage(&format!("o{number}"), 1, 1));
        running
            .record_new(vec![usage(&format!("u{number:03}"), 1 + number % 3, 1), other])
            .await;
    }
    running.record_new(vec![activity("a", 2, 1, 1)]).await;
    let mut client = running.client.clone();
    let all = pb::ListFactsRequest {
        account_id: "acme".to_owned(),
        page_size: 40,
        ..Default::default()
    };
    let (mut request, mut ids) = (all.clone(), Vec::new());
    loop {
        let page = client.list_facts(request.clone()).await.unwrap().into_inner();
        ids.extend(
            page.facts
                .into_iter()
                .map(|recorded| recorded.fact.unwrap().external_id),
        );
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    let expected: Vec<String> = (0..150)
        .map(|number| format!("u{number:03}"))
        .chain(["a".to_owned()])
        .collect();
    assert_eq!(ids, expected);
    let time = |day: i64| {
        Some(prost_types::Timestamp {
            seconds: 1_790_812_800 + (day - 1) * 86_400,
            nanos: 0,
        })
    };
    let day_two = pb::ListFactsRequest {
        start_time: time(2),
        end_time: time(3),
        page_size: 1_000,
        ..all.clone()
    };
    assert_eq!(
        client
            .list_facts(day_two.clone())
            .await
            .unwrap()
            .into_inner()
            .facts
            .len(),
        51
    );
    let activity = pb::ListFactsRequest {
        body: "activity".to_owned(),
        ..day_two.clone()
    };
    assert_eq!(client.list_facts(activity).await.unwrap().into_inner().facts.len(), 1);
    let named = pb::ListFactsRequest {
        name: "shipments".to_owned(),
        ..day_two
    };
    assert_eq!(client.list_facts(named).await.unwrap().into_inner().facts.len(), 50);
    let wrong = pb::ListFactsRequest {
        body: "usages".to_owned(),
        page_size: -1,
        ..all
    };
    assert_eq!(
        client.list_facts(wrong).await.unwrap_err().code(),
        Code::InvalidArgument
    );
}
