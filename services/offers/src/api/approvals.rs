//! `ApprovalService`.

use std::collections::BTreeSet;

use tonic::{Request, Response, Status};
use upswell_proto::offers::v1::{self as pb, approval_service_server::ApprovalService};
use upswell_runtime::{
    db::micros,
    ids,
    problem::{Problem, Violations},
    server::actor,
    text,
};

use super::{
    Api, Cursor, convert,
    offers::states_of,
    replay::{Begun, begin},
    uuid, words,
};
use crate::{app::approvals::Approved, error::OfferError, store::approvals};

const LIST: &str = "upswell.offers.v1.ApprovalService/ListApprovals";
const APPROVE: &str = "upswell.offers.v1.ApprovalService/ApproveOffer";
const REJECT: &str = "upswell.offers.v1.ApprovalService/RejectOffer";
const COMMENT_MAX: usize = 1_000;
const BATCH_MAX: usize = 100;

#[tonic::async_trait]
impl ApprovalService for Api {
    async fn get_approval(
        &self,
        request: Request<pb::GetApprovalRequest>,
    ) -> Result<Response<pb::GetApprovalResponse>, Status> {
        let pb::GetApprovalRequest { approval_id } = request.into_inner();
        let found = approvals::approval_fetch(self.0.db.reader(), uuid("approval_id", &approval_id)?).await?;
        let approval = found.ok_or_else(|| Problem::from(OfferError::ApprovalNotFound(approval_id)))?;
        Ok(Response::new(pb::GetApprovalResponse {
            approval: Some(convert::approval(&approval)),
        }))
    }

    async fn list_approvals(
        &self,
        request: Request<pb::ListApprovalsRequest>,
    ) -> Result<Response<pb::ListApprovalsResponse>, Status> {
        let pb::ListApprovalsRequest {
            approver_id,
            states,
            page_size,
            page_token,
        } = request.into_inner();
        let wanted = states_of(&states, words::approval_state)?;
        let filter = format!("{approver_id}{states:?}").into_bytes();
        let cursor = Cursor::parse(LIST, filter, page_size, &page_token)?;
        let reader = self.0.db.reader();
        let mut found = approvals::approval_list(reader, &approver_id, &wanted, cursor.after, cursor.limit()).await?;
        let next_page_token = cursor.cut(&mut found, |approval| (micros(approval.requested_at), approval.id));
        let approvals = found.iter().map(convert::approval).collect();
        Ok(Response::new(pb::ListApprovalsResponse {
            approvals,
            next_page_token,
        }))
    }

    async fn approve_offer(
        &self,
        request: Request<pb::ApproveOfferRequest>,
    ) -> Result<Response<pb::ApproveOfferResponse>, Status> {
        let actor = acting(&request)?;
        Ok(Response::new(self.approved(request.into_inner(), &actor).await?))
    }

    async fn reject_offer(
        &self,
        request: Request<pb::RejectOfferRequest>,
    ) -> Result<Response<pb::RejectOfferResponse>, Status> {
        let actor = acting(&request)?;
        Ok(Response::new(self.rejected(request.into_inner(), &actor).await?))
    }

    async fn decide_approvals(
        &self,
        request: Request<pb::DecideApprovalsRequest>,
    ) -> Result<Response<pb::DecideApprovalsResponse>, Status> {
        let actor = acting(&request)?;
        Ok(Response::new(self.decided(request.into_inner(), &actor).await?))
    }

    async fn get_approval_digest(
        &self,
        request: Request<pb::GetApprovalDigestRequest>,
    ) -> Result<Response<pb::GetApprovalDigestResponse>, Status> {
        Ok(Response::new(self.digest(request.into_inner()).await?))
    }

    async fn delegate_approvals(
        &self,
        request: Request<pb::DelegateApprovalsRequest>,
    ) -> Result<Response<pb::DelegateApprovalsResponse>, Status> {
        let actor = acting(&request)?;
        Ok(Response::new(self.delegated(request.into_inner(), actor).await?))
    }

    async fn end_delegation(
        &self,
        request: Request<pb::EndDelegationRequest>,
    ) -> Result<Response<pb::EndDelegationResponse>, Status> {
        let actor = acting(&request)?;
        Ok(Response::new(self.delegation_ended(request.into_inner(), actor).await?))
    }

    async fn list_delegations(
        &self,
        request: Request<pb::ListDelegationsRequest>,
    ) -> Result<Response<pb::ListDelegationsResponse>, Status> {
        Ok(Response::new(self.delegations(request.into_inner()).await?))
    }
}

