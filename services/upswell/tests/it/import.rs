//! A file with good and broken rows, all the way into ingestion.

use std::{fs, process::Command, time::Duration};

use serde_json::Value;

use crate::world::World;

/// Good facts, and between them a row for each way to be bad.
fn mixed() -> Vec<u8> {
    let usage = |id: &str, value: &str| {
        format!(
            r#"{{"source":"product","external_id":"{id}","account":"acct-01","at":"2026-10-11T19:00:00Z","usage":{{"metric":"shipments","day":"2026-10-11","value":{value}}}}}"#
        )
    };
    let mut file = Vec::new();
    let mut row = |bytes: &[u8]| file.extend([bytes, b"\n"].concat());
    row(usage("u1", "10").as_bytes());
    row(b"{\"source\": ");
    row(usage("u2", "-5").as_bytes());
    row(b"");
    row(usage("u3", "\"many\"").replace("acct-01", "a cct").as_bytes());
    row(b"\xff\xfe");
    row(usage("u4", "7").replace("2026-10-11T", "1970-01-01T").as_bytes());
    row(usage("u1", "10").as_bytes());
    row(usage("u1", "11").as_bytes());
    row(&[b"{\"source\":\"".to_vec(), vec![b'x'; 70_000], b"\"}".to_vec()].concat());
    row(usage("u5", "20").as_bytes());
    file
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_valid_is_recorded_and_what_is_not_is_reported_in_full() {
    let world = World::start().await;
    let file = world.write("facts.jsonl", mixed());
    let file = file.to_str().unwrap();
    let ran = world
        .upswell(&["--output", "json", "import", file, "--batch", "3"])
        .await;
    assert_eq!(ran.code, 2, "{}", ran.err);
    let summary: Value = serde_json::from_str(&ran.out).unwrap();
    let count = |name: &str| summary[name].as_u64().unwrap();
    assert_eq!(
        (count("lines"), count("recorded"), count("duplicates")),
        (10, 2, 1),
        "{summary}"
    );
    assert_eq!((count("conflicts"), count("rejected")), (1, 6), "{summary}");

    let report = fs::read_to_string(summary["rejects_file"].as_str().unwrap()).unwrap();
    let mut rows: Vec<Value> = report.lines().map(|row| serde_json::from_str(row).unwrap()).collect();
    rows.sort_by_key(|row| row["line"].as_u64());
    let lines: Vec<u64> = rows.iter().map(|row| row["line"].as_u64().unwrap()).collect();
    assert_eq!(lines, [2, 3, 5, 6, 7, 9, 10], "{report}");
    let faults = |line: u64| rows.iter().find(|row| row["line"] == line).unwrap()["faults"].to_string();
    assert!(faults(2).contains("column"), "{}", faults(2));
    assert!(faults(3).contains("usage.value"), "{}", faults(3));
    assert!(faults(5).contains("usage.value"), "{}", faults(5));
    assert!(faults(6).contains("UTF-8"), "{}", faults(6));
    assert!(faults(10).contains("bytes"), "{}", faults(10));
    assert_eq!(rows[5]["outcome"], "conflict");
    assert!(
        rows[1]["text"].as_str().unwrap().contains("\"u2\""),
        "the row itself can be mended"
    );

    let again = world.upswell(&["--output", "json", "import", file]).await;
    let again: Value = serde_json::from_str(&again.out).unwrap();
    assert_eq!(
        (&again["recorded"], &again["duplicates"]),
        (&0.into(), &3.into()),
        "importing again changes nothing"
    );
    world.cluster.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clean_file_makes_no_report_and_exits_with_0() {
    let world = World::start().await;
    let row = |id: usize| {
        format!(
            r#"{{"source":"product","external_id":"a{id}","account":"acct-{:02}","at":"2026-10-11T19:00:00Z","activity":{{"day":"2026-10-11","active_users":{id},"logins":{id}}}}}"#,
            id % 7
        )
    };
    let file = world.write("clean.jsonl", (0..2_500).map(|id| row(id) + "\r\n").collect::<String>());
    let ran = world.upswell(&["import", file.to_str().unwrap()]).await;
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.contains("2500"), "{}", ran.out);
    assert!(!world.path("clean.jsonl.rejects.jsonl").exists());
    let accounts = world.json(&["accounts"]).await;
    assert_eq!(accounts["items"].as_array().unwrap().len(), 7);
    world.cluster.stop().await.unwrap();
}

/// Facts with a broken row after every nineteenth.
fn long(rows: usize) -> String {
    let fact = |id: usize| {
        format!(
            r#"{{"source":"product","external_id":"k{id}","account":"acct-{:02}","at":"2026-10-11T19:00:00Z","usage":{{"metric":"shipments","day":"2026-10-11","value":1}}}}"#,
            id % 11
        )
    };
    (0..rows)
        .map(|id| {
            if id % 20 == 19 {
                "{\"source\":\n".to_owned()
            } else {
                fact(id) + "\n"
            }
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i7_an_import_that_is_killed_goes_on_where_it_was_and_reports_each_row_once() {
    const ROWS: usize = 4_000;
    let world = World::start().await;
    let file = world.write("long.jsonl", long(ROWS));
    let checkpoint = world.path("long.jsonl.checkpoint.json");
    let noted = || -> u64 {
        let text = fs::read_to_string(&checkpoint).unwrap_or_default();
        let noted: Value = serde_json::from_str(&text).unwrap_or_default();
        noted["summary"]["lines"].as_u64().unwrap_or_default()
    };
    let mut kills = 0;
    for wanted in [1, 1_000, 2_500] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_upswell"))
            .arg("--config")
            .arg(world.path("client.toml"))
            .args(["import", file.to_str().unwrap(), "--batch", "10"])
            .spawn()
            .unwrap();
        let mut each = tokio::time::interval(Duration::from_millis(1));
        while noted() < wanted && child.try_wait().unwrap().is_none() {
            each.tick().await;
        }
        child.kill().unwrap();
        kills += u64::from(!child.wait().unwrap().success());
    }
    assert_eq!(kills, 3, "the import is long enough to be killed three times");
    assert!(noted() >= 2_500, "each import went on where the one before was");
    let ran = world
        .upswell(&["--output", "json", "import", file.to_str().unwrap()])
        .await;
    let summary: Value = serde_json::from_str(&ran.out).unwrap();
    let count = |name: &str| summary[name].as_u64().unwrap();
    assert_eq!((count("lines"), count("rejected")), (4_000, 200), "{summary}");
    // A batch that was recorded and not noted comes again, at most one a kill.
    assert_eq!(count("recorded") + count("duplicates"), 3_800, "{summary}");
    assert!(count("duplicates") <= 30, "{summary}");
    let report = fs::read_to_string(summary["rejects_file"].as_str().unwrap()).unwrap();
    let lines: Vec<u64> = report
        .lines()
        .map(|row| serde_json::from_str::<Value>(row).unwrap()["line"].as_u64().unwrap())
        .collect();
    assert_eq!(
        lines,
        (1..=200).map(|row| row * 20).collect::<Vec<_>>(),
        "each row once"
    );
    let used: i64 = {
        let mut sum = 0;
        for account in 0..11 {
            let picture = world.json(&["account", &format!("acct-{account:02}")]).await;
            sum += picture["series"][0]["last_30_days"].as_i64().unwrap_or_default();
        }
        sum
    };
    assert_eq!(used, 3_800, "every fact once");
    assert!(!checkpoint.exists());
    world.cluster.stop().await.unwrap();
}
