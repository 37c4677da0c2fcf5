//! The shipped cases end with the same report on PostgreSQL as on SQLite, and one URL names all stores.

use std::{path::Path, process::Command};

use serde_json::Value;
use upswell_tests::binary;

use crate::{fleet::wanted, postgres::Postgres};

fn report(case: &str, more: &[&str]) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let case = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases").join(case);
    let mut command = Command::new(binary());
    command.args(["--output", "json", "demo", "--case"]).arg(case);
    let output = command.arg("--data").arg(folder.path()).args(more).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn same_on_both(case: &str) {
    if !wanted() {
        return;
    }
    let Some(postgres) = Postgres::start() else { return };
    let url = postgres.database("upswell_{service}");
    assert_eq!(report(case, &["--database-url", &url]), report(case, &[]));
}

#[test]
fn the_model_case_ends_alike_on_both_databases() {
    same_on_both("model");
}

#[test]
fn the_frontier_case_ends_alike_on_both_databases() {
    same_on_both("frontier");
}
