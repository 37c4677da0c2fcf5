//! `SuppressionService`.

use tonic::{Request, Response, Status};
use upswell_proto::offers::v1::{self as pb, suppression_service_server::SuppressionService};
use upswell_runtime::{
    problem::{Problem, Violations},
    security::Reach,
    server::actor,
    text,
};

use super::{
    Api, Cursor, account, account_filter, convert, instant,
    replay::{Begun, begin},
    uuid,
};
use crate::store::suppressions;

const LIST: &str = "upswell.offers.v1.SuppressionService/ListSuppressions";
const SUPPRESS: &str = "upswell.offers.v1.SuppressionService/SuppressAccount";
const LIFT: &str = "upswell.offers.v1.SuppressionService/LiftSuppression";
const REASON_MAX: usize = 500;
/// Who asked, when nobody is believed.
const UNKNOWN: &str = "unknown";

#[tonic::async_trait]
impl SuppressionService for Api {
    async fn suppress_account(
        &self,
        request: Request<pb::SuppressAccountRequest>,
    ) -> Result<Response<pb::SuppressAccountResponse>, Status> {
        let author = actor(&request).unwrap_or_else(|| UNKNOWN.to_owned());
        let reach = Reach::of(&request);
        let mut request = request.into_inner();
        let request_id = std::mem::take(&mut request.request_id);
        let mut violations = Violations::new();
        let account_id = account(&request.account_id, &mut violations);
        let reason = violations
            .take("reason", text::clean(&request.reason, REASON_MAX))
            .unwrap_or_default();
        if reason.is_empty() && violations.is_empty() {
            violations.add("reason", "is required");
        }
        violations.into_result()?;
        let expires_at = instant("expire_time", request.expire_time)?;
        self.within(&reach, Some(&account_id)).await?;
        let call = match begin(&self.0, SUPPRESS, request_id.clone(), &request, Some(&author)).await? {
            Begun::Answered(answer) => return Ok(Response::new(answer)),
            Begun::New(call) => call,
        };
        let suppressed = self
            .0
            .suppress(&call.tx, &request_id, account_id, reason, author, expires_at)
            .await;
        let suppression = Some(convert::suppression(suppressed.map_err(Problem::from)?));
        Ok(Response::new(
            call.finish(&self.0, pb::SuppressAccountResponse { suppression })
                .await?,
        ))
    }

    async fn lift_suppression(
        &self,
        request: Request<pb::LiftSuppressionRequest>,
    ) -> Result<Response<pb::LiftSuppressionResponse>, Status> {
        let reach = Reach::of(&request);
        let mut request = request.into_inner();
        let request_id = std::mem::take(&mut request.request_id);
        let id = uuid("suppression_id", &request.suppression_id)?;
        if reach.only().is_some() {
            let found = suppressions::suppression_fetch(self.0.db.reader(), id).await?;
            self.within(&reach, found.as_ref().map(|row| row.account_id.as_str()))
                .await?;
        }
        let call = match begin(&self.0, LIFT, request_id, &request, None).await? {
            Begun::Answered(answer) => return Ok(Response::new(answer)),
            Begun::New(call) => call,
        };
        let lifted = self.0.lift(&call.tx, id).await.map_err(Problem::from)?;
        let answer = pb::LiftSuppressionResponse {
            suppression: Some(convert::suppression(lifted)),
        };
        Ok(Response::new(call.finish(&self.0, answer).await?))
    }

    async fn list_suppressions(
        &self,
        request: Request<pb::ListSuppressionsRequest>,
    ) -> Result<Response<pb::ListSuppressionsResponse>, Status> {
        let pb::ListSuppressionsRequest {
            account_id,
            active_only,
            page_size,
            page_token,
        } = request.into_inner();
        let account_id = account_filter(&account_id)?;
        let filter = format!("{account_id}/{active_only}").into_bytes();
        let cursor = Cursor::parse(LIST, filter, page_size, &page_token)?;
        let active_at = active_only.then(|| self.0.clock.now());
        let reader = self.0.db.reader();
        let (after, limit) = (cursor.after, cursor.limit());
        let mut found = suppressions::suppression_list(reader, &account_id, active_at, after, limit).await?;
        let next_page_token = cursor.cut(&mut found, |row| (row.created_at, row.suppression_id));
        let suppressions = found.into_iter().map(convert::suppression).collect();
        Ok(Response::new(pb::ListSuppressionsResponse {
            suppressions,
            next_page_token,
        }))
    }
}
