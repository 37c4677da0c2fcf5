//! Drives a shared manual clock through a case, an hour at a time.
//!
//! Every hour: the facts that arrive and the answers that people give are sent, events are relayed until nothing is left,
//! the jobs of the hour run, events are relayed again, and the hour is noted as played. Every step may be repeated: facts
//! and answers are idempotent, and their ids derive from the case. A killed run goes on after the last noted hour.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use jiff::Timestamp;
use upswell_proto::ingestion::v1::{
    Fact, RecordFactsRequest, fact_result::Outcome, ingestion_service_client::IngestionServiceClient,
};
use upswell_runtime::{client::Traced, ids};

use super::{
    billing::Billing,
    case::Case,
    people::People,
    state::{Progress, ProgressFile},
};
use crate::cluster::Cluster;

/// Facts a request.
const BATCH: usize = 500;

/// Told what goes on, for a progress bar.
pub trait Observer {
    /// The hours up to `now` are played; `done` of `all` hours.
    fn played(&mut self, now: Timestamp, done: u64, all: u64);
}

/// Where a case keeps what must survive: databases, delivered messages, progress.
#[derive(Clone, Debug)]
pub struct DataFolder(pub PathBuf);

impl DataFolder {
    /// Folder of delivered messages.
    pub fn spool(&self) -> PathBuf {
        self.0.join("spool")
    }

    /// Settings that put everything below this folder, take free ports and follow the policy in `policy`.
    pub fn overrides(&self, policy: &Path) -> Vec<(String, String)> {
        let mut overrides: Vec<(String, String)> = Vec::new();
        let mut set = |key: &str, value: String| overrides.push((format!("UPSWELL__{key}"), value));
        for service in crate::cluster::SERVICES {
            let upper = service.to_uppercase();
            set(
                &format!("{upper}__DB__URL"),
                format!("sqlite:{}", self.0.join(format!("{service}.db")).display()),
            );
            set(&format!("{upper}__SERVER__LISTEN"), "127.0.0.1:0".to_owned());
        }
        set("OFFERS__POLICY__DIR", policy.display().to_string());
        set("OFFERS__CHANNEL__SPOOL_DIR", self.spool().display().to_string());
        overrides
    }
}

/// Plays what is left of a case; returns the progress as noted.
///
/// # Errors
/// A service fails or refuses what the case's people and tools are entitled to do.
pub async fn play(
    case: &Case,
    cluster: &Cluster,
    data: &DataFolder,
    file: &ProgressFile,
    observer: &mut dyn Observer,
) -> Result<Progress> {
    let mut progress = file.read(&case.header.name)?;
    let mut player = Player::new(case, cluster, &data.spool())?;
    let all = u64::from(case.header.days) * 24;
    for (done, hour) in (0_u64..).zip(case.ticks()) {
        if progress.completed.is_some_and(|completed| hour <= completed) {
            continue;
        }
        player
            .play_hour(hour, &mut progress)
            .await
            .with_context(|| format!("playing {hour}"))?;
        progress.completed = Some(hour);
        progress.finished = hour >= case.end();
        file.write(&progress)?;
        observer.played(hour, done, all);
    }
    Ok(progress)
}

struct Player<'a> {
    case: &'a Case,
    cluster: &'a Cluster,
    ingestion: IngestionServiceClient<Traced>,
    people: People<'a>,
    billing: Billing<'a>,
}

impl<'a> Player<'a> {
    fn new(case: &'a Case, cluster: &'a Cluster, spool: &Path) -> Result<Self> {
        let offers = cluster.peers.channel(upswell_offers::NAME)?;
        Ok(Self {
            case,
            cluster,
            ingestion: IngestionServiceClient::new(cluster.peers.channel(upswell_ingestion::NAME)?),
            people: People::new(case, offers.clone(), spool.to_path_buf()),
            billing: Billing::new(case, offers),
        })
    }

    async fn play_hour(&mut self, hour: Timestamp, progress: &mut Progress) -> Result<()> {
        self.cluster.clock.set(hour);
        let arriving: Vec<Fact> = self
            .case
            .arriving(progress.completed, hour)
            .iter()
            .map(|known| known.fact.clone())
            .collect();
        self.record("facts", hour, &arriving, progress).await?;
        let replies = self.people.act(hour).await?;
        self.record("replies", hour, &replies, progress).await?;
        // An answer becomes an order before billing looks for orders.
        self.cluster.drain(hour).await?;
        let bills = self.billing.act(hour).await?;
        if !bills.is_empty() {
            self.record("bills", hour, &bills, progress).await?;
            self.cluster.drain(hour).await?;
        }
        self.cluster.turn(hour).await
    }

    async fn record(&mut self, what: &str, hour: Timestamp, facts: &[Fact], progress: &mut Progress) -> Result<()> {
        for (index, batch) in facts.chunks(BATCH).enumerate() {
            let name = [
                self.case.header.name.as_str(),
                what,
                &hour.to_string(),
                &index.to_string(),
            ];
            let request = RecordFactsRequest {
                // A repeated hour may carry fewer answers than the first try, so only raw facts have a request of their own.
                request_id: if what == "facts" {
                    ids::derive("demo-record", &name).to_string()
                } else {
                    String::new()
                },
                facts: batch.to_vec(),
            };
            let response = self.ingestion.record_facts(request).await?.into_inner();
            for (fact, result) in batch.iter().zip(&response.results) {
                if result.outcome() == Outcome::Rejected {
                    let faults: Vec<String> = result
                        .faults
                        .iter()
                        .map(|fault| format!("{}: {}", fault.field, fault.description))
                        .collect();
                    progress
                        .rejected
                        .push(format!("{}/{}: {}", fact.source, fact.external_id, faults.join("; ")));
                }
            }
        }
        Ok(())
    }
}
