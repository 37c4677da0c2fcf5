//! S3: training 42,000 rows of 57 features, beside LightGBM on one thread where a Python that has it is named by
//! `UPSWELL_BENCH_LIGHTGBM`.

use std::{env, fs, path::Path, process::Command, time::Instant};

use anyhow::{Context as _, Result, ensure};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use serde_json::Value;

use crate::{
    Bench,
    sheet::{Line, Samples, Target},
};

const FEATURES: usize = 57;
/// Trees as the service grows them at most; a fold for each part, as the service does, and the log-loss of the held-out rows.
const LIGHTGBM: &str = r#"
import sys, time, csv, json, numpy as np, lightgbm as lgb
rows = list(csv.reader(open(sys.argv[1])))[1:]
x = np.array([[float(v or "nan") for v in r[1:-1]] for r in rows]); y = np.array([int(r[-1]) for r in rows])
begun = time.time(); folds = 5; part = np.arange(len(y)) % folds; p = np.zeros(len(y))
for f in range(folds):
    m = lgb.LGBMClassifier(n_estimators=200, learning_rate=0.05, num_leaves=31, n_jobs=1, verbose=-1).fit(x[part != f], y[part != f])
    p[part == f] = m.predict_proba(x[part == f])[:, 1]
lgb.LGBMClassifier(n_estimators=200, learning_rate=0.05, num_leaves=31, n_jobs=1, verbose=-1).fit(x, y)
p = np.clip(p, 1e-9, 1 - 1e-9)
print(json.dumps({"seconds": time.time() - begun, "log_loss": float(-np.mean(y * np.log(p) + (1 - y) * np.log(1 - p)))}))
"#;

pub(super) async fn run(bench: &mut Bench) -> Result<()> {
    let rows = bench.options.size(42_000, 3_000);
    let folder = tempfile::tempdir()?;
    let table = folder.path().join("train.csv");
    fs::write(&table, make(rows))?;
    let [mut ours, mut theirs] = [const { Samples(Vec::new()) }; 2];
    let python = env::var_os("UPSWELL_BENCH_LIGHTGBM");
    // Cross-validation of three candidates takes its time, so it is not repeated.
    let begun = Instant::now();
    let evaluated = train(&table)?;
    ours.push(begun.elapsed().as_secs_f64());
    let path = format!("model train: {rows} rows × {FEATURES}, 5 folds of every candidate, all cores");
    let line = Line::of("S3", path, &ours, "s");
    let Some(python) = python else {
        let note =
            format!("{evaluated}; LightGBM is not named by UPSWELL_BENCH_LIGHTGBM, so the ratio is not measured");
        bench.sheet.add(line.note(note));
        return Ok(());
    };
    let output = Command::new(python).args(["-c", LIGHTGBM]).arg(&table).output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told: Value = serde_json::from_slice(&output.stdout)?;
    theirs.push(told["seconds"].as_f64().context("LightGBM told no time")?);
    let line = line.beside(
        "LightGBM, 5 folds and all, one thread",
        &ours,
        &theirs,
        Target::AtMost(1.5),
    );
    bench
        .sheet
        .add(line.note(format!("{evaluated}; LightGBM: log-loss {:.4}", told["log_loss"])));
    Ok(())
}

/// Trains by the command that people use; what it says of the model.
fn train(table: &Path) -> Result<String> {
    let output = Command::new(upswell_tests::binary())
        .args(["--output", "json", "model", "train", "--label", "churned", "--csv"])
        .arg(table)
        .arg("--out")
        .arg(table.with_extension("json"))
        .output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let loss = told
        .pointer("/log_loss")
        .or_else(|| told.pointer("/evaluated/log_loss"))
        .and_then(Value::as_f64);
    Ok(loss.map_or("log-loss not told".to_owned(), |loss| format!("log-loss {loss:.4}")))
}

/// Rows whose label hangs on some of the features; the same in every run.
fn make(rows: u64) -> String {
    let mut chance = StdRng::seed_from_u64(17);
    let names: Vec<String> = (0..FEATURES).map(|feature| format!("f{feature}")).collect();
    let mut text = format!("row_id,{},churned\n", names.join(","));
    for row in 0..rows {
        let values: Vec<f64> = (0..FEATURES).map(|_| chance.random_range(-1.0..1.0)).collect();
        let score = 1.5 * values[0] - values[1] * values[2] * 2.0 + values[3].abs() + 0.5 * values[4] - 1.8;
        let churned = chance.random_range(0.0..1.0) < 1.0 / (1.0 + (-score).exp());
        let cells: Vec<String> = values.iter().map(|value| format!("{value:.4}")).collect();
        text.push_str(&format!("r{row},{},{}\n", cells.join(","), i32::from(churned)));
    }
    text
}
