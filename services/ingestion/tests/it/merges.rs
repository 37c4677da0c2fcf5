//! I-3: two records become one account, and two again.

use proptest::prelude::*;
use tonic::Code;
use upswell_proto::ingestion::v1 as pb;

use crate::{
    any_order::{batches, facts, seeds},
    harness::{Running, about, fact, plan, profile, superseding, usage},
};

fn named(account: &str, external_id: &str, name: &str) -> pb::Fact {
    let body = format!(
        r#""account_profile":{{"name":"{name}","segment":"mid","country":"KZ","time_zone":"Asia/Almaty","language":"ru"}}"#
    );
    about(account, fact(external_id, 1, &body))
}

#[tokio::test]
async fn i3_a_merged_account_is_part_of_the_other_with_what_comes_later() {
    let running = Running::start().await;
    let contact = fact("c1", 1, r#""contact":{"contact_id":"c1","role":"it"}"#);
    let facts = vec![
        profile("p1", 1, "mid"),
        usage("u1", 1, 5),
        about("twin", profile("p2", 9, "small")),
        about("twin", usage("u2", 1, 7)),
        about("twin", plan("s1", 1, "500 USD")),
        about("twin", contact),
    ];
    running.record_new(facts).await;
    let merge = running.merge("acme", "twin").await.unwrap();
    let touched = r#""touch":{"class":"commercial","channel":"email","sender":"anna"}"#;
    let later = vec![
        about("twin", usage("u3", 1, 1)),
        usage("u4", 2, 2),
        about("twin", plan("s2", 2, "600 USD")),
        about("twin", fact("t1", 2, touched)),
    ];
    running.record_new(later).await;
    let wrong = superseding("s2", about("twin", plan("s3", 2, "700 USD")));
    running
        .record_new(vec![wrong, superseding("t1", about("twin", usage("u5", 3, 0)))])
        .await;

    let picture = running.picture("twin").await;
    let account = picture.account.unwrap();
    assert_eq!(
        (account.account_id.as_str(), account.merged_account_ids),
        ("acme", vec!["twin".to_owned()])
    );
    assert_eq!(
        account.profile.unwrap().segment,
        "mid",
        "its own profile stands, though the other is newer"
    );
    assert_eq!((picture.subscriptions.len(), picture.contacts.len()), (1, 1));
    let scored = running.account_facts(&["twin", "acme"], 30).await;
    assert_eq!(scored.len(), 1, "a part is no account of its own");
    assert_eq!(scored[0].series[0].values, [13, 2, 0]);
    let mut client = running.client.clone();
    let listed = client
        .list_accounts(pb::ListAccountsRequest::default())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(listed.accounts.len(), 1);
    let traced = pb::ListFactsRequest {
        account_id: "acme".to_owned(),
        ..Default::default()
    };
    assert_eq!(client.list_facts(traced).await.unwrap().into_inner().facts.len(), 12);

    let told = running.events::<pb::AccountsMerged>().await;
    assert_eq!(told.len(), 4, "to scoring, offers, renewals and metrics");
    assert_eq!(
        (told[0].1.account_id.as_str(), told[0].1.merged_account_id.as_str()),
        ("acme", "twin")
    );
    let terms = running.events::<pb::SubscriptionChanged>().await;
    let offers: Vec<_> = terms.iter().filter(|(dest, _)| dest == "offers").collect();
    let versions = offers.iter().map(|(_, event)| {
        let id = event.version_id.as_str();
        (event.account_id.as_str(), id, event.superseded)
    });
    let versions: Vec<_> = versions.collect();
    let expected = [
        ("twin", "src/s1", false),
        ("acme", "src/s1", false),
        ("acme", "src/s2", false),
        ("acme", "src/s2", true),
        ("acme", "src/s3", false),
    ];
    assert_eq!(
        versions, expected,
        "told again, and told on, under the account that goes on"
    );
    let touches = running.events::<pb::TouchObserved>().await;
    let touches: Vec<_> = touches
        .iter()
        .map(|(_, event)| (event.account_id.as_str(), event.superseded))
        .collect();
    assert_eq!(
        touches,
        [("twin", false), ("twin", true)],
        "the ledger knows whose it was"
    );
    let changed = running.events::<pb::AccountChanged>().await;
    assert_eq!(
        changed.last().unwrap().1.account_id,
        "acme",
        "what comes later is told there too"
    );
    assert_eq!((merge.actor.as_str(), merge.undo_time), ("anna", None));
}

#[tokio::test]
async fn i3_an_undone_merge_leaves_two_accounts_and_its_history() {
    let running = Running::start().await;
    running
        .record_new(vec![profile("p1", 1, "mid"), about("twin", plan("s1", 1, "500 USD"))])
        .await;
    let merge = running.merge("acme", "twin").await.unwrap();
    assert_eq!(
        running.merge("acme", "twin").await.unwrap(),
        merge,
        "the request is answered once"
    );
    running.record_new(vec![about("twin", usage("u3", 1, 1))]).await;
    let undone = running.unmerge(&merge.merge_id).await.unwrap();
    assert_eq!((undone.undo_actor.as_str(), undone.undo_time.is_some()), ("anna", true));
    let scored = running.account_facts(&["acme", "twin"], 30).await;
    assert_eq!(
        (scored.len(), scored[0].series.len(), scored[1].series[0].values[0]),
        (2, 0, 1)
    );
    let told = running.events::<pb::SubscriptionChanged>().await;
    let last = told.iter().rfind(|(dest, _)| dest == "metrics").unwrap();
    assert_eq!(last.1.account_id, "twin", "told under its own id again");
    assert_eq!(running.events::<pb::AccountsUnmerged>().await.len(), 4);
    let again = pb::UnmergeAccountsRequest {
        request_id: "0b6f5c1e-8d0a-4e6b-9c55-7d1f64c2a1e9".to_owned(),
        merge_id: merge.merge_id.clone(),
        reason: "x".to_owned(),
    };
    let mut client = running.client.clone();
    let refused = client
        .unmerge_accounts(crate::harness::by_anna(again))
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    let listed = client
        .list_merges(pb::ListMergesRequest::default())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(listed.merges, [undone]);
}

#[tokio::test]
async fn i3_an_undone_merge_takes_the_profile_of_the_part_with_it() {
    let running = Running::start().await;
    running
        .record_new(vec![
            usage("u1", 1, 5),
            about("twin", profile("p1", 1, "mid")),
            about("third", profile("p2", 1, "mid")),
        ])
        .await;
    let listed = async || {
        let request = pb::ListAccountsRequest {
            segment: "mid".to_owned(),
            ..Default::default()
        };
        let listed = running
            .client
            .clone()
            .list_accounts(request)
            .await
            .unwrap()
            .into_inner();
        let ids = listed.accounts.into_iter().map(|account| account.account_id);
        ids.collect::<Vec<_>>()
    };
    let merge = running.merge("acme", "twin").await.unwrap();
    assert_eq!(listed().await, ["acme", "third"]);
    running.unmerge(&merge.merge_id).await.unwrap();
    assert_eq!(listed().await, ["third", "twin"]);
    let pairs = pb::ListDuplicateAccountsRequest::default();
    let pairs = running
        .client
        .clone()
        .list_duplicate_accounts(pairs)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(pairs.duplicates.len(), 1, "third and twin alone have the name");
    let told = running.events::<pb::AccountProfileChanged>().await;
    let told: Vec<_> = told
        .iter()
        .filter(|(dest, event)| dest == "renewals" && event.account_id == "acme")
        .map(|(_, event)| event.profile.clone().unwrap())
        .map(|profile| (profile.segment, profile.time_zone))
        .collect();
    let line = |segment: &str, zone: &str| (segment.to_owned(), zone.to_owned());
    assert_eq!(
        told,
        [line("mid", "Asia/Almaty"), line("", "UTC")],
        "the copies forget it too"
    );
}

#[tokio::test]
async fn i3_merges_make_no_cycle_and_need_a_person_and_known_accounts() {
    let running = Running::start().await;
    running
        .record_new(vec![
            usage("u1", 1, 1),
            about("b", usage("u2", 1, 2)),
            about("c", usage("u3", 1, 4)),
        ])
        .await;
    let code = |result: Result<pb::Merge, tonic::Status>| result.unwrap_err().code();
    assert_eq!(code(running.merge("acme", "nobody").await), Code::NotFound);
    assert_eq!(code(running.merge("acme", "acme").await), Code::InvalidArgument);
    running.merge("b", "c").await.unwrap();
    assert_eq!(
        code(running.merge("acme", "c").await),
        Code::FailedPrecondition,
        "it is part of another"
    );
    assert_eq!(code(running.merge("c", "acme").await), Code::FailedPrecondition);
    let outer = running.merge("acme", "b").await.unwrap();
    assert_eq!(
        running.account_facts(&["acme"], 30).await[0].series[0].values,
        [7],
        "with the parts of its part"
    );
    assert_eq!(
        code(running.merge("b", "acme").await),
        Code::FailedPrecondition,
        "a cycle"
    );
    running.unmerge(&outer.merge_id).await.unwrap();
    assert_eq!(running.account_facts(&["b"], 30).await[0].series[0].values, [6]);
    let unsigned = pb::MergeAccountsRequest {
        request_id: "0b6f5c1e-8d0a-4e6b-9c55-7d1f64c2a1e9".to_owned(),
        account_id: "acme".to_owned(),
        merged_account_id: "b".to_owned(),
        reason: "x".to_owned(),
    };
    assert_eq!(
        running
            .client
            .clone()
            .merge_accounts(unsigned)
            .await
            .unwrap_err()
            .code(),
        Code::Unauthenticated
    );
}

#[tokio::test]
async fn i3_names_that_say_nearly_the_same_are_suggested() {
    let running = Running::start().await;
    let facts = vec![
        named("a1", "p1", "ТОО «Алтын Карго»"),
        named("a2", "p2", "Altyn Cargo LLC"),
        named("a3", "p3", "Steppe Freight"),
        named("a4", "p4", "Altyn Kargo"),
        named("a5", "p5", "Steppe Foods"),
    ];
    running.record_new(facts).await;
    let mut client = running.client.clone();
    let first = pb::ListDuplicateAccountsRequest {
        page_size: 1,
        page_token: String::new(),
    };
    let page = client.list_duplicate_accounts(first).await.unwrap().into_inner();
    let rest = pb::ListDuplicateAccountsRequest {
        page_size: 0,
        page_token: page.next_page_token.clone(),
    };
    let rest = client.list_duplicate_accounts(rest).await.unwrap().into_inner();
    let pairs: Vec<_> = page.duplicates.iter().chain(&rest.duplicates).collect();
    let ids: Vec<_> = pairs
        .iter()
        .map(|pair| (pair.account_id.as_str(), pair.other_account_id.as_str()))
        .collect();
    assert_eq!(ids, [("a1", "a2"), ("a1", "a4")]);
    assert!(
        pairs[0].similarity_percent >= 80 && pairs[1].similarity_percent == 100,
        "{pairs:?}"
    );
    running.merge("a1", "a2").await.unwrap();
    let left = client
        .list_duplicate_accounts(pb::ListDuplicateAccountsRequest::default())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(left.duplicates.len(), 1, "a merged account is no suggestion");
}

type View = (Vec<pb::GetAccount360Response>, Vec<pb::AccountFacts>);

async fn view(running: &Running) -> View {
    let facts = running.account_facts(&["a0", "a1"], 60).await;
    let mut pictures = Vec::new();
    for account in &facts {
        pictures.push(running.picture(&account.account_id).await);
    }
    (pictures, facts)
}

/// Records the batches and merges a1 into a0 before batch `at`; what is seen then, and what after undoing it.
async fn merged_before(batches: &[Vec<pb::Fact>], at: usize) -> (View, View) {
    let running = Running::start().await;
    let known = |account| about(account, usage(&format!("first-{account}"), 1, 0));
    running.record_new(vec![known("a0"), known("a1")]).await;
    let mut merge = None;
    for (number, batch) in batches.iter().enumerate() {
        if number == at {
            merge = Some(running.merge("a0", "a1").await.unwrap());
        }
        running.record(batch.clone()).await;
    }
    let merge = match merge {
        Some(merge) => merge,
        None => running.merge("a0", "a1").await.unwrap(),
    };
    let one = view(&running).await;
    running.unmerge(&merge.merge_id).await.unwrap();
    (one, view(&running).await)
}

async fn never_merged(batches: &[Vec<pb::Fact>]) -> View {
    let running = Running::start().await;
    let known = |account| about(account, usage(&format!("first-{account}"), 1, 0));
    running.record_new(vec![known("a0"), known("a1")]).await;
    for batch in batches {
        running.record(batch.clone()).await;
    }
    view(&running).await
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(12) })]

    #[test]
    fn i3_facts_in_any_order_around_a_merge_give_one_picture_and_undoing_it_gives_the_two_back(
        (all, batches) in seeds().prop_map(|seeds| facts(&seeds)).prop_flat_map(|all| (Just(all.clone()), batches(all))),
        at in 0_usize..8,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (first, middle, never) = runtime.block_on(async {
            let whole = std::slice::from_ref(&all);
            (merged_before(whole, 0).await, merged_before(&batches, at).await, never_merged(whole).await)
        });
        prop_assert_eq!(&first.0, &middle.0, "one account, whenever it became one");
        prop_assert_eq!(first.0.1.len(), 1);
        prop_assert_eq!(&first.1, &never, "two accounts again");
        prop_assert_eq!(&middle.1, &never);
    }
}
