use std::collections::{BTreeMap, BTreeSet};

use upswell_proto::ingestion::v1 as pb;

use crate::harness::{Running, about, activity, fact, plan, profile, superseding, usage};

fn series(facts: &pb::AccountFacts) -> Vec<(i32, Vec<i64>)> {
    facts
        .series
        .iter()
        .map(|series| (series.kind, series.values.clone()))
        .collect()
}

#[tokio::test]
async fn i5_a_correction_takes_the_contribution_away_whatever_comes_first() {
    let (wrong, right) = (activity("a1", 1, 50, 90), superseding("a1", activity("a2", 1, 5, 9)));
    let other = activity("a3", 1, 7, 1);
    for order in [
        [&wrong, &other, &right],
        [&right, &wrong, &other],
        [&other, &right, &wrong],
    ] {
        let running = Running::start().await;
        for fact in order {
            running.record_new(vec![fact.clone()]).await;
        }
        let facts = running.account_facts(&["acme"], 30).await.remove(0);
        let expected = [
            (pb::SeriesKind::ActiveUsers.into(), vec![7]),
            (pb::SeriesKind::Logins.into(), vec![10]),
        ];
        assert_eq!(
            series(&facts),
            expected,
            "the largest of what is left, which cannot be subtracted"
        );
    }
}

#[tokio::test]
async fn i5_the_last_fact_of_a_day_can_be_moved_to_another_day() {
    let running = Running::start().await;
    running.record_new(vec![usage("u1", 1, 5)]).await;
    running.record_new(vec![superseding("u1", usage("u2", 3, 5))]).await;
    let facts = running.account_facts(&["acme"], 30).await.remove(0);
    assert_eq!(
        (facts.series[0].days.len(), &facts.series[0].values[..]),
        (1, &[5][..]),
        "an empty day is absent"
    );
    running.record_new(vec![usage("u4", 1, 2)]).await;
    let facts = running.account_facts(&["acme"], 30).await.remove(0);
    assert_eq!(facts.series[0].values, [2, 5]);
    let listed = pb::ListFactsRequest {
        account_id: "acme".to_owned(),
        ..Default::default()
    };
    let listed = running
        .client
        .clone()
        .list_facts(listed)
        .await
        .unwrap()
        .into_inner()
        .facts;
    let by: Vec<&str> = listed
        .iter()
        .map(|fact| fact.superseded_by_external_id.as_str())
        .collect();
    assert_eq!(by, ["u2", "", ""], "both stay on record");
}

#[tokio::test]
async fn i5_of_two_corrections_of_one_fact_the_later_counts_whatever_comes_first() {
    let wrong = plan("s1", 1, "100 USD");
    let (second, third) = (
        superseding("s1", plan("s2", 2, "120 USD")),
        superseding("s1", plan("s3", 3, "130 USD")),
    );
    let days = [usage("u1", 1, 100), usage("u2", 2, 120), usage("u3", 3, 130)];
    let days = days.map(|fact| {
        if fact.external_id == "u1" {
            fact
        } else {
            superseding("u1", fact)
        }
    });
    for order in [[0, 1, 2], [0, 2, 1], [2, 1, 0], [1, 2, 0]] {
        let running = Running::start().await;
        for place in order {
            let version = [&wrong, &second, &third][place].clone();
            running.record_new(vec![version, days[place].clone()]).await;
        }
        let facts = running.account_facts(&["acme"], 30).await.remove(0);
        let values: Vec<i64> = facts.series.iter().flat_map(|series| series.values.clone()).collect();
        assert_eq!(values, [130], "in the order {order:?}");
        let mut told: BTreeMap<String, i32> = BTreeMap::new();
        let events = running.events::<pb::SubscriptionChanged>().await;
        for (_, event) in events.iter().filter(|(dest, _)| dest == "metrics") {
            *told.entry(event.version_id.clone()).or_default() += if event.superseded { -1 } else { 1 };
        }
        told.retain(|_, times| *times != 0);
        assert_eq!(
            told,
            BTreeMap::from([("src/s3".to_owned(), 1)]),
            "in the order {order:?}"
        );
        let listed = pb::ListFactsRequest {
            account_id: "acme".to_owned(),
            ..Default::default()
        };
        let listed = running.client.clone().list_facts(listed).await.unwrap().into_inner();
        let standing = listed
            .facts
            .iter()
            .filter(|fact| fact.superseded_by_external_id.is_empty());
        let standing: BTreeSet<&str> = standing
            .map(|fact| fact.fact.as_ref().unwrap().external_id.as_str())
            .collect();
        assert_eq!(standing, BTreeSet::from(["s3", "u3"]));
    }
}

