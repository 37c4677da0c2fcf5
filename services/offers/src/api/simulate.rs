//! `PlaybookService.SimulatePolicy`.

use jiff::Timestamp;
use upswell_proto::offers::v1 as pb;
use upswell_runtime::{
    money::{Money, to_proto},
    paging,
    problem::Problem,
};

use super::{Api, convert, instant};
use crate::{
    app::simulate::{Trial, Tried},
    domain::whatif::{Change, Count, Pair, Report},
};

const METHOD: &str = "upswell.offers.v1.PlaybookService/SimulatePolicy";

impl Api {
    pub(super) async fn simulated(
        &self,
        request: pb::SimulatePolicyRequest,
    ) -> Result<pb::SimulatePolicyResponse, Problem> {
        let pb::SimulatePolicyRequest {
            files,
            caps,
            start_time,
            end_time,
            page_size,
            page_token,
        } = request;
        let files: Vec<(String, String)> = files.into_iter().map(|file| (file.name, file.text)).collect();
        let trial = Trial::new(&files, caps, &self.0)?;
        let span = span(
            instant("start_time", start_time)?,
            instant("end_time", end_time)?,
            self.0.clock.now(),
        )?;
        let version = trial.version(&self.0);
        let filter = format!("{version}/{start_time:?}/{end_time:?}").into_bytes();
        let page = paging::parse(METHOD, &filter, page_size, &page_token)?;
        let (after, size) = (page.after.as_deref().unwrap_or_default(), u64::from(page.size));
        let Tried { report, accounts } = self.0.simulate(&trial, span, after, size).await?;
        let full = accounts.len() as u64 == size;
        let last = accounts.last().filter(|_| full);
        let mut answer = told(report);
        answer.policy_version = version;
        answer.accounts = i64::try_from(accounts.len()).unwrap_or(i64::MAX);
        answer.next_page_token = last
            .map(|last| paging::next_token(METHOD, &filter, &last.account_id))
            .unwrap_or_default();
        Ok(answer)
    }
}

/// The span of history; none for the present base.
fn span(
    start: Option<Timestamp>,
    end: Option<Timestamp>,
    now: Timestamp,
) -> Result<Option<(Timestamp, Timestamp)>, Problem> {
    match (start, end) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err(Problem::invalid_field(
            "start_time",
            "is required where there is an end",
        )),
        (Some(start), end) if start >= end.unwrap_or(now) => {
            Err(Problem::invalid_field("end_time", "must be after start_time"))
        }
        (Some(start), end) => Ok(Some((start, end.unwrap_or(now)))),
    }
}

fn told(report: Report) -> pb::SimulatePolicyResponse {
    let Report {
        decisions,
        playbooks,
        rules,
        changed,
        changes,
    } = report;
    let playbooks = playbooks
        .into_iter()
        .map(|(playbook, Pair { was, would })| pb::SimulatedPlaybook {
            playbook,
            was: Some(count(was)),
            would: Some(count(would)),
        });
    let rules = rules
        .into_iter()
        .map(|(rule_id, Pair { was, would })| pb::SimulatedRule {
            rule_id,
            was: number(was),
            would: number(would),
        });
    pb::SimulatePolicyResponse {
        decisions: number(decisions),
        changed: number(changed),
        playbooks: playbooks.collect(),
        rules: rules.collect(),
        changes: changes.into_iter().map(change).collect(),
        ..pb::SimulatePolicyResponse::default()
    }
}

fn count(count: Count) -> pb::SimulatedCount {
    let Count {
        sent,
        approvals,
        deferred,
        blocked,
        expected,
    } = count;
    let expected = expected
        .into_iter()
        .map(|(currency, minor)| to_proto(Money::new(minor, currency)));
    pb::SimulatedCount {
        sent: number(sent),
        approvals: number(approvals),
        deferred: number(deferred),
        blocked: number(blocked),
        expected_monthly: expected.collect(),
    }
}

fn change(change: Change) -> pb::SimulatedChange {
    let Change {
        account_id,
        at,
        was,
        would,
        why,
    } = change;
    pb::SimulatedChange {
        account_id,
        slot_time: Some(convert::instant(at)),
        was: was.unwrap_or_default(),
        would: would.unwrap_or_default(),
        why,
    }
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
