//! What people decide at the command line about accounts, facts and renewals.

use serde_json::Value;

use crate::world::World;

const FACTS: &str = r#"{"source":"crm","external_id":"a@1","account":"acct-01","at":"2026-03-26T05:00:00Z","account_profile":{"name":"Altyn Cargo LLP","segment":"mid-market","country":"KZ","time_zone":"Asia/Almaty","language":"ru","csm_id":"anna"}}
{"source":"crm","external_id":"b@1","account":"acct-77","at":"2026-03-26T05:00:00Z","account_profile":{"name":"ALTYN CARGO","segment":"mid-market","country":"KZ","time_zone":"Asia/Almaty","language":"ru"}}
{"source":"billing","external_id":"sub-01@1","account":"acct-01","at":"2026-03-26T05:00:00Z","subscription":{"subscription_id":"sub-01","product":"pro","kind":"plan","unit_price":"2880000.00 KZT","period":"year","effective":"2026-03-26","renewal":"2027-03-26","discounts":[{"basis_points":1000,"end":"2027-03-26"}],"auto_renew":true,"notice_days":60}}
{"source":"product","external_id":"u@1","account":"acct-77","at":"2026-10-11T19:00:00Z","usage":{"metric":"shipments","day":"2026-10-11","value":10}}
{"source":"product","external_id":"u@1","account":"acct-77","at":"2026-10-11T19:00:00Z","usage":{"metric":"shipments","day":"2026-10-11","value":12}}
"#;

async fn world() -> World {
    let world = World::start().await;
    let file = world.write("facts.jsonl", FACTS);
    let ran = world.upswell(&["import", file.to_str().unwrap()]).await;
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    world.settle().await;
    world
}

async fn json(world: &World, line: &str) -> Value {
    world.json(&line.split(' ').collect::<Vec<_>>()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i3_duplicates_are_found_merged_and_made_two_again() {
    let world = world().await;
    let found = json(&world, "duplicates").await;
    assert_eq!(
        (&found["items"][0]["account"], &found["items"][0]["other_account"]),
        (&"acct-01".into(), &"acct-77".into()),
        "{found}"
    );
    let nobody = world
        .upswell(&["merge", "acct-01", "--with", "acct-77", "--reason", "one"])
        .await;
    assert!(nobody.err.contains("--actor"), "{}", nobody.err);
    let merge = json(&world, "merge acct-01 --with acct-77 --reason namesake --actor anna").await;
    assert_eq!(json(&world, "account acct-01").await["series"][0]["name"], "shipments");
    let id = merge["merge"].as_str().unwrap();
    let undone = json(&world, &format!("unmerge {id} --reason two --actor boris")).await;
    assert_eq!(undone["undone_by"], "boris");
    assert!(
        json(&world, "account acct-01").await["series"]
            .as_array()
            .unwrap()
            .is_empty()
    );
    let merges = json(&world, "merges --account acct-77").await;
    assert_eq!(merges["items"].as_array().unwrap().len(), 1);
    world.cluster.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i4_a_conflict_is_listed_and_decided_once() {
    let world = world().await;
    let found = json(&world, "conflicts").await;
    let (id, etag) = (
        &found["items"][0]["conflict"],
        found["items"][0]["etag"].as_str().unwrap(),
    );
    let resolve = format!("resolve {id} --replace --reason counted --actor anna --etag");
    let wrong = world
        .upswell(&[&resolve.split(' ').collect::<Vec<_>>()[..], &["nothing"]].concat())
        .await;
    assert!(wrong.err.contains("ETAG_MISMATCH"), "{}", wrong.err);
    let decided = json(&world, &format!("{resolve} {etag}")).await;
    assert_eq!(
        (&decided["decision"], &decided["decided_by"]),
        (&"replace".into(), &"anna".into())
    );
    assert_eq!(json(&world, "account acct-77").await["series"][0]["last_30_days"], 12);
    assert!(json(&world, "conflicts").await["items"].as_array().unwrap().is_empty());
    assert_eq!(
        json(&world, "conflicts --all").await["items"].as_array().unwrap().len(),
        1
    );
    world.cluster.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rn8_a_deal_shows_the_terms_of_its_contract_and_people_change_them() {
    let world = world().await;
    let account = json(&world, "account acct-01").await;
    assert_eq!(
        account["mrr"][0]["minor"], 21_600_000,
        "ten percent off until the renewal"
    );
    let deal = json(&world, "renewals").await["items"][0].clone();
    assert_eq!(deal["mrr"]["minor"], 24_000_000, "what renews is worth the full price");
    assert_eq!(
        (&deal["auto_renew"], &deal["notice_days"]),
        (&true.into(), &60.into()),
        "{deal}"
    );
    let id = deal["deal"].as_str().unwrap();
    let terms = json(
        &world,
        &format!("renewal terms {id} --notice-days 30 --months 24 --actor anna"),
    )
    .await;
    assert_eq!(
        (&terms["auto_renew"], &terms["notice_days"], &terms["term_months"]),
        (&true.into(), &30.into(), &24.into())
    );
    let stale = format!(
        "renewal terms {id} --auto-renew false --etag {} --actor anna",
        deal["etag"].as_str().unwrap()
    );
    let stale = world.upswell(&stale.split(' ').collect::<Vec<_>>()).await;
    assert!(stale.err.contains("ETAG_MISMATCH"), "{}", stale.err);
    let moved = json(
        &world,
        &format!("renewal move {id} --to 2027-01-15 --reason board --actor anna"),
    )
    .await;
    assert_eq!(moved["shift_reason"], "board");
    let noticed = json(&world, &format!("renewal notice {id} --on 2026-10-12 --actor anna")).await;
    assert_eq!(noticed["notice_given"], "2026-10-12");
    world.cluster.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rn2_contacts_take_their_place_and_absences_have_a_delegate() {
    let world = world().await;
    let deal = json(&world, "renewals").await["items"][0]["deal"]
        .as_str()
        .unwrap()
        .to_owned();
    let plan = format!("contact plan {deal} --kind call --channel csm_task --at 2026-10-13T05:00:00Z --actor anna");
    let planned = json(&world, &plan).await;
    world.settle().await;
    let listed = json(&world, "contact list --account acct-01").await;
    let contact = &listed["items"][0];
    assert_eq!(
        (&contact["contact"], &contact["state"]),
        (&planned["contact"], &"reserved".into()),
        "{listed}"
    );
    let step = |verb: &str, contact: &Value| {
        let (id, etag) = (contact["contact"].as_str().unwrap(), contact["etag"].as_str().unwrap());
        format!("contact {verb} {id} --etag {etag} --actor anna")
    };
    let cancelled = json(&world, &step("cancel", contact)).await;
    assert_eq!(cancelled["state"], "cancelled");
    let away = json(
        &world,
        "absence set anna --from 2026-10-20 --until 2026-10-31 --delegate boris --actor anna",
    )
    .await;
    assert_eq!(json(&world, "absence list --person anna").await["items"][0], away);
    let (id, etag) = (away["absence"].as_str().unwrap(), away["etag"].as_str().unwrap());
    json(&world, &format!("absence remove {id} --etag {etag} --actor anna")).await;
    assert!(
        json(&world, "absence list").await["items"]
            .as_array()
            .unwrap()
            .is_empty()
    );
    world.cluster.stop().await.unwrap();
}
