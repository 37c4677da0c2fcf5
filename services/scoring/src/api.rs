//! The wire: one line per RPC, the events that are taken, and those that are told.

mod convert;
pub(crate) mod events;
mod inbox;
mod requests;

use async_trait::async_trait;
use prost::Message as _;
use tonic::{Request, Response, Status};
use upswell_proto::scoring::v1::{
    BatchGetScoresRequest, BatchGetScoresResponse, GetScoreRequest, GetScoreResponse, ListScoresRequest,
    ListScoresResponse, ListSignalsRequest, ListSignalsResponse, RescoreAccountsRequest, RescoreAccountsResponse,
    scoring_service_server::ScoringService,
};
use upswell_runtime::problem::Problem;

pub use self::inbox::EventInbox;
use self::requests::{ScorePage, SignalPage};
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
        let score = self.app.score_of(account_id).await.map_err(Problem::from)?;
        Ok(Response::new(GetScoreResponse {
            score: Some(convert::score(&score)),
        }))
    }

    async fn batch_get_scores(&self, request: Request<BatchGetScoresRequest>) -> Answer<BatchGetScoresResponse> {
        let account_ids = requests::account_ids(request.into_inner())?;
        let scores = self.app.scores_of(&account_ids).await?;
        Ok(Response::new(BatchGetScoresResponse {
            scores: scores.iter().map(convert::score).collect(),
        }))
    }

    async fn list_scores(&self, request: Request<ListScoresRequest>) -> Answer<ListScoresResponse> {
        let page = ScorePage::try_from(request.into_inner())?;
        let scores = self.app.scores(page.after(), page.size).await?;
        Ok(Response::new(page.answer(&scores)))
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
}
