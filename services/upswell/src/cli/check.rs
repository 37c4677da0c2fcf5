//! `check`: one fact all the way through the running services, for `helm test` and for people who have just installed.

use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;
use jiff::{Timestamp, ToSpan as _, tz::TimeZone};
use serde::Serialize;
use upswell_proto::{
    admin::v1::{GetOutboxStatusRequest, admin_service_client::AdminServiceClient},
    ingestion::v1::{
        AccountProfile, ActivityCount, Fact, GetAccount360Request, RecordFactsRequest, RecordFactsResponse, fact::Body,
        ingestion_service_client::IngestionServiceClient,
    },
    metrics::v1::{GetPressureRequest, Window, metrics_service_client::MetricsServiceClient},
    offers::v1::{GetAllowanceRequest, touch_ledger_service_client::TouchLedgerServiceClient},
    renewals::v1::{ListDealsRequest, renewal_service_client::RenewalServiceClient},
    scoring::v1::{GetScoreRequest, scoring_service_client::ScoringServiceClient},
    vocabulary::v1::TouchClass,
};
use upswell_runtime::clock::Clock;

use super::{
    Global,
    context::Context,
    output::{Column, Listing, Row, left, right},
};
use crate::wire::{instant, to_date, to_instant};

/// Source of the facts that a check records.
const SOURCE: &str = "upswell-check";
/// The profile never changes, so that it is recorded once and for all.
const PROFILE_AT: &str = "2020-01-01T00:00:00Z";
const PAUSE: Duration = Duration::from_millis(250);

#[derive(Debug, Args)]
pub(super) struct Check {
    /// The account that is used. It has no person, no contract and no money, so nothing is ever offered to it.
    #[arg(long, value_name = "ID", default_value = "upswell-check")]
    account: String,
    /// How many seconds the fact may take in all.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    within: u64,
}

/// One thing that was seen to work.
#[derive(Serialize)]
struct Seen {
    service: &'static str,
    what: &'static str,
    /// Since the beginning of the check.
    millis: i64,
}

impl Row for Seen {
    const COLUMNS: &'static [Column] = &[left("service"), left("what was seen"), right("after ms")];

    fn cells(&self) -> Vec<String> {
        vec![self.service.to_owned(), self.what.to_owned(), self.millis.to_string()]
    }
}

/// A check that goes on.
struct Walk {
    context: Context,
    clock: Clock,
    began: Timestamp,
    account: String,
    seen: Vec<Seen>,
}

impl Check {
    pub(super) async fn run(self, global: &Global) -> Result<()> {
        let clock = Clock::system();
        let mut walk = Walk {
            context: Context::new(global)?,
            began: clock.now(),
            clock,
            account: self.account,
            seen: Vec::new(),
        };
        let limit = Duration::from_secs(self.within);
        let result = tokio::time::timeout(limit, walk.all()).await;
        let so_far: Vec<_> = walk.seen.iter().map(|step| step.service).collect();
        match result {
            Ok(result) => result.with_context(|| format!("the check came as far as {so_far:?}"))?,
            Err(_) => bail!("the check came as far as {so_far:?} in {} s", self.within),
        }
        let (items, more) = (walk.seen, false);
        walk.context.show(&Listing { items, more })
    }
}

impl Walk {
    async fn all(&mut self) -> Result<()> {
        self.recorded().await?;
        self.scored().await?;
        self.delivered("ingestion", "its events have arrived everywhere")
            .await?;
        self.delivered("scoring", "its events have arrived everywhere").await?;
        self.answered().await
    }

    fn saw(&mut self, service: &'static str, what: &'static str) {
        let millis = self.clock.now().duration_since(self.began).as_millis();
        let millis = i64::try_from(millis).unwrap_or(i64::MAX);
        self.seen.push(Seen { service, what, millis });
    }

    async fn recorded(&mut self) -> Result<()> {
        let request = RecordFactsRequest {
            request_id: String::new(),
            facts: vec![profile(&self.account)?, activity(&self.account, self.began)],
        };
        let send = |channel, request| async move { IngestionServiceClient::new(channel).record_facts(request).await };
        let answer: RecordFactsResponse = self.context.ask("ingestion", request, send).await?;
        ensure!(
            answer.rejected == 0 && answer.conflicts == 0,
            "ingestion did not take the facts: {answer:?}"
        );
        let request = GetAccount360Request {
            account_id: self.account.clone(),
        };
        let send = |channel, request| async move { IngestionServiceClient::new(channel).get_account360(request).await };
        self.context.ask("ingestion", request, send).await?;
        self.saw("ingestion", "took the facts and shows the account");
        Ok(())
    }

