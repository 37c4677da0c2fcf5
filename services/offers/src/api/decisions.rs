//! `DecisionService` and `ExperimentService`: why, and to whom.

use tonic::{Request, Response, Status};
use upswell_proto::offers::v1::{
    self as pb, decision_service_server::DecisionService, experiment_service_server::ExperimentService,
};
use upswell_runtime::{
    db::from_micros,
    paging,
    problem::{Problem, Violations},
};

use super::{Api, Cursor, account, account_filter, convert, instant, uuid};
use crate::{
    app::{evidence::Walk, explain::recorded},
    store::{arms, decisions, entities::head},
};

const LIST: &str = "upswell.offers.v1.DecisionService/ListDecisions";
const LIST_ARMS: &str = "upswell.offers.v1.ExperimentService/ListAssignments";

#[tonic::async_trait]
impl DecisionService for Api {
    async fn explain_decision(
        &self,
        request: Request<pb::ExplainDecisionRequest>,
    ) -> Result<Response<pb::ExplainDecisionResponse>, Status> {
        let pb::ExplainDecisionRequest { account_id, time } = request.into_inner();
        let mut violations = Violations::new();
        let account_id = account(&account_id, &mut violations);
        violations.into_result()?;
        let explained = self
            .0
            .explain(&account_id, instant("time", time)?)
            .await
            .map_err(Problem::from)?;
        Ok(Response::new(pb::ExplainDecisionResponse {
            decision: Some(convert::decision(explained)),
        }))
    }

    async fn list_decisions(
        &self,
        request: Request<pb::ListDecisionsRequest>,
    ) -> Result<Response<pb::ListDecisionsResponse>, Status> {
        let pb::ListDecisionsRequest {
            account_id,
            page_size,
            page_token,
        } = request.into_inner();
        let account_id = account_filter(&account_id)?;
        let cursor = Cursor::parse(LIST, account_id.clone().into_bytes(), page_size, &page_token)?;
        let reader = self.0.db.reader();
        let mut found = decisions::decision_list(reader, &account_id, cursor.after, cursor.limit()).await?;
        let next_page_token = cursor.cut(&mut found, |row| (row.decided_at, row.decision_id));
        let decisions: Result<Vec<_>, Problem> = found
            .into_iter()
            .map(|row| Ok(convert::decision(recorded(row)?)))
            .collect();
        Ok(Response::new(pb::ListDecisionsResponse {
            decisions: decisions?,
            next_page_token,
        }))
    }

    async fn replay_decision(
        &self,
        request: Request<pb::ReplayDecisionRequest>,
    ) -> Result<Response<pb::ReplayDecisionResponse>, Status> {
        Ok(Response::new(self.replayed(&request.into_inner().decision_id).await?))
    }

    async fn verify_decisions(
        &self,
        request: Request<pb::VerifyDecisionsRequest>,
    ) -> Result<Response<pb::VerifyDecisionsResponse>, Status> {
        Ok(Response::new(self.verified(request.into_inner()).await?))
    }
}

impl Api {
    async fn replayed(&self, decision_id: &str) -> Result<pb::ReplayDecisionResponse, Problem> {
        let replayed = self.0.replay_decision(uuid("decision_id", decision_id)?).await?;
        Ok(pb::ReplayDecisionResponse {
            same: replayed.difference.is_none(),
            decision: Some(convert::decision(replayed.explained)),
            difference: replayed.difference.unwrap_or_default(),
        })
    }

    async fn verified(&self, request: pb::VerifyDecisionsRequest) -> Result<pb::VerifyDecisionsResponse, Problem> {
        let found = self.0.verify_decisions(walk(request)?).await?;
        let head = |head: head::Model| pb::ChainHead {
            entries: head.entries,
            hash: head.hash,
            sign_time: Some(convert::instant(from_micros(head.signed_at))),
            signature: head.signature,
        };
        let intact = found.fault.is_none();
        let (broken_at, fault) = found.fault.unwrap_or_default();
        Ok(pb::VerifyDecisionsResponse {
            intact,
            entries: found.entries,
            unsealed: i64::try_from(found.unsealed).unwrap_or(i64::MAX),
            broken_at,
            fault,
            head: found.head.map(head),
            hash: found.hash,
            complete: found.complete,
        })
    }
}

fn walk(request: pb::VerifyDecisionsRequest) -> Result<Walk, Problem> {
    let pb::VerifyDecisionsRequest {
        after,
        after_hash,
        max_entries,
    } = request;
    let mut violations = Violations::new();
    if after < 0 {
        violations.add("after", "must not be negative");
    }
    if (after > 0) == after_hash.is_empty() {
        violations.add("after_hash", "must be given with after, and only then");
    }
    if max_entries < 0 {
        violations.add("max_entries", "must not be negative");
    }
    violations.into_result()?;
    Ok(Walk {
        after,
        hash: after_hash,
        most: u64::try_from(max_entries).ok().filter(|most| *most > 0),
    })
}

#[tonic::async_trait]
impl ExperimentService for Api {
    async fn list_assignments(
        &self,
        request: Request<pb::ListAssignmentsRequest>,
    ) -> Result<Response<pb::ListAssignmentsResponse>, Status> {
        let pb::ListAssignmentsRequest {
            holdout_only,
            page_size,
            page_token,
        } = request.into_inner();
        let epoch = self.0.settings.holdout.epoch;
        let filter = format!("{epoch}/{holdout_only}").into_bytes();
        let page = paging::parse(LIST_ARMS, &filter, page_size, &page_token)?;
        let (reader, after, size) = (self.0.db.reader(), page.after.as_deref(), u64::from(page.size));
        let mut found = arms::arm_list(reader, epoch, holdout_only, after, size + 1).await?;
        let mut next_page_token = String::new();
        if found.len() as u64 > size {
            found.pop();
            let last = found.last().map(|arm| arm.account_id.as_str()).unwrap_or_default();
            next_page_token = paging::next_token(LIST_ARMS, &filter, last);
        }
        let assignments = found.into_iter().map(convert::assignment).collect();
        Ok(Response::new(pb::ListAssignmentsResponse {
            assignments,
            next_page_token,
        }))
    }
}