impl Api {
    async fn approved(
        &self,
        mut request: pb::ApproveOfferRequest,
        actor: &str,
    ) -> Result<pb::ApproveOfferResponse, Status> {
        let request_id = std::mem::take(&mut request.request_id);
        let id = uuid("approval_id", &request.approval_id)?;
        let mut violations = Violations::new();
        let comment = violations
            .take("comment", text::clean(&request.comment, COMMENT_MAX))
            .unwrap_or_default();
        if request.content_hash.is_empty() {
            violations.add("content_hash", "is required");
        }
        violations.into_result()?;
        let call = match begin(&self.0, APPROVE, request_id, &request, Some(actor)).await? {
            Begun::Answered(answer) => return Ok(answer),
            Begun::New(call) => call,
        };
        let outcome = self
            .0
            .approve(&call.tx, id, &request.content_hash, actor, &comment)
            .await;
        match outcome.map_err(Problem::from)? {
            Approved::Reserved(approval) => {
                let approval = Some(convert::approval(&approval));
                call.finish(&self.0, pb::ApproveOfferResponse { approval }).await
            }
            Approved::NoLongerValid(reason) => {
                // That it is withdrawn stays, although the caller hears of a failure; asked again, it is closed.
                call.tx.commit().await?;
                Err(Problem::from(OfferError::NoLongerValid(reason)).into())
            }
        }
    }

    async fn rejected(
        &self,
        mut request: pb::RejectOfferRequest,
        actor: &str,
    ) -> Result<pb::RejectOfferResponse, Status> {
        let request_id = std::mem::take(&mut request.request_id);
        let id = uuid("approval_id", &request.approval_id)?;
        let mut violations = Violations::new();
        let comment = violations
            .take("comment", text::clean(&request.comment, COMMENT_MAX))
            .unwrap_or_default();
        if comment.is_empty() && violations.is_empty() {
            violations.add("comment", "is required");
        }
        violations.into_result()?;
        let call = match begin(&self.0, REJECT, request_id, &request, Some(actor)).await? {
            Begun::Answered(answer) => return Ok(answer),
            Begun::New(call) => call,
        };
        let approval = self
            .0
            .reject(&call.tx, id, actor, &comment)
            .await
            .map_err(Problem::from)?;
        let approval = Some(convert::approval(&approval));
        call.finish(&self.0, pb::RejectOfferResponse { approval }).await
    }

    /// Each decision is a request of its own, with an id derived from that of the batch: sent again, it decides nothing
    /// twice and gives the same answers.
    async fn decided(
        &self,
        request: pb::DecideApprovalsRequest,
        actor: &str,
    ) -> Result<pb::DecideApprovalsResponse, Status> {
        let pb::DecideApprovalsRequest { decisions, request_id } = request;
        let mut violations = Violations::new();
        if decisions.is_empty() || decisions.len() > BATCH_MAX {
            violations.add("decisions", format!("must be 1 to {BATCH_MAX}"));
        }
        let mut seen = BTreeSet::new();
        for (index, decision) in decisions.iter().enumerate() {
            if !seen.insert(decision.approval_id.as_str()) {
                violations.add(format!("decisions[{index}].approval_id"), "is there twice");
            }
        }
        violations.into_result()?;
        uuid("request_id", &request_id)?;
        let mut results = Vec::with_capacity(decisions.len());
        for decision in decisions {
            let approval_id = decision.approval_id.clone();
            let (approval, reason, message) = match self.decide_one(decision, &request_id, actor).await {
                Ok(approval) => (approval, String::new(), String::new()),
                Err(status) => {
                    let problem = Problem::from(status);
                    (None, problem.reason().to_owned(), problem.message().to_owned())
                }
            };
            results.push(pb::ApprovalDecisionResult {
                approval_id,
                approval,
                reason,
                message,
            });
        }
        Ok(pb::DecideApprovalsResponse { results })
    }

    async fn decide_one(
        &self,
        decision: pb::ApprovalDecision,
        batch: &str,
        actor: &str,
    ) -> Result<Option<pb::Approval>, Status> {
        let pb::ApprovalDecision {
            approval_id,
            approve,
            content_hash,
            comment,
        } = decision;
        let request_id = ids::derive("decision-of-batch", &[batch, &approval_id]).to_string();
        if approve {
            let request = pb::ApproveOfferRequest {
                approval_id,
                content_hash,
                comment,
                request_id,
            };
            return Ok(self.approved(request, actor).await?.approval);
        }
        let request = pb::RejectOfferRequest {
            approval_id,
            comment,
            request_id,
        };
        Ok(self.rejected(request, actor).await?.approval)
    }
}

/// The acting person. Errors: UNAUTHENTICATED `ACTOR_REQUIRED`.
pub(super) fn acting<T>(request: &Request<T>) -> Result<String, Problem> {
    actor(request).ok_or_else(|| Problem::from(OfferError::ActorRequired))
}
