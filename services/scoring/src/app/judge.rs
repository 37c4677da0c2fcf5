//! A person's judgement beside the computed score (SC-11).

use jiff::Timestamp;
use upswell_runtime::{
    ids,
    problem::Problem,
    requests::{Replay, begin_request, finish_request},
};
use uuid::Uuid;

use super::App;
use crate::{
    domain::{
        overrides::{Override, Subject, tier_number},
        score::Score,
    },
    store,
};

const METHOD: &str = "OverrideScore";

/// A request to judge.
#[derive(Clone, Debug, PartialEq)]
pub struct Judge {
    /// The account.
    pub account_id: String,
    /// What is judged.
    pub subject: Subject,
    /// The judgement.
    pub value: f64,
    /// Who judges.
    pub author: String,
    /// Why.
    pub reason: String,
    /// When it no longer stands.
    pub expires_at: Timestamp,
    /// A UUID of the caller's.
    pub request_id: String,
    /// Of the request without its id.
    pub fingerprint: [u8; 32],
}

impl App {
    /// Keeps the judgement and returns the answer as `encode` writes it, or the answer given to the same request before.
    /// Errors: INVALID_ARGUMENT for an expiry that is not in the future.
    pub async fn judge(&self, command: &Judge, encode: impl FnOnce(&Override) -> Vec<u8>) -> Result<Vec<u8>, Problem> {
        let now = self.0.clock.now();
        let tx = self.0.db.begin().await?;
        if let Replay::Stored(answer) = begin_request(&tx, METHOD, &command.request_id, command.fingerprint).await? {
            return Ok(answer);
        }
        if command.expires_at <= now {
            return Err(Problem::invalid_field("expire_time", "must be in the future"));
        }
        let ids = std::slice::from_ref(&command.account_id);
        let score = store::scores_fetch(&*tx, ids).await?.pop();
        let made = Override {
            id: ids::derive("override", &[&command.request_id]),
            account_id: command.account_id.clone(),
            subject: command.subject,
            value: command.value,
            computed: score.and_then(|score| computed(&score, command.subject)),
            author: command.author.clone(),
            reason: command.reason.clone(),
            made_at: now,
            expires_at: command.expires_at,
            ended_at: None,
        };
        store::override_insert(&tx, &made).await?;
        let answer = encode(&made);
        finish_request(&tx, METHOD, &command.request_id, command.fingerprint, &answer, now).await?;
        tx.commit().await?;
        Ok(answer)
    }

    /// A page of all judgements about an account, the newest first.
    pub async fn judgements(
        &self,
        account_id: &str,
        after: Option<(i64, Uuid)>,
        limit: u64,
    ) -> Result<Vec<Override>, Problem> {
        store::override_list(self.0.db.reader(), account_id, after, limit).await
    }
}

fn computed(score: &Score, subject: Subject) -> Option<f64> {
    match subject {
        Subject::Health => Some(score.health.value.into()),
        Subject::ChurnRisk => Some(score.churn_risk),
        Subject::ExpansionPropensity => Some(score.expansion_propensity),
        Subject::IcpFit => Some(score.icp.value.into()),
        Subject::Tier => score.tier.map(tier_number),
    }
}
