//! The wire: one line per RPC, the events that are taken, and those that are told.

mod convert;
pub(crate) mod events;
mod inbox;
mod models;
mod requests;

use async_trait::async_trait;
use prost::Message as _;
use tonic::{Request, Response, Status};
use upswell_proto::scoring::v1::{
    BacktestThresholdRequest, BacktestThresholdResponse, BatchGetScoresRequest, BatchGetScoresResponse,
    ExplainScoreRequest, ExplainScoreResponse, GetCoverageRequest, GetCoverageResponse, GetScoreRequest,
    GetScoreResponse, ListOverridesRequest, ListOverridesResponse, ListRaisersRequest, ListRaisersResponse,
    ListScoresRequest, ListScoresResponse, ListSignalsRequest, ListSignalsResponse, OverrideScoreRequest,
    OverrideScoreResponse, RaiseSignalRequest, RaiseSignalResponse, RescoreAccountsRequest, RescoreAccountsResponse,
    scoring_service_server::ScoringService,
};
use upswell_runtime::{problem::Problem, server::actor};

use self::requests::{BacktestPage, OverridePage, ScorePage, SignalPage};
pub use self::{inbox::EventInbox, models::ModelApi};
use crate::app::{App, Rescore};

/// Serves `upswell.scoring.v1.ScoringService`.
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
impl ScoringService for Api {
    async fn get_score(&self, request: Request<GetScoreRequest>) -> Answer<GetScoreResponse> {
        let account_id = requests::account_id(request.into_inner())?;
        let score = self.app.score_of(account_id.clone()).await.map_err(Problem::from)?;
        let overrides = self.app.overrides_of(&[account_id]).await?;
        let score = requests::with_overrides(&[score], &overrides).pop();
        Ok(Response::new(GetScoreResponse { score }))
    }

    async fn batch_get_scores(&self, request: Request<BatchGetScoresRequest>) -> Answer<BatchGetScoresResponse> {
        let account_ids = requests::account_ids(request.into_inner())?;
        let scores = self.app.scores_of(&account_ids).await?;
        let overrides = self.app.overrides_of(&account_ids).await?;
        Ok(Response::new(BatchGetScoresResponse {
            scores: requests::with_overrides(&scores, &overrides),
        }))
    }

    async fn list_scores(&self, request: Request<ListScoresRequest>) -> Answer<ListScoresResponse> {
        let page = ScorePage::try_from(request.into_inner())?;
        let scores = self.app.scores(page.after(), page.size).await?;
        let ids: Vec<String> = scores.iter().map(|score| score.account_id.clone()).collect();
        let overrides = self.app.overrides_of(&ids).await?;
        Ok(Response::new(page.answer(&scores, &overrides)))
    }

    async fn list_signals(&self, request: Request<ListSignalsRequest>) -> Answer<ListSignalsResponse> {
        let page = SignalPage::try_from(request.into_inner())?;
        let signals = self.app.signals(&page.filter, page.after, page.size).await?;
        Ok(Response::new(page.answer(&signals)))
    }

    async fn rescore_accounts(&self, request: Request<RescoreAccountsRequest>) -> Answer<RescoreAccountsResponse> {
        let command = Rescore::try_from(request.into_inner())?;
        let answer = self.app.rescore(&command, requests::rescored).await?;
        let answer = RescoreAccountsResponse::decode(answer.as_slice()).map_err(Problem::internal)?;
        Ok(Response::new(answer))
    }

    async fn explain_score(&self, request: Request<ExplainScoreRequest>) -> Answer<ExplainScoreResponse> {
        let (account_id, since) = requests::explain(request.into_inner(), self.app.now())?;
        let explained = self.app.explain(account_id, since).await.map_err(Problem::from)?;
        Ok(Response::new(convert::explained(&explained)))
    }

    async fn override_score(&self, request: Request<OverrideScoreRequest>) -> Answer<OverrideScoreResponse> {
        let author = actor(&request);
        let command = requests::judge(request.into_inner(), author)?;
        let answer = self.app.judge(&command, requests::judged).await?;
        let answer = OverrideScoreResponse::decode(answer.as_slice()).map_err(Problem::internal)?;
        Ok(Response::new(answer))
    }

    async fn list_overrides(&self, request: Request<ListOverridesRequest>) -> Answer<ListOverridesResponse> {
        let page = OverridePage::try_from(request.into_inner())?;
        let made = self.app.judgements(&page.account_id, page.after, page.size).await?;
        Ok(Response::new(page.answer(&made)))
    }

    async fn raise_signal(&self, request: Request<RaiseSignalRequest>) -> Answer<RaiseSignalResponse> {
        let author = actor(&request);
        let command = requests::raise(request.into_inner(), author)?;
        let answer = self.app.raise(command, requests::raised).await?;
        let answer = RaiseSignalResponse::decode(answer.as_slice()).map_err(Problem::internal)?;
        Ok(Response::new(answer))
    }

    async fn list_raisers(&self, request: Request<ListRaisersRequest>) -> Answer<ListRaisersResponse> {
        let ListRaisersRequest {} = request.into_inner();
        let raisers = self.app.raisers().await?;
        let raisers = raisers.into_iter().map(convert::raiser).collect();
        Ok(Response::new(ListRaisersResponse { raisers }))
    }

    async fn get_coverage(&self, request: Request<GetCoverageRequest>) -> Answer<GetCoverageResponse> {
        let GetCoverageRequest {} = request.into_inner();
        let coverage = self.app.coverage().await?;
        Ok(Response::new(convert::coverage(coverage)))
    }

    async fn backtest_threshold(
        &self,
        request: Request<BacktestThresholdRequest>,
    ) -> Answer<BacktestThresholdResponse> {
        let (command, bound) = BacktestPage::try_from(request.into_inner())?.split();
        let found = self.app.backtest(command).await?;
        Ok(Response::new(BacktestPage::answer(&bound, found)))
    }
}
