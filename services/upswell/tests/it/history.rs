//! Two years of a CRM, imported as facts, go through ingestion into scoring, which learns from them, scores by what it
//! learnt, and is judged. A sample is played; `UPSWELL_TEST_CRM=<folder>` plays the whole set of `account_months.csv.gz` and
//! `subscriptions.csv.gz` and holds it to what prepared features reach.

use std::{collections::BTreeMap, fmt::Write as _, fs::File, path::PathBuf};

use jiff::{ToSpan as _, civil::Date};
use upswell_runtime::clock::Clock;

use crate::world::World;

/// The day after the last month of the data.
const NOW: &str = "2024-01-02T12:00:00Z";
/// Columns of the months that are not counts of usage.
const NO_USAGE: [&str; 21] = [
    "account_id",
    "month_no",
    "period_start",
    "period_end",
    "plan",
    "seats_limit",
    "bill_period",
    "discount",
    "addon_meetings",
    "addon_search",
    "mrr",
    "months_to_renewal",
    "active_users",
    "active_days",
    "events",
    "renewal_event",
    "churned",
    "next_mrr",
    "next_plan",
    "next_seats_limit",
    "addon_added",
];

type Rows = (Vec<String>, Vec<BTreeMap<String, String>>);

fn read(path: PathBuf) -> Rows {
    let file = flate2::read::GzDecoder::new(File::open(&path).unwrap());
    let mut reader = csv::Reader::from_reader(file);
    let header: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let rows = reader.records().map(|row| {
        let row = row.unwrap();
        header.iter().cloned().zip(row.iter().map(str::to_owned)).collect()
    });
    let rows = rows.collect();
    (header, rows)
}

/// A table of the columns, with the last day of each month where there is one.
fn table(header: &[&str], rows: &[BTreeMap<String, String>]) -> String {
    let mut text = header.join(",") + "\n";
    for row in rows {
        let cell = |name: &&str| match *name {
            "last_day" => {
                let end: Date = row["period_end"].parse().unwrap();
                end.saturating_sub(1.day()).to_string()
            }
            name => row[name].clone(),
        };
        writeln!(text, "{}", header.iter().map(cell).collect::<Vec<_>>().join(",")).unwrap();
    }
    text
}

/// What a month came to is dated on its last day.
fn usage_mapping(metrics: &[&str]) -> String {
    let mut text = "source = \"crm\"\n".to_owned();
    let head = |what: &str| {
        format!(
            "\n[[fact]]\nexternal_id = \"month:{{account_id}}:{{month_no}}:{what}\"\naccount = \"crm-{{account_id}}\"\n\
             at = {{ instant = \"{{last_day}}\", format = \"%Y-%m-%d\" }}\n"
        )
    };
    for metric in metrics {
        text += &head(metric);
        writeln!(
            text,
            "body = \"usage\"\nfields = {{ metric = \"{metric}\", day = {{ day = \"{{last_day}}\" }}, value = {{ whole = \"{{{metric}}}\" }} }}"
        )
        .unwrap();
    }
    text + &head("activity")
        + "body = \"activity\"\nfields = { day = { day = \"{last_day}\" }, active_users = { whole = \"{active_users}\" }, \
           logins = { whole = \"{active_days}\" } }\n"
}

impl World {
    async fn import_history(&self, folder: PathBuf, names: [&str; 2]) {
        let (header, months) = read(folder.join(names[0]));
        let is_usage = |name: &&str| !NO_USAGE.contains(name) && !name.ends_with("_value") && *name != "addon_removed";
        let metrics: Vec<&str> = header.iter().map(String::as_str).filter(is_usage).collect();
        let columns = [
            &["account_id", "month_no", "last_day"][..],
            &metrics,
            &["active_users", "active_days"],
        ]
        .concat();
        self.write("months.csv", table(&columns, &months));
        self.write("months.toml", usage_mapping(&metrics));
        let (header, terms) = read(folder.join(names[1]));
        let header: Vec<&str> = header.iter().map(String::as_str).collect();
        self.write("terms.csv", table(&header, &terms));
        let shipped = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../ingestion/mappings/crm-subscriptions.toml"
        );
        for (file, mapping) in [("terms.csv", shipped), ("months.csv", "months.toml")] {
            let ran = self
                .upswell(&["import", file, "--mapping", mapping, "--batch", "2000"])
                .await;
            assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
        }
    }

    /// Runs a command that waits for the services, and lets them work.
    async fn waits(&self, arguments: &[&str]) -> serde_json::Value {
        let mut command = Box::pin(self.json(arguments));
        loop {
            tokio::select! {
                biased;
                answer = &mut command => return answer,
                () = self.settle() => {}
            }
        }
    }
}

fn number(value: &serde_json::Value) -> f64 {
    value.as_f64().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sc5_models_are_learnt_from_imported_history_and_stand_behind_the_scores() {
    let world = World::with_clock(Clock::manual(NOW.parse().unwrap())).await;
    let whole = std::env::var_os("UPSWELL_TEST_CRM").map(PathBuf::from);
    match &whole {
        Some(folder) => {
            let names = ["account_months.csv.gz", "subscriptions.csv.gz"];
            world.import_history(folder.clone(), names).await;
        }
        None => {
            let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data");
            let names = ["crm_months.csv.gz", "crm_subscriptions.csv.gz"];
            world.import_history(folder.into(), names).await;
        }
    }
    world.waits(&["model", "train"]).await;
    let models = world.json(&["model", "list"]).await;
    println!("{models:#}");
    // On the whole set what prepared features reach, less .02; a twelfth of it is enough to learn from, and says nothing
    // beyond noise.
    let least = if whole.is_some() { [0.725, 0.889] } else { [0.4, 0.6] };
    for (kind, least) in ["churn", "expansion"].into_iter().zip(least) {
        let items = models["items"].as_array().unwrap();
        let model = items
            .iter()
            .find(|model| model["model"] == format!("{kind}-1"))
            .unwrap();
        assert!(number(&model["auc"]) >= least, "{kind}: {model:#}");
        assert!(whole.is_none() || model["in_use"] == true, "{kind}: {model:#}");
        let verdict = model["verdict"].as_str().unwrap();
        assert_eq!(model["in_use"] == true, verdict.starts_with("better than"), "{model:#}");
        if model["in_use"] != true {
            world
                .upswell(&["--actor", "anna", "model", "promote", &format!("{kind}-1")])
                .await;
        }
    }
    let customer = if whole.is_some() { "crm-3" } else { "crm-120" };
    world.json(&["rescore", customer]).await;
    let score = world.json(&["scores", customer]).await;
    println!("{score:#}");
    assert_eq!(score["model"], "churn-1 expansion-1", "{score:#}");
    let reasons = score["reasons"].as_array().unwrap();
    for number in ["churn_risk", "expansion_propensity"] {
        assert!(reasons.iter().any(|reason| reason["score"] == number), "{score:#}");
    }

    let judged = world.waits(&["model", "backtest"]).await;
    println!("{judged:#}");
    for outcome in judged["outcomes"].as_array().unwrap() {
        let judgements = outcome["judgements"].as_array().unwrap();
        let auc = |scores: &str, days: i64| {
            let found = judgements
                .iter()
                .find(|one| one["scores"] == scores && one["days_before"] == days);
            number(&found.unwrap()["auc"])
        };
        assert!(
            auc("model", 0) > auc("rules", 0),
            "what was learnt tells more than the rules"
        );
        for days in [60, 90] {
            assert!((0.0..=1.0).contains(&auc("model", days)));
        }
        assert!(outcome["kept_lift"].is_number(), "I-2: {outcome:#}");
    }
}
