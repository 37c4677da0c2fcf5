//! `ApprovalService`.

use tonic::{Request, Response, Status};
use upswell_proto::offers::v1::{self as pb, approval_service_server::ApprovalService};
use upswell_runtime::{
    db::micros,
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
        let actor = actor(&request).ok_or_else(|| Problem::from(OfferError::ActorRequired))?;
        let mut request = request.into_inner();
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
        let call = match begin(&self.0, APPROVE, request_id, &request, Some(&actor)).await? {
            Begun::Answered(answer) => return Ok(Response::new(answer)),
            Begun::New(call) => call,
        };
        let outcome = self
            .0
            .approve(&call.tx, id, &request.content_hash, &actor, &comment)
            .await;
        match outcome.map_err(Problem::from)? {
            Approved::Reserved(approval) => {
                let answer = pb::ApproveOfferResponse {
                    approval: Some(convert::approval(&approval)),
                };
                Ok(Response::new(call.finish(&self.0, answer).await?))
            }
            Approved::NoLongerValid(reason) => {
                // That it is withdrawn stays, although the caller hears of a failure; asked again, it is closed.
                call.tx.commit().await?;
                Err(Problem::from(OfferError::NoLongerValid(reason)).into())
            }
        }
    }

    async fn reject_offer(
        &self,
        request: Request<pb::RejectOfferRequest>,
    ) -> Result<Response<pb::RejectOfferResponse>, Status> {
        let actor = actor(&request).ok_or_else(|| Problem::from(OfferError::ActorRequired))?;
        let mut request = request.into_inner();
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
        let call = match begin(&self.0, REJECT, request_id, &request, Some(&actor)).await? {
            Begun::Answered(answer) => return Ok(Response::new(answer)),
            Begun::New(call) => call,
        };
        let approval = self
            .0
            .reject(&call.tx, id, &actor, &comment)
            .await
            .map_err(Problem::from)?;
        let answer = pb::RejectOfferResponse {
            approval: Some(convert::approval(&approval)),
        };
        Ok(Response::new(call.finish(&self.0, answer).await?))
    }
}
