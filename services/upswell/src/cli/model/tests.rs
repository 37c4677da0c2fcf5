//! The commands over tables, as a shell would call them.

use std::{fmt::Write as _, fs, path::PathBuf};

use clap::Parser as _;
use tempfile::TempDir;
use upswell_scoring::domain::model::metrics;

use super::super::{Cli, run};

const TELCO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/telco.csv.gz");

struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, content: &str) {
        fs::write(self.path(name), content).unwrap();
    }

    /// Runs a command; words that begin with `@` are files of this desk.
    async fn upswell(&self, arguments: &str) -> anyhow::Result<()> {
        let word = |word: &str| match word.strip_prefix('@') {
            Some(name) => self.path(name).display().to_string(),
            None => word.to_owned(),
        };
        let words = std::iter::once("upswell".to_owned()).chain(arguments.split_whitespace().map(word));
        run(Cli::try_parse_from(words)?).await.map(drop)
    }

    fn predictions(&self, name: &str) -> Vec<(String, f64)> {
        let text = fs::read_to_string(self.path(name)).unwrap();
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("id,probability"));
        let row = |line: &str| {
            let (id, probability) = line.split_once(',').unwrap();
            (id.to_owned(), probability.parse().unwrap())
        };
        lines.map(row).collect()
    }
}

/// Rows of a table, every third apart.
fn split() -> (String, String, Vec<bool>) {
    let mut text = String::new();
    let file = fs::File::open(TELCO).unwrap();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(file), &mut text).unwrap();
    let (header, rows) = text.split_once('\n').unwrap();
    let (mut train, mut test, mut labels) = (format!("{header}\n"), format!("{header}\n"), Vec::new());
    for (number, row) in rows.lines().enumerate() {
        if number % 3 == 0 {
            writeln!(test, "{row}").unwrap();
            labels.push(row.ends_with(",1"));
        } else {
            writeln!(train, "{row}").unwrap();
        }
    }
    (train, test, labels)
}

#[tokio::test]
async fn sc5_a_table_is_learnt_predicted_judged_and_explained_by_the_commands() {
    let desk = Desk::new();
    let (train, test, labels) = split();
    desk.write("train.csv", &train);
    desk.write("test.csv", &test);
    for command in [
        "model train --csv @train.csv --label label --out @model.json",
        "model predict --csv @test.csv --model @model.json --out @said.csv",
        "model evaluate --csv @test.csv --model @model.json --segment senior_citizen",
        "model explain --csv @test.csv --model @model.json --row T00000",
        "model train --csv @train.csv --label label --out @again.json",
        "model predict --csv @test.csv --model @again.json --out @again.csv",
    ] {
        desk.upswell(command).await.unwrap();
    }
    let said: Vec<f64> = desk.predictions("said.csv").into_iter().map(|(_, said)| said).collect();
    let (auc, loss) = (metrics::auc(&labels, &said), metrics::log_loss(&labels, &said));
    assert!(
        auc > 0.80 && loss < 0.46,
        "AUC {auc}, log-loss {loss} on rows it had not seen"
    );
    assert_eq!(
        fs::read(desk.path("model.json")).unwrap(),
        fs::read(desk.path("again.json")).unwrap(),
        "the same table and seed give the same model"
    );
    assert_eq!(desk.predictions("said.csv"), desk.predictions("again.csv"));
}

/// What tables of others hold: a mark at the beginning, gaps, words, a constant, huge and impossible numbers, quotes.
fn odd(rows: usize, positives: usize) -> String {
    let mut text = "\u{feff}company_id;plan;note;constant;huge;gaps;since;spend;outcome\r\n".to_owned();
    for row in 0..rows {
        let is_lost = row * positives / rows != (row + 1) * positives / rows;
        let plan = if is_lost || row % 3 == 0 {
            "Größe \"S\""
        } else {
            "pro; large"
        }
        .replace('"', "\"\"");
        let huge = ["1e308", "-1e308", "inf", "NaN", "0"][row % 5];
        let gap = if row % 2 == 0 { "" } else { "n/a" };
        let spend = 100.0 + if is_lost { 0.0 } else { 50.0 } + (row % 17) as f64;
        let outcome = if is_lost { "lost" } else { "kept" };
        writeln!(
            text,
            "c{row};\"{plan}\";free text {row};7;{huge};{gap};2025-01-{:02};{spend};{outcome}\r",
            row % 28 + 1
        )
        .unwrap();
    }
    text
}

#[tokio::test]
async fn sc5_odd_tables_are_learnt_from_and_few_positives_are_said() {
    for positives in [0, 1, 5, 12, 80] {
        let desk = Desk::new();
        desk.write("odd.csv", &odd(400, positives));
        let train = "model train --csv @odd.csv --label outcome --positive lost --out @model.json";
        desk.upswell(train)
            .await
            .unwrap_or_else(|error| unreachable!("{positives}: {error:#}"));
        let predict = "model predict --csv @odd.csv --model @model.json --out @said.csv";
        desk.upswell(predict).await.unwrap();
        let said = desk.predictions("said.csv");
        assert_eq!(said.len(), 400);
        assert!(said.iter().all(|(_, said)| (0.0..=1.0).contains(said)), "{positives}");
        assert_eq!(said[3].0, "c3");
        // What is new in the table of a later day harms nothing.
        let mut later = odd(20, 3).replace("pro; large", "a plan of tomorrow");
        later = later.replace("2025-01-01", "soon");
        desk.write("later.csv", &later);
        desk.upswell("model predict --csv @later.csv --model @model.json --out @later-said.csv")
            .await
            .unwrap();
        assert_eq!(desk.predictions("later-said.csv").len(), 20);
    }
}

#[tokio::test]
async fn sc5_tables_that_cannot_be_read_are_refused_with_the_reason() {
    let desk = Desk::new();
    let train = "model train --csv @table.csv --label label --out @model.json";
    for (table, reason) in [
        ("a,label\n", "no rows"),
        ("", "no header"),
        ("a,b\n1,2\n", "label"),
        ("a,label\n1,maybe\n2,perhaps\n", "--positive"),
        ("a,label\n1,\n2,\n", "no row has a label"),
        ("a,b,a,label\n1,2,3,1\n2,3,4,0\n", "names a more than once"),
        ("a,label\n1,1\n2\n", "record"),
    ] {
        desk.write("table.csv", table);
        let error = desk.upswell(train).await.unwrap_err();
        assert!(format!("{error:#}").contains(reason), "{table:?}: {error:#}");
    }
    desk.write("model.json", "{}");
    desk.write("table.csv", "a,label\n1,0\n");
    let error = desk
        .upswell("model predict --csv @table.csv --model @model.json --out @said.csv")
        .await
        .unwrap_err();
    assert!(format!("{error:#}").contains("is no model"), "{error:#}");
}