    /// The score is computed from what the event made scoring ask of ingestion.
    async fn scored(&mut self) -> Result<()> {
        loop {
            let request = GetScoreRequest {
                account_id: self.account.clone(),
            };
            let send = |channel, request| async move { ScoringServiceClient::new(channel).get_score(request).await };
            // Until the first score is there the account is not found; the limit of the check ends the wait.
            let answer = self.context.ask("scoring", request, send).await.ok();
            let score = answer.and_then(|answer| answer.score);
            let at = score.and_then(|score| instant(score.score_time.as_ref()));
            if at.is_some_and(|at| at >= self.began) {
                break;
            }
            tokio::time::sleep(PAUSE).await;
        }
        self.saw("scoring", "heard of them and scored the account anew");
        Ok(())
    }

    /// Sees every destination of `service` without a backlog, once.
    async fn delivered(&mut self, service: &'static str, what: &'static str) -> Result<()> {
        let mut empty = std::collections::BTreeSet::new();
        loop {
            let send =
                |channel, request| async move { AdminServiceClient::new(channel).get_outbox_status(request).await };
            let status = self.context.ask(service, GetOutboxStatusRequest {}, send).await?;
            let all = status.destinations.len();
            let done = status.destinations.into_iter().filter(|to| to.backlog == 0);
            empty.extend(done.map(|to| to.destination));
            if all > 0 && empty.len() >= all {
                break;
            }
            tokio::time::sleep(PAUSE).await;
        }
        self.saw(service, what);
        Ok(())
    }

    async fn answered(&mut self) -> Result<()> {
        let request = GetAllowanceRequest {
            account_id: self.account.clone(),
            class: TouchClass::Commercial.into(),
            ..Default::default()
        };
        let send =
            |channel, request| async move { TouchLedgerServiceClient::new(channel).get_allowance(request).await };
        self.context.ask("offers", request, send).await?;
        self.saw("offers", "says whether the account may be touched");

        let request = ListDealsRequest {
            account_id: self.account.clone(),
            ..Default::default()
        };
        let send = |channel, request| async move { RenewalServiceClient::new(channel).list_deals(request).await };
        self.context.ask("renewals", request, send).await?;
        self.saw("renewals", "lists the account's deals");

        let today = self.began.to_zoned(TimeZone::UTC).date();
        let window = Window {
            start_date: Some(to_date(today)),
            end_date: Some(to_date(today.saturating_add(1.day()))),
        };
        let request = GetPressureRequest { window: Some(window) };
        let send = |channel, request| async move { MetricsServiceClient::new(channel).get_pressure(request).await };
        self.context.ask("metrics", request, send).await?;
        self.saw("metrics", "counts the touches of today");
        Ok(())
    }
}

fn profile(account: &str) -> Result<Fact> {
    let profile = AccountProfile {
        display_name: "Check of this installation".to_owned(),
        segment: "check".to_owned(),
        country_code: "KZ".to_owned(),
        time_zone: "UTC".to_owned(),
        language_code: "en".to_owned(),
        ..Default::default()
    };
    Ok(fact(
        account,
        format!("{account}@profile"),
        PROFILE_AT.parse()?,
        Body::AccountProfile(profile),
    ))
}

/// New with every check, so that there is something to score.
fn activity(account: &str, now: Timestamp) -> Fact {
    let activity = ActivityCount {
        day: Some(to_date(now.to_zoned(TimeZone::UTC).date())),
        active_users: 1,
        logins: 1,
    };
    let id = format!("{account}@{}", now.as_microsecond());
    fact(account, id, now, Body::Activity(activity))
}

fn fact(account: &str, external_id: String, at: Timestamp, body: Body) -> Fact {
    Fact {
        source: SOURCE.to_owned(),
        external_id,
        account_id: account.to_owned(),
        occur_time: Some(to_instant(at)),
        body: Some(body),
        ..Default::default()
    }
}
