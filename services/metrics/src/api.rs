//! The wire: one line per RPC, and the events that are taken.

mod answers;
mod convert;
mod events;
mod experiments;
mod journeys;
mod programme;
mod revenue;
mod terms;
mod voices;

use async_trait::async_trait;
use tonic::{Request, Response, Status};
use upswell_proto::metrics::v1::{
    GetFunnelRequest, GetFunnelResponse, GetLeadTimesRequest, GetLeadTimesResponse, GetMotionConversionRequest,
    GetMotionConversionResponse, GetPressureRequest, GetPressureResponse, GetRevenueMetricsRequest,
    GetRevenueMetricsResponse, GetUpliftRequest, GetUpliftResponse, GetVariantResultsRequest,
    GetVariantResultsResponse, GetWeeklyCutRequest, GetWeeklyCutResponse, ListMovementsRequest, ListMovementsResponse,
    metrics_service_server::MetricsService,
};

pub use self::events::EventInbox;
use crate::{app::App, domain::programme::Cut};

/// Serves `upswell.metrics.v1.MetricsService`.
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
impl MetricsService for Api {
    async fn get_revenue_metrics(
        &self,
        request: Request<GetRevenueMetricsRequest>,
    ) -> Answer<GetRevenueMetricsResponse> {
        let (window, asked) = convert::revenue_request(request.into_inner())?;
        Ok(Response::new(answers::revenue(
            self.app.revenue_of(window, &asked).await?,
        )))
    }

    async fn list_movements(&self, request: Request<ListMovementsRequest>) -> Answer<ListMovementsResponse> {
        let list = convert::MovementList::try_from(request.into_inner())?;
        let page = self.app.movements(&list.filter, list.after.clone(), list.size).await?;
        Ok(Response::new(answers::movements(&list, page)?))
    }

    async fn get_funnel(&self, request: Request<GetFunnelRequest>) -> Answer<GetFunnelResponse> {
        let GetFunnelRequest { window } = request.into_inner();
        Ok(Response::new(answers::funnel(
            &self.app.funnel(convert::window(window)?).await?,
        )))
    }

    async fn get_weekly_cut(&self, request: Request<GetWeeklyCutRequest>) -> Answer<GetWeeklyCutResponse> {
        let GetWeeklyCutRequest { window } = request.into_inner();
        let mut slices = self.app.weekly_cut(convert::window(window)?, Cut::All).await?;
        let weeks = slices.remove("").unwrap_or_default();
        Ok(Response::new(answers::weekly_cut(weeks)))
    }

    async fn get_motion_conversion(
        &self,
        request: Request<GetMotionConversionRequest>,
    ) -> Answer<GetMotionConversionResponse> {
        let GetMotionConversionRequest { window } = request.into_inner();
        let conversions = self.app.motion_conversion(convert::window(window)?).await?;
        Ok(Response::new(answers::motion_conversion(conversions)))
    }

    async fn get_pressure(&self, request: Request<GetPressureRequest>) -> Answer<GetPressureResponse> {
        let GetPressureRequest { window } = request.into_inner();
        Ok(Response::new(answers::pressure(
            self.app.pressure(convert::window(window)?).await?,
        )))
    }

    async fn get_lead_times(&self, request: Request<GetLeadTimesRequest>) -> Answer<GetLeadTimesResponse> {
        let GetLeadTimesRequest { window } = request.into_inner();
        Ok(Response::new(answers::lead_times(
            self.app.lead_times(convert::window(window)?).await?,
        )))
    }

    async fn get_uplift(&self, request: Request<GetUpliftRequest>) -> Answer<GetUpliftResponse> {
        let (epoch, currency, segment) = experiments::uplift_request(request.into_inner())?;
        let uplift = self.app.uplift(epoch, currency, segment).await?;
        Ok(Response::new(experiments::uplift(uplift)))
    }

    async fn get_variant_results(
        &self,
        request: Request<GetVariantResultsRequest>,
    ) -> Answer<GetVariantResultsResponse> {
        let experiment = experiments::experiment(request.into_inner())?;
        let results = self.app.variant_results(&experiment).await?;
        Ok(Response::new(experiments::variants(experiment, results)))
    }
}
