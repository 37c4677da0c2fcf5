//! The wire: one line per RPC, the events that are taken, and those that are sent.

mod convert;
pub mod events;
mod inbox;
mod render;

use async_trait::async_trait;
use prost::Message;
use tonic::{Request, Response, Status};
use upswell_proto::renewals::v1::{
    AdvanceDealRequest, AdvanceDealResponse, CloseDealRequest, CloseDealResponse, CompleteTaskRequest,
    CompleteTaskResponse, GetDealRequest, GetDealResponse, ListDealsRequest, ListDealsResponse, ListTasksRequest,
    ListTasksResponse, renewal_service_server::RenewalService,
};
use upswell_runtime::{problem::Problem, server::actor};

pub use self::inbox::EventInbox;
use crate::app::App;

/// Who does something when nobody is named.
const NOBODY: &str = "unknown";

/// Serves `upswell.renewals.v1.RenewalService`.
#[derive(Clone)]
pub struct Api {
    app: App,
}

impl Api {
    /// The service over its use cases.
    pub fn new(app: App) -> Self {
        Self { app }
    }
}

type Answer<T> = Result<Response<T>, Status>;

#[async_trait]
impl RenewalService for Api {
    async fn get_deal(&self, request: Request<GetDealRequest>) -> Answer<GetDealResponse> {
        let deal = self.app.deal(convert::get_deal(request.into_inner())?).await?;
        Ok(Response::new(GetDealResponse {
            deal: Some(render::deal(deal)),
        }))
    }

    async fn list_deals(&self, request: Request<ListDealsRequest>) -> Answer<ListDealsResponse> {
        let list = convert::DealList::try_from(request.into_inner())?;
        let (deals, last) = self.app.deals(&list.filter, list.after.as_ref(), list.size).await?;
        let next_page_token = list.next_token(last.as_ref())?;
        Ok(Response::new(ListDealsResponse {
            deals: deals.into_iter().map(render::deal).collect(),
            next_page_token,
        }))
    }

    async fn advance_deal(&self, request: Request<AdvanceDealRequest>) -> Answer<AdvanceDealResponse> {
        let actor = actor(&request).unwrap_or_else(|| NOBODY.to_owned());
        let (once, command) = convert::advance(request.into_inner(), actor)?;
        answer(self.app.advance(&once, command, render::advanced).await?)
    }

    async fn close_deal(&self, request: Request<CloseDealRequest>) -> Answer<CloseDealResponse> {
        let actor = actor(&request).unwrap_or_else(|| NOBODY.to_owned());
        let (once, command) = convert::close(request.into_inner(), actor)?;
        answer(self.app.close(&once, command, render::closed).await?)
    }

    async fn list_tasks(&self, request: Request<ListTasksRequest>) -> Answer<ListTasksResponse> {
        let list = convert::TaskList::try_from(request.into_inner())?;
        let (tasks, last) = self.app.tasks(&list.filter, list.after.as_ref(), list.size).await?;
        let next_page_token = list.next_token(last.as_ref())?;
        Ok(Response::new(ListTasksResponse {
            tasks: tasks.into_iter().map(render::task).collect(),
            next_page_token,
        }))
    }

    async fn complete_task(&self, request: Request<CompleteTaskRequest>) -> Answer<CompleteTaskResponse> {
        let (once, command) = convert::complete(request.into_inner())?;
        answer(self.app.complete(&once, command, render::completed).await?)
    }
}

/// The answer as it was rendered, now or when the request came first.
fn answer<M: Message + Default>(bytes: Vec<u8>) -> Answer<M> {
    Ok(Response::new(M::decode(bytes.as_slice()).map_err(Problem::internal)?))
}
