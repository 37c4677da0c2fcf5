//! The facts of all accounts, one account after the other, in bounded memory.

use jiff::civil::Date;
use tokio::sync::mpsc;
use tokio_stream::StreamExt as _;
use upswell_proto::ingestion::v1::StreamAccountFactsRequest;
use upswell_runtime::problem::Problem;

use super::{Ingestion, facts, wire_date};
use crate::domain::facts::Facts;

/// Streams that break are taken up again this often before a training gives up.
const RESUMES: usize = 5;

impl Ingestion {
    /// Sends the facts of every account of the `days` days until `until` to `out`, with its id; ends when nobody takes
    /// them any more. A broken stream is resumed after the last account sent. Errors: UNAVAILABLE when it keeps breaking.
    pub async fn all_facts(&self, until: Date, days: i32, out: mpsc::Sender<(String, Facts)>) -> Result<(), Problem> {
        let (mut token, mut broken) = (String::new(), 0);
        loop {
            match self.some_facts(until, days, &mut token, &out).await {
                Ok(()) => return Ok(()),
                Err(problem) => {
                    broken += 1;
                    if broken > RESUMES {
                        return Err(problem);
                    }
                }
            }
        }
    }

    async fn some_facts(
        &self,
        until: Date,
        days: i32,
        token: &mut String,
        out: &mpsc::Sender<(String, Facts)>,
    ) -> Result<(), Problem> {
        let request = StreamAccountFactsRequest {
            until_day: Some(wire_date(until)),
            days,
            segment: String::new(),
            resume_token: token.clone(),
        };
        let problem = |status: tonic::Status| Problem::unavailable("INGESTION_UNAVAILABLE", status.message());
        let stream = self.client.clone().stream_account_facts(request).await;
        let mut stream = stream.map_err(problem)?.into_inner();
        while let Some(answer) = stream.next().await {
            let answer = answer.map_err(problem)?;
            *token = answer.resume_token;
            if let Some(account) = answer.account
                && out.send(facts(account)).await.is_err()
            {
                return Ok(());
            }
        }
        Ok(())
    }
}
