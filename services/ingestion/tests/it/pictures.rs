use tonic::Code;
use upswell_proto::ingestion::v1 as pb;

use crate::harness::{Running, activity, fact, plan, profile, usage};

#[tokio::test]
async fn i8_the_picture_of_an_account_has_every_kind_with_its_origin() {
    let running = Running::start().await;
    let readme = include_str!("../../README.md");
    let lines = readme.lines().filter(|line| line.starts_with("{\"source\""));
    let facts = lines
        .map(|line| upswell_ingestion::jsonl::parse_line(line).unwrap())
        .collect();
    running.record_new(facts).await;
    let picture = running.picture("ACCT-01").await;
    let account = picture.account.unwrap();
    assert_eq!(account.profile.unwrap().display_name, "Altyn Cargo");
    assert_eq!(account.provenance.unwrap().external_id, "acct-01@1");
    assert_eq!(picture.contacts[0].profile.as_ref().unwrap().points.len(), 2);
    let subscription = &picture.subscriptions[0];
    assert_eq!(
        (subscription.active, subscription.mrr.as_ref().unwrap().units),
        (true, 240_000)
    );
    assert_eq!(picture.mrr[0].units, 250_000);
    let names: Vec<&str> = picture.series.iter().map(|series| series.name.as_str()).collect();
    assert_eq!(names, ["", "", "api", "api", "shipments", "spreadsheet", "sso", "sso"]);
    assert_eq!(picture.moments.len(), 9, "of every kind that has no list of its own");
    assert_eq!(picture.tickets[0].provenance.as_ref().unwrap().external_id, "t-77@2");
    assert_eq!(picture.surveys[0].answer.as_ref().unwrap().score, 9);
    let invoice = &picture.invoices[0];
    assert_eq!(
        (
            invoice.paid.as_ref().unwrap().units,
            invoice.paid_in_full_date.unwrap().day
        ),
        (240_000, 12)
    );
    assert_eq!(
        (picture.touches[0].state.as_str(), picture.touches[0].sender.as_str()),
        ("observed", "anna@crm")
    );
    assert_eq!(picture.replies[0].reply.as_ref().unwrap().text, "+");
    for topic in [
        running.events::<pb::PaymentRecorded>().await.len(),
        running.events::<pb::TouchObserved>().await.len(),
        running.events::<pb::ReplyReceived>().await.len(),
        running.events::<pb::TicketChanged>().await.len(),
        running.events::<pb::ContactChanged>().await.len(),
    ] {
        assert_eq!(topic, 1);
    }
}

#[tokio::test]
async fn i8_of_what_happens_often_the_newest_is_shown_and_scoring_gets_its_days() {
    let running = Running::start().await;
    let action = |number: usize, day: i32| {
        let body = r#""action":{"kind":"locked_action","subject":"audit_log"}"#;
        fact(&format!("act-{day:02}-{number:03}"), day, body)
    };
    let mut facts: Vec<pb::Fact> = (0..150)
        .flat_map(|number| [action(number, 1), action(number, 9)])
        .collect();
    facts.push(fact("cmp-1", 1, r#""complaint":{"kind":"other"}"#));
    running.record_new(facts).await;
    let shown = running.picture("acme").await.moments;
    let ids: Vec<String> = shown
        .into_iter()
        .map(|moment| moment.fact.unwrap().external_id)
        .collect();
    assert_eq!(ids.len(), 200);
    assert_eq!(
        (ids[0].as_str(), ids[150].as_str()),
        ("act-09-149", "cmp-1"),
        "the newest first"
    );
    assert_eq!(ids[199], "act-01-101");
    let scored = running.account_facts(&["acme"], 10).await.remove(0).moments;
    assert_eq!(scored.len(), 150, "of the ten days alone");
    assert!(scored.iter().all(|fact| fact.external_id.starts_with("act-09")));
}

#[tokio::test]
async fn series_are_summed_over_complete_days_of_the_accounts_calendar() {
    let running = Running::start().await;
    let old = fact(
        "old",
        1,
        r#""usage":{"metric":"shipments","day":"2026-09-01","value":8}"#,
    );
    running
        .record_new(vec![
            profile("p", 1, "mid"),
            usage("u15", 15, 1_000),
            usage("u14", 14, 3),
            old,
        ])
        .await;
    let gone = fact(
        "gone",
        1,
        r#""usage":{"metric":"retired","day":"2025-01-01","value":8}"#,
    );
    running.record_new(vec![gone]).await;
    // 05:00 UTC on the 15th is 10:00 in Almaty: the 15th is not complete.
    let series = running.picture("acme").await.series;
    assert_eq!(
        (
            series[0].name.as_str(),
            series[0].last_day.unwrap().year,
            series[0].fact_count
        ),
        ("retired", 2025, 0)
    );
    assert_eq!(
        (series[1].last_30_days, series[1].previous_30_days, series[1].fact_count),
        (3, 8, 2)
    );
    running.clock.set("2026-10-15T19:00:00Z".parse().unwrap());
    assert_eq!(
        running.picture("acme").await.series[1].last_30_days,
        1_003,
        "midnight has passed in Almaty"
    );
}

#[tokio::test]
async fn scoring_gets_states_and_days_in_the_order_asked() {
    let running = Running::start().await;
    let ticket = fact(
        "t",
        1,
        r#""ticket":{"ticket_id":"t","topic":"x","severity":"critical","opened":"2025-01-01T00:00:00Z"}"#,
    );
    let solved = r#""ticket":{"ticket_id":"s","topic":"x","severity":"low","opened":"2025-01-01T00:00:00Z","resolved":"2025-01-02T00:00:00Z"}"#;
    let facts = vec![
        ticket,
        fact("s", 1, solved),
        plan("s1", 1, "5 USD"),
        plan("s2", 2, "6 USD"),
        activity("a", 3, 4, 9),
    ];
    running.record_new(facts).await;
    let facts = running.account_facts(&["nobody", "acme", "acme"], 13).await;
    assert_eq!(facts.len(), 1, "unknown accounts and repetitions are left out");
    assert_eq!(facts[0].tickets.len(), 1, "only what was open in the range");
    assert_eq!(facts[0].subscriptions.len(), 2, "every version");
    assert_eq!(facts[0].series.len(), 2);
    assert!(
        running.account_facts(&["acme"], 12).await[0].series.is_empty(),
        "the day lies before the range"
    );
}

#[tokio::test]
async fn requests_are_refused_with_every_violation() {
    let running = Running::start().await;
    let mut client = running.client.clone();
    let unknown = client
        .get_account360(pb::GetAccount360Request {
            account_id: "nobody".to_owned(),
        })
        .await
        .unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
    let blank = client
        .get_account360(pb::GetAccount360Request::default())
        .await
        .unwrap_err();
    assert_eq!(blank.code(), Code::InvalidArgument);
    let nothing = client
        .batch_get_account_facts(pb::BatchGetAccountFactsRequest::default())
        .await
        .unwrap_err();
    assert_eq!(
        (nothing.code(), nothing.message()),
        (Code::InvalidArgument, "the request has 3 invalid fields")
    );
}
