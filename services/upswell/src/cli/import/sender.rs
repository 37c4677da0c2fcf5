//! Batches to ingestion, one after the other, with patience: facts are idempotent, so a batch may be sent again.

use std::time::Duration;

use anyhow::{Result, ensure};
use indicatif::ProgressBar;
use upswell_proto::ingestion::v1::{
    Fact, FactResult, RecordFactsRequest, ingestion_service_client::IngestionServiceClient,
};
use upswell_runtime::{
    client::{self, ClientSettings, Traced},
    problem::Problem,
};

/// How often a batch is sent before the import gives up; with the pauses, about a minute.
const ATTEMPTS: u32 = 8;
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// The way to ingestion.
pub(super) struct Sender {
    channel: Traced,
    settings: ClientSettings,
    address: String,
}

impl Sender {
    pub(super) fn new(channel: Traced, settings: ClientSettings, address: &str) -> Self {
        Self {
            channel,
            settings,
            address: address.to_owned(),
        }
    }

    /// Sends a batch until it is answered; one result a fact, in order. Errors: a refusal, or no answer in the end.
    pub(super) async fn send(&self, facts: Vec<Fact>, bar: &ProgressBar) -> Result<Vec<FactResult>> {
        let expected = facts.len();
        let request = RecordFactsRequest {
            request_id: String::new(),
            facts,
        };
        let mut pause = FIRST_PAUSE;
        let mut attempt = 0;
        loop {
            attempt += 1;
            match self.record(&request).await {
                Ok(results) => {
                    ensure!(
                        results.len() == expected,
                        "ingestion answered {} of {expected} facts",
                        results.len()
                    );
                    bar.set_message("");
                    return Ok(results);
                }
                Err(problem) if attempt < ATTEMPTS && problem.is_transient() => {
                    bar.set_message(format!(
                        "waiting for ingestion at {}: {}",
                        self.address,
                        problem.message()
                    ));
                    tokio::time::sleep(problem.retry_after().unwrap_or_default().max(pause)).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                Err(problem) => {
                    return Err(anyhow::Error::new(problem).context(format!("ingestion at {}", self.address)));
                }
            }
        }
    }

    async fn record(&self, request: &RecordFactsRequest) -> Result<Vec<FactResult>, Problem> {
        let attempt = || {
            let mut client = IngestionServiceClient::new(self.channel.clone());
            let request = request.clone();
            async move { client.record_facts(request).await }
        };
        Ok(client::call(&self.settings, "ingestion.RecordFacts", attempt)
            .await?
            .results)
    }
}
