//! Scores every account, and then one in a hundred: `cargo bench -p upswell-scoring --bench rescoring -- 10000 [database-url]`.
//!
//! The service is the real one, over its store; ingestion is a double that makes facts up (100 days of two series an
//! account) and sends them over gRPC, so that its work is in the figures as well.

#![expect(
    clippy::unwrap_used,
    reason = "the double is the tests', and what it cannot do ends the run"
)]

#[path = "../tests/it/double.rs"]
#[expect(dead_code, reason = "tests use the rest")]
mod double;
#[path = "../tests/it/wire.rs"]
#[expect(dead_code, reason = "tests use the rest")]
mod wire;

use std::{error::Error, time::Instant};

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use tonic::transport::{Server, server::TcpIncoming};
use upswell_proto::{
    delivery::v1::delivery_service_server::DeliveryServiceServer,
    ingestion::v1::{AccountFacts, ingestion_service_server::IngestionServiceServer},
};
use upswell_runtime::{
    client::{ClientSettings, Peers},
    service::{Deps, Service},
    telemetry::{OutboxTrace, TraceContext},
    testing,
};
use upswell_scoring::{Settings, store};

use double::Double;

const NOON: &str = "2026-10-20T12:00:00+05:00";
type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with("--"));
    let accounts: usize = arguments.next().map_or(Ok(10_000), |count| count.parse())?;
    let url = arguments.next();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(run(accounts, url))
}

/// One account in five grows, so that about as many signals open.
fn invent(account_id: &str) -> AccountFacts {
    let number: u64 = account_id.trim_start_matches("account-").parse().unwrap_or_default();
    let grown = if number.is_multiple_of(5) { 118 } else { 100 };
    wire::account(account_id, 100, grown, 15)
}

async fn run(accounts: usize, url: Option<String>) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let service = start(folder.path(), url).await?;
    let now: Timestamp = NOON.parse()?;
    let ids: Vec<String> = (0..accounts).map(|number| format!("account-{number}")).collect();
    mark(&service, &ids, now).await?;
    let first = pass(&service, now, "first (all signals open)").await?;
    mark(&service, &ids, now).await?;
    let full = pass(&service, now, "full").await?;
    let few: Vec<String> = ids.iter().step_by(100).cloned().collect();
    mark(&service, &few, now).await?;
    let dirty = pass(&service, now, "1 % dirty").await?;
    println!(
        "accounts {accounts}, full/s {:.0}, first/full {:.2}, incremental/full {:.4}",
        accounts as f64 / full,
        first / full,
        dirty / full
    );
    println!("peak memory {} MiB (the double included)", peak_mib());
    Ok(())
}

async fn start(folder: &std::path::Path, url: Option<String>) -> Result<Service> {
    let double = Double::default();
    double.invents(invent);
    let incoming = TcpIncoming::bind("127.0.0.1:0".parse()?)?;
    let neighbour = format!("http://{}", incoming.local_addr()?);
    let running = CancellationToken::new();
    let router = Server::builder()
        .add_service(IngestionServiceServer::new(double.clone()))
        .add_service(DeliveryServiceServer::new(double));
    tokio::spawn(router.serve_with_incoming_shutdown(incoming, async move { running.cancelled().await }));
    let mut settings: Settings = toml_settings()?;
    settings.db = testing::settings(&folder.join("scoring.db"));
    if let Some(url) = url {
        settings.db.url = url;
    }
    settings.client.deadline_ms = 60_000;
    let addresses = ["ingestion", "offers", "renewals", "metrics"].map(|name| (name.to_owned(), neighbour.clone()));
    let deps = Deps {
        clock: testing::clock_at(NOON),
        peers: Peers::new(&addresses.into(), &ClientSettings::default())?,
        trace_mode: OutboxTrace::Parent,
    };
    Ok(upswell_scoring::build(settings, deps).await?)
}

fn toml_settings() -> Result<Settings> {
    Ok(toml::from_str(upswell_scoring::DEFAULTS)?)
}

async fn mark(service: &Service, ids: &[String], now: Timestamp) -> Result<()> {
    let tx = service.db.begin().await?;
    for account_id in ids {
        store::accounts_mark_changed(&tx, account_id, now, TraceContext::default()).await?;
    }
    Ok(tx.commit().await?)
}

async fn pass(service: &Service, now: Timestamp, name: &str) -> Result<f64> {
    let job = service.jobs.iter().find(|job| job.name() == "scoring.score_dirty");
    let job = job.ok_or("the job is gone")?;
    let started = Instant::now();
    let taken = job.run_once(now).await?;
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "{name}: {taken} accounts in {seconds:.2} s, {:.0} a second",
        taken as f64 / seconds
    );
    Ok(seconds)
}

fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    kib.unwrap_or_default() / 1024
}
