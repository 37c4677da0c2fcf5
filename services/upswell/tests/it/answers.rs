//! What the client commands answer, in tables, in JSON and in failures.

use crate::world::World;

const FACTS: &str = r#"{"source":"crm","external_id":"acct-01@1","account":"acct-01","at":"2026-03-26T05:00:00Z","account_profile":{"name":"Altyn Cargo","segment":"mid-market","industry":"freight","country":"KZ","time_zone":"Asia/Almaty","language":"ru","csm_id":"anna","primary_metric":"shipments"}}
{"source":"billing","external_id":"sub-01@1","account":"acct-01","at":"2026-03-26T05:00:00Z","subscription":{"subscription_id":"sub-01","product":"pro","kind":"plan","unit_price":"2880000.00 KZT","quantity":1,"period":"year","effective":"2026-03-26","renewal":"2027-03-26"}}
{"source":"survey","external_id":"nps-01","account":"acct-01","at":"2026-10-12T07:00:00Z","survey":{"survey":"nps","score":9}}
"#;

async fn world() -> World {
    let world = World::start().await;
    let file = world.write("facts.jsonl", FACTS);
    let ran = world.upswell(&["import", file.to_str().unwrap()]).await;
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    world.settle().await;
    world
}

/// Every command that only asks answers in both forms, whether there is something to show or not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_question_is_answered_in_both_forms() {
    let world = world().await;
    let window = ["--from", "2026-10-01", "--to", "2026-10-14"];
    let metrics = [
        "revenue",
        "movements",
        "funnel",
        "weekly",
        "motions",
        "pressure",
        "lead-times",
        "programme",
        "return",
        "targets",
        "loyalty",
    ];
    let mut questions: Vec<Vec<&str>> = metrics
        .iter()
        .map(|name| [&["metrics", name], &window[..]].concat())
        .collect();
    for question in [
        "account acct-01",
        "accounts",
        "facts acct-01",
        "conflicts",
        "signals",
        "scores",
        "scores acct-01",
        "offers --state sent",
        "orders",
        "approvals",
        "holdout --all",
        "policy",
        "explain acct-01",
        "decisions",
        "allowance acct-01 --class commercial",
        "touches",
        "suppressions",
        "renewals --all",
        "tasks",
        "outbox",
        "dead-letters ingestion",
    ] {
        questions.push(question.split(' ').collect());
    }
    for question in questions {
        let table = world.upswell(&question).await;
        assert_eq!(table.code, 0, "{question:?}: {}", table.err);
        assert!(!table.out.trim().is_empty(), "{question:?} says nothing");
        assert!(world.json(&question).await.is_object(), "{question:?}");
    }
    world.cluster.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn amounts_and_origins_come_out_as_they_went_in() {
    let world = world().await;
    let account = world.json(&["account", "acct-01"]).await;
    assert_eq!(account["mrr"][0]["minor"], 24_000_000);
    assert_eq!(account["subscriptions"][0]["provenance"]["external_id"], "sub-01@1");
    let table = world.upswell(&["account", "acct-01"]).await.out;
    assert!(
        table.contains("240\u{202f}000 ₸") && table.contains("Altyn Cargo"),
        "{table}"
    );
    let deals = world.json(&["renewals"]).await;
    assert_eq!(deals["items"][0]["renews"], "2027-03-26");
    world.cluster.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_is_made_once_for_one_request() {
    let world = world().await;
    let request = "0199d000-0000-7000-8000-000000000001";
    let suppress = [
        "suppress",
        "acct-01",
        "--reason",
        "merger",
        "--actor",
        "anna",
        "--request-id",
        request,
    ];
    let first = world.json(&suppress).await;
    assert_eq!(world.json(&suppress).await, first);
    assert_eq!(first["author"], "anna");
    let blocked = world.upswell(&["allowance", "acct-01", "--class", "commercial"]).await;
    assert!(
        blocked.out.contains("not allowed") && blocked.out.contains("C-10"),
        "{}",
        blocked.out
    );
    let id = first["suppression"].as_str().unwrap();
    assert!(
        world
            .upswell(&["lift", id, "--actor", "anna"])
            .await
            .out
            .contains("is lifted")
    );
    let listed = world.json(&["suppressions"]).await;
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    world.cluster.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failures_are_sentences_with_everything_that_is_wrong() {
    let world = world().await;
    let unknown = world.upswell(&["account", "acct-99"]).await;
    assert_eq!(unknown.code, 1);
    assert!(
        unknown.err.starts_with("error: ") && unknown.err.contains("[ACCOUNT_NOT_FOUND]"),
        "{}",
        unknown.err
    );
    let nobody = world.upswell(&["reject", "x", "--comment", "no"]).await;
    assert!(nobody.err.contains("--actor"), "{}", nobody.err);
    let empty = world
        .upswell(&["metrics", "revenue", "--from", "2026-10-14", "--to", "2026-10-01"])
        .await;
    assert!(empty.err.contains("the window is empty"), "{}", empty.err);
    let settings = world.write("wrong.toml", "[offers.holdout]\nshare = \"some\"\n[oferrs]\nx = 1\n");
    let wrong = world.upswell(&["check-config"]).await;
    assert_eq!(wrong.code, 0, "{}", wrong.err);
    let config = settings.to_str().unwrap();
    let wrong = std::process::Command::new(env!("CARGO_BIN_EXE_upswell"))
        .args(["check-config", "--config", config])
        .output();
    let wrong = wrong.unwrap();
    let told = String::from_utf8(wrong.stderr).unwrap();
    assert_eq!(wrong.status.code(), Some(1));
    assert!(
        told.contains("offers.holdout.share") && told.contains("oferrs"),
        "{told}"
    );
    let client = world.path("client.toml");
    world.cluster.stop().await.unwrap();
    let away = std::process::Command::new(env!("CARGO_BIN_EXE_upswell"))
        .arg("--config")
        .arg(client)
        .arg("offers")
        .output();
    let told = String::from_utf8(away.unwrap().stderr).unwrap();
    assert!(told.contains("upswell serve all"), "{told}");
}
