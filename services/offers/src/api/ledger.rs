//! `TouchLedgerService`.

mod convert;

use jiff::Timestamp;
use prost::Message as _;
use tonic::{Request, Response, Status};
use upswell_proto::offers::v1::{self as pb, touch_ledger_service_server::TouchLedgerService};
use upswell_runtime::{outbox::NewEvent, paging, problem::Problem};

use crate::{app::ledger::Ledger, domain::ledger::Touch};

const LIST: &str = "upswell.offers.v1.TouchLedgerService/ListTouches";

/// The service over the ledger.
#[derive(Debug, Clone)]
pub struct LedgerApi(pub Ledger);

/// A touch came into the ledger or changed at `at`.
pub(crate) fn touch_changed(touch: &Touch, at: Timestamp) -> NewEvent {
    let event = pb::TouchChanged {
        touch: Some(convert::touch(touch)),
    };
    NewEvent::of(touch.account_id.as_str(), at, &event)
}

#[tonic::async_trait]
impl TouchLedgerService for LedgerApi {
    async fn reserve(&self, request: Request<pb::ReserveRequest>) -> Result<Response<pb::ReserveResponse>, Status> {
        let command = convert::reserve(request.into_inner())?;
        let outcome = match self.0.reserve(&command).await? {
            Ok(touch) => pb::reserve_response::Outcome::Granted(convert::touch(&touch)),
            Err(refusal) => pb::reserve_response::Outcome::Refused(convert::refusal(refusal)),
        };
        Ok(Response::new(pb::ReserveResponse { outcome: Some(outcome) }))
    }

    async fn begin_send(
        &self,
        request: Request<pb::BeginSendRequest>,
    ) -> Result<Response<pb::BeginSendResponse>, Status> {
        let pb::BeginSendRequest { touch_id } = request.into_inner();
        let touch = self.0.begin_send(convert::touch_id(&touch_id)?).await?;
        Ok(Response::new(pb::BeginSendResponse {
            touch: Some(convert::touch(&touch)),
        }))
    }

    async fn confirm(&self, request: Request<pb::ConfirmRequest>) -> Result<Response<pb::ConfirmResponse>, Status> {
        let pb::ConfirmRequest { touch_id, actual_time } = request.into_inner();
        let (id, actual_at) = (convert::touch_id(&touch_id)?, convert::actual_time(actual_time)?);
        let touch = self.0.confirm(id, actual_at).await?;
        Ok(Response::new(pb::ConfirmResponse {
            touch: Some(convert::touch(&touch)),
        }))
    }

    async fn release(&self, request: Request<pb::ReleaseRequest>) -> Result<Response<pb::ReleaseResponse>, Status> {
        let pb::ReleaseRequest { touch_id, reason } = request.into_inner();
        let (id, reason) = (convert::touch_id(&touch_id)?, convert::release_reason(reason)?);
        let touch = self.0.release(id, reason).await?;
        Ok(Response::new(pb::ReleaseResponse {
            touch: Some(convert::touch(&touch)),
        }))
    }

    async fn get_allowance(
        &self,
        request: Request<pb::GetAllowanceRequest>,
    ) -> Result<Response<pb::GetAllowanceResponse>, Status> {
        let judgement = self.0.allowance(&convert::question(request.into_inner())?).await?;
        Ok(Response::new(convert::allowance(judgement)))
    }

    async fn list_touches(
        &self,
        request: Request<pb::ListTouchesRequest>,
    ) -> Result<Response<pb::ListTouchesResponse>, Status> {
        Ok(Response::new(self.page(request.into_inner()).await?))
    }
}

impl LedgerApi {
    async fn page(&self, mut request: pb::ListTouchesRequest) -> Result<pb::ListTouchesResponse, Problem> {
        let filter = convert::filter(&request)?;
        let (size, token) = (request.page_size, std::mem::take(&mut request.page_token));
        request.page_size = 0;
        let bound = request.encode_to_vec();
        let page = paging::parse(LIST, &bound, size, &token)?;
        let after = page.after.as_deref().map(convert::page_after).transpose()?;
        let mut touches = self.0.list(&filter, after, u64::from(page.size) + 1).await?;
        let more = touches.len() > page.size as usize;
        touches.truncate(page.size as usize);
        let last = touches.last().filter(|_| more).map(convert::page_key);
        Ok(pb::ListTouchesResponse {
            next_page_token: last
                .map(|key| paging::next_token(LIST, &bound, &key))
                .unwrap_or_default(),
            touches: touches.iter().map(convert::touch).collect(),
        })
    }
}
