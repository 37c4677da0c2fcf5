//! X3: how soon a service answers, and how long the demonstration takes.

use std::{
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::{Result, ensure};
use upswell::cluster::SERVICES;

use crate::{
    Bench,
    postgres::Postgres,
    server::{Plan, Server, sink},
    sheet::{Line, Samples, Target},
};

pub(super) async fn run(bench: &mut Bench) -> Result<()> {
    let (sink, folder, postgres) = (sink().await?, tempfile::tempdir()?, Postgres::start().await?);
    let [mut embedded, mut served] = [const { Samples(Vec::new()) }; 2];
    for service in SERVICES {
        postgres.create(service).await?;
    }
    for round in 0..=bench.options.repetitions() {
        for service in SERVICES {
            let url = format!("sqlite:{}", folder.path().join(service).display());
            let on_file = Server::start(&Plan::of(service, &sink).on(url)).await?.ready_after;
            let on_server = Server::start(&Plan::of(service, &sink).on(postgres.url(service)))
                .await?
                .ready_after;
            // The first round makes the schema.
            if round > 0 {
                embedded.push(on_file.as_secs_f64() * 1e3);
                served.push(on_server.as_secs_f64() * 1e3);
            }
        }
    }
    for (samples, database) in [(&embedded, "SQLite"), (&served, "PostgreSQL")] {
        let line = Line::of(
            "X3",
            format!("from start to first answer, schema up to date, {database}"),
            samples,
            "ms",
        );
        let slowest = samples.0.iter().copied().fold(0.0, f64::max);
        bench.sheet.add(
            line.judged(Target::AtMost(1000.0))
                .note(format!("all five services; slowest {slowest:.0} ms")),
        );
    }
    let mut demo = Samples::default();
    for round in 0..bench.options.repetitions().min(2) {
        demo.push(demo_seconds(&folder.path().join(format!("demo-{round}")))?);
    }
    let line = Line::of("X3", "demo: six weeks of 30 companies, SQLite", &demo, "s");
    bench.sheet.add(line.judged(Target::AtMost(15.0)));
    Ok(())
}

fn demo_seconds(data: &Path) -> Result<f64> {
    let case = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases/model");
    let begun = Instant::now();
    let status = Command::new(upswell_tests::binary())
        .arg("demo")
        .arg("--case")
        .arg(case)
        .arg("--data")
        .arg(data)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    ensure!(status.success(), "the demo ended with {status}");
    Ok(begun.elapsed().as_secs_f64())
}
