//! Rows that never reach the wire; the way over a real ingestion is tested in `tests/`.

use upswell_runtime::client::ClientSettings;

use super::*;

#[tokio::test]
async fn a_file_without_a_single_fact_is_told_in_full_and_sends_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let rejects = folder.path().join("rejects.jsonl");
    let peers = [(upswell_ingestion::NAME.to_owned(), "http://127.0.0.1:9".to_owned())].into();
    let settings = ClientSettings::default();
    let channel = Peers::new(&peers, &settings)
        .unwrap()
        .channel(upswell_ingestion::NAME)
        .unwrap();
    let file = b"{\"source\": 1}\n\n[]\nnot json\n\xff\n";
    let importer = Importer {
        sender: Sender::new(channel, settings, ""),
        rejects: Rejects::new(rejects.clone(), None),
        summary: Summary::default(),
        waiting: Vec::new(),
        checkpoint: None,
    };
    let rows = Rows::Facts(Lines::new(&file[..]));
    let summary = import(rows, 10, importer, &ProgressBar::hidden()).await.unwrap();
    assert_eq!((summary.lines, summary.rejected, summary.recorded), (4, 4, 0));
    let report = std::fs::read_to_string(&rejects).unwrap();
    let rows: Vec<serde_json::Value> = report.lines().map(|row| serde_json::from_str(row).unwrap()).collect();
    let numbers: Vec<_> = rows.iter().map(|row| row["line"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [1, 3, 4, 5]);
    assert_eq!(rows[2]["text"], "not json");
    assert!(
        rows[2]["faults"][0]["reason"].as_str().unwrap().contains("column"),
        "{report}"
    );
    assert!(
        rows[0]["faults"].as_array().unwrap().len() > 1,
        "all faults of a row: {report}"
    );
}
