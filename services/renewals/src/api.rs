//! The wire: one line per RPC, the events that are taken, and those that are sent.

mod analysis;
mod care;
mod contacts;
mod convert;
mod duty;
pub mod events;
pub mod export;
mod inbox;
mod render;

use async_trait::async_trait;
use prost::Message;
use tonic::{Request, Response, Status};
use upswell_proto::renewals::v1::{
    AdvanceDealRequest, AdvanceDealResponse, CloseDealRequest, CloseDealResponse, CompleteTaskRequest,
    CompleteTaskResponse, GetAccountCalendarRequest, GetAccountCalendarResponse, GetDealRequest, GetDealResponse,
    GetForecastRequest, GetForecastResponse, GetLossAnalysisRequest, GetLossAnalysisResponse, GetTaskRequest,
    GetTaskResponse, ListDealsRequest, ListDealsResponse, ListTasksRequest, ListTasksResponse, MoveStagesRequest,
    MoveStagesResponse, RecordNoticeRequest, RecordNoticeResponse, SetRenewalTermsRequest, SetRenewalTermsResponse,
    renewal_service_server::RenewalService,
};
use upswell_runtime::{problem::Problem, security::Reach, server::actor};
use uuid::Uuid;

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

    /// Nothing when the deal is the caller's, or they may touch those of others.
    async fn within(&self, reach: &Reach, deal_id: Uuid) -> Result<(), Problem> {
        if reach.only().is_none() {
            return Ok(());
        }
        let found = self.app.deal(deal_id).await?;
        reach.check(&[&found.deal.owner_id])
    }

    /// The same for a review or an onboarding plan: it belongs to whom its account does.
    async fn care_within(&self, reach: &Reach, subject_id: Uuid) -> Result<(), Problem> {
        if reach.only().is_none() {
            return Ok(());
        }
        reach.check(&[&self.app.care_owner(subject_id).await?])
    }

    /// The same for a task, which is also theirs to whom it was given.
    async fn task_within(&self, reach: &Reach, task_id: Uuid) -> Result<(), Problem> {
        if reach.only().is_none() {
            return Ok(());
        }
        let found = self.app.task(task_id).await?;
        let owner = self.app.account_owner(&found.account_id).await?;
        reach.check(&[&owner, &found.task.assignee_id])
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
        let (actor, reach) = (who(&request), Reach::of(&request));
        let (once, command) = convert::advance(request.into_inner(), actor)?;
        self.within(&reach, command.deal_id).await?;
        answer(self.app.change_deal(&once, command, render::advanced).await?)
    }

    async fn close_deal(&self, request: Request<CloseDealRequest>) -> Answer<CloseDealResponse> {
        let (actor, reach) = (who(&request), Reach::of(&request));
        let (once, command) = convert::close(request.into_inner(), actor)?;
        self.within(&reach, command.deal_id).await?;
        answer(self.app.change_deal(&once, command, render::closed).await?)
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

    async fn get_task(&self, request: Request<GetTaskRequest>) -> Answer<GetTaskResponse> {
        let task = self.app.task(convert::get_task(request.into_inner())?).await?;
        Ok(Response::new(GetTaskResponse {
            task: Some(render::task(task)),
        }))
    }

    async fn move_stages(&self, request: Request<MoveStagesRequest>) -> Answer<MoveStagesResponse> {
        let (actor, reach) = (who(&request), Reach::of(&request));
        let (once, command) = convert::move_stages(request.into_inner(), actor)?;
        self.within(&reach, command.deal_id).await?;
        answer(self.app.change_deal(&once, command, render::moved).await?)
    }

    async fn set_renewal_terms(&self, request: Request<SetRenewalTermsRequest>) -> Answer<SetRenewalTermsResponse> {
        let (actor, reach) = (who(&request), Reach::of(&request));
        let (once, command) = convert::set_terms(request.into_inner(), actor)?;
        self.within(&reach, command.deal_id).await?;
        answer(self.app.change_deal(&once, command, render::terms_set).await?)
    }

    async fn record_notice(&self, request: Request<RecordNoticeRequest>) -> Answer<RecordNoticeResponse> {
        let (actor, reach) = (who(&request), Reach::of(&request));
        let (once, command) = convert::record_notice(request.into_inner(), actor, self.app.utc_today())?;
        self.within(&reach, command.deal_id).await?;
        answer(self.app.change_deal(&once, command, render::notice_recorded).await?)
    }

    async fn get_forecast(&self, request: Request<GetForecastRequest>) -> Answer<GetForecastResponse> {
        let (from, months, segment) = analysis::forecast_asked(request.into_inner())?;
        let lines = self.app.forecast(from, months, segment.as_deref()).await?;
        Ok(Response::new(analysis::forecast(lines)))
    }

    async fn get_loss_analysis(&self, request: Request<GetLossAnalysisRequest>) -> Answer<GetLossAnalysisResponse> {
        let (from, quarters) = analysis::losses_asked(request.into_inner())?;
        Ok(Response::new(analysis::losses(self.app.losses(from, quarters).await?)))
    }

    async fn get_account_calendar(
        &self,
        request: Request<GetAccountCalendarRequest>,
    ) -> Answer<GetAccountCalendarResponse> {
        let asked = analysis::calendar_asked(request.into_inner())?;
        let calendar = self.app.account_calendar(&asked.account_id).await?;
        Ok(Response::new(analysis::calendar(calendar, &asked)))
    }

    async fn complete_task(&self, request: Request<CompleteTaskRequest>) -> Answer<CompleteTaskResponse> {
        let reach = Reach::of(&request);
        let (once, command) = convert::complete(request.into_inner())?;
        self.task_within(&reach, command.task_id).await?;
        answer(self.app.complete(&once, command, render::completed).await?)
    }
}

/// Who asks.
fn who<T>(request: &Request<T>) -> String {
    actor(request).unwrap_or_else(|| NOBODY.to_owned())
}

/// The answer as it was rendered, now or when the request came first.
fn answer<M: Message + Default>(bytes: Vec<u8>) -> Answer<M> {
    Ok(Response::new(M::decode(bytes.as_slice()).map_err(Problem::internal)?))
}