#[tokio::test]
async fn i5_a_correction_about_another_account_corrects_nothing() {
    let running = Running::start().await;
    running
        .record_new(vec![
            usage("u1", 1, 5),
            about("other", superseding("u1", usage("u2", 1, 9))),
        ])
        .await;
    let facts = running.account_facts(&["acme", "other", "unknown"], 30).await;
    assert_eq!(
        facts.iter().map(|facts| facts.series[0].values[0]).collect::<Vec<_>>(),
        [5, 9]
    );
}

#[tokio::test]
async fn i5_a_corrected_version_is_told_as_superseded() {
    let running = Running::start().await;
    running
        .record_new(vec![
            plan("s1", 1, "500 USD"),
            profile("p1", 5, "wrong"),
            profile("p0", 1, "right"),
        ])
        .await;
    let corrections = vec![
        superseding("s1", plan("s2", 1, "600 USD")),
        superseding("p1", usage("u", 1, 1)),
    ];
    running.record_new(corrections).await;
    let told = running.events::<pb::SubscriptionChanged>().await;
    let metrics = told.iter().filter(|(dest, _)| dest == "metrics");
    let lines: Vec<_> = metrics
        .map(|(_, event)| (event.version_id.as_str(), event.superseded))
        .collect();
    assert_eq!(lines, [("src/s1", false), ("src/s1", true), ("src/s2", false)]);
    let picture = running.picture("acme").await;
    assert_eq!(picture.mrr[0].units, 200);
    assert_eq!(picture.account.unwrap().profile.unwrap().segment, "right");
    let request = pb::ListAccountsRequest {
        segment: "right".to_owned(),
        ..Default::default()
    };
    assert_eq!(
        running
            .client
            .clone()
            .list_accounts(request)
            .await
            .unwrap()
            .into_inner()
            .accounts
            .len(),
        1
    );
}

#[tokio::test]
async fn i5_what_a_corrected_fact_told_others_is_taken_back() {
    let running = Running::start().await;
    let touch = |id: &str, sender: &str| {
        fact(
            id,
            2,
            &format!(r#""touch":{{"class":"commercial","channel":"email","sender":"{sender}"}}"#),
        )
    };
    let paid = |id: &str, amount: &str| {
        fact(
            id,
            2,
            &format!(r#""payment":{{"invoice_id":"i1","amount":"{amount}","paid":"2026-10-02"}}"#),
        )
    };
    running.record_new(vec![touch("t1", "anna"), paid("p1", "5 USD")]).await;
    running
        .record_new(vec![
            superseding("t1", usage("u1", 1, 1)),
            superseding("p1", paid("p2", "6 USD")),
        ])
        .await;
    // Its correction came before it: nothing was told, so nothing is taken back.
    running.record_new(vec![superseding("t3", touch("t4", "boris"))]).await;
    running.record_new(vec![touch("t3", "boris")]).await;
    let touches = running.events::<pb::TouchObserved>().await.into_iter();
    let touches: Vec<_> = touches
        .map(|(_, event)| (event.fact_id, event.superseded, event.supersedes_fact_id))
        .collect();
    let line = |id: &str, superseded, supersedes: &str| (format!("src/{id}"), superseded, supersedes.to_owned());
    assert_eq!(
        touches,
        [line("t1", false, ""), line("t1", true, ""), line("t4", false, "src/t3")]
    );
    let payments = running.events::<pb::PaymentRecorded>().await.into_iter();
    let payments: Vec<_> = payments
        .map(|(_, event)| (event.fact_id, event.superseded, event.supersedes_fact_id))
        .collect();
    assert_eq!(
        payments,
        [line("p1", false, ""), line("p1", true, ""), line("p2", false, "src/p1")]
    );
}
