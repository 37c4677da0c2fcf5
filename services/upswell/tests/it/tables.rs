//! Tables of a CRM and of a billing tool, imported as they are exported (I-7).

use serde_json::Value;

use crate::world::World;

/// The shipped mappings.
const MAPPINGS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../ingestion/mappings");

const ACCOUNTS: &str = "\
account_id,channel,state,signup_date,account_age_years,churn_date
0,appstore1,NY,2026-01-02,5.64,2026-02-02
7,web,TX,2026-01-31,9.96,
";

/// An account that left, one that added seats and a module, and a row that ends before it begins.
const SUBSCRIPTIONS: &str = "\
account_id,product,start_date,end_date,mrr,quantity,units,bill_period_months,discount
0,basic_mthly,2026-01-02,2026-02-02,200.0,10.0,users,1,0.0
7,basic_mthly,2026-01-31,2026-07-31,200.0,10.0,users,1,0.0
7,standard_annual,2026-07-31,2027-07-31,616.5,25.0,users,12,0.1
7,addon_search,2026-08-15,2027-07-31,75.25,1.0,units,12,0.0
7,addon_meetings,2026-08-15,2026-08-01,75.25,1.0,units,12,0.0
";

/// The columns of a usage table whose ids are not unique, with CR LF as spreadsheets write it.
const USAGE: &str = "usage_id,company,date,feature,count\r\n\
U-1,7,2026-10-10,search,9\r\n\
U-2,7,2026-10-11,search,4\r\n\
U-1,0,2026-10-11,lists,5\r\n\
U-2,7,2026-10-11,search,4\r\n\
U-3,7,2026-10-11,search,many\r\n";

const USAGE_MAPPING: &str = r#"
source = "product"
[[fact]]
body = "feature_use"
external_id = "use:{usage_id}"
account = "crm-{company}"
at = { instant = "{date}", format = "%Y-%m-%d" }
fields = { feature = "{feature}", day = { day = "{date}" }, users = 1, uses = { whole = "{count}" } }
"#;

async fn import(world: &World, file: &str, mapping: &str) -> Value {
    let ran = world
        .upswell(&["--output", "json", "import", file, "--mapping", mapping])
        .await;
    serde_json::from_str(&ran.out).expect(&ran.err)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i7_tables_become_accounts_terms_and_use_and_bad_rows_are_told_by_line() {
    let world = World::start().await;
    let counts = |summary: &Value| {
        ["lines", "recorded", "duplicates", "conflicts", "rejected"].map(|name| summary[name].as_u64().unwrap())
    };
    for (name, text, mapping, expected) in [
        (
            "accounts.csv",
            ACCOUNTS,
            format!("{MAPPINGS}/crm-accounts.toml"),
            [2, 2, 0, 0, 0],
        ),
        (
            "terms.csv",
            SUBSCRIPTIONS,
            format!("{MAPPINGS}/crm-subscriptions.toml"),
            [5, 4, 0, 0, 1],
        ),
        (
            "use.csv",
            USAGE,
            world.write("use.toml", USAGE_MAPPING).display().to_string(),
            [5, 2, 1, 1, 1],
        ),
    ] {
        let file = world.write(name, text);
        let summary = import(&world, file.to_str().unwrap(), &mapping).await;
        assert_eq!(counts(&summary), expected, "{name}: {summary}");
        let again = import(&world, file.to_str().unwrap(), &mapping).await;
        assert_eq!(again["recorded"], 0, "{name} again records nothing");
    }
    let report = |name: &str| -> Vec<(u64, String)> {
        let text = std::fs::read_to_string(world.path(name)).unwrap();
        let rows = text.lines().map(|row| serde_json::from_str::<Value>(row).unwrap());
        rows.map(|row| (row["line"].as_u64().unwrap(), row["faults"][0].to_string()))
            .collect()
    };
    let terms = report("terms.csv.rejects.jsonl");
    assert_eq!(terms[0].0, 6);
    assert!(
        terms[0].1.contains("end_date") && terms[0].1.contains("must not be before"),
        "{terms:?}"
    );
    let use_of = report("use.csv.rejects.jsonl");
    assert_eq!([use_of[0].0, use_of[1].0], [6, 4], "{use_of:?}");
    assert!(use_of[0].1.contains("\"column\":\"count\""), "{use_of:?}");
    let account = world.json(&["account", "crm-7"]).await;
    assert_eq!(account["mrr"][0]["minor"], 69_175);
    let series = account["series"].as_array().unwrap();
    let uses = series.iter().find(|series| series["kind"] == "feature_uses").unwrap();
    assert_eq!(uses["last_30_days"], 13);
    assert!(
        world.json(&["account", "crm-0"]).await["mrr"]
            .as_array()
            .unwrap()
            .is_empty()
    );
    world.cluster.stop().await.unwrap();
}
