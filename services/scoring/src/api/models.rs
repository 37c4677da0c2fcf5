//! The wire of models: one line per RPC, and what models look like there.

use std::{mem::take, pin::Pin, time::Duration};

use futures::Stream;
use prost::Message;
use tonic::{Request, Response, Status};
use upswell_proto::scoring::v1::{
    self as wire, BacktestScoresRequest, BacktestScoresResponse, CancelTrainingRequest, CancelTrainingResponse,
    FeatureEffect, Forecast as WireForecast, ListModelsRequest, ListModelsResponse, Model, ModelKind,
    PredictAccountRequest, PredictAccountResponse, PromoteModelRequest, PromoteModelResponse, RollbackModelRequest,
    RollbackModelResponse, TrainModelRequest, TrainModelResponse, Training as WireTraining, WatchTrainingRequest,
    WatchTrainingResponse, model_service_server::ModelService, training,
};
use upswell_runtime::{
    db::{from_epoch_day, micros},
    paging,
    problem::{Kind as Fault, Problem},
    requests::fingerprint,
    server::actor,
    text,
};
use uuid::Uuid;

use crate::{
    app::models::{Change, Drift, Forecast, Made, ModelApp, Purpose, State, Training},
    domain::model::{
        history::Kind,
        trial::{Judged, Judgement},
    },
};

/// Serves `upswell.scoring.v1.ModelService`.
#[derive(Clone)]
pub struct ModelApi {
    app: ModelApp,
}

impl ModelApi {
    /// The service over its use cases.
    pub fn new(app: ModelApp) -> Self {
        Self { app }
    }
}

type Answer<T> = Result<Response<T>, Status>;
type Watched = Pin<Box<dyn Stream<Item = Result<WatchTrainingResponse, Status>> + Send>>;

/// How often a watched training is looked at.
const LOOK: Duration = Duration::from_millis(200);

#[tonic::async_trait]
impl ModelService for ModelApi {
    async fn train_model(&self, request: Request<TrainModelRequest>) -> Answer<TrainModelResponse> {
        let TrainModelRequest { seed, request_id } = request.into_inner();
        let training = self.app.train(&uuid(&request_id)?, seed, Purpose::Train).await?;
        Ok(Response::new(TrainModelResponse {
            training: Some(wire_training(training)),
        }))
    }

    async fn backtest_scores(&self, request: Request<BacktestScoresRequest>) -> Answer<BacktestScoresResponse> {
        let BacktestScoresRequest { seed, request_id } = request.into_inner();
        let training = self.app.train(&uuid(&request_id)?, seed, Purpose::Backtest).await?;
        Ok(Response::new(BacktestScoresResponse {
            training: Some(wire_training(training)),
        }))
    }

    type WatchTrainingStream = Watched;

    async fn watch_training(&self, request: Request<WatchTrainingRequest>) -> Answer<Watched> {
        let training_id = request.into_inner().training_id;
        let first = self.app.training(&training_id).await?;
        Ok(Response::new(Box::pin(watch(self.app.clone(), first))))
    }

    async fn cancel_training(&self, request: Request<CancelTrainingRequest>) -> Answer<CancelTrainingResponse> {
        let training = self.app.cancel(&request.into_inner().training_id).await?;
        Ok(Response::new(CancelTrainingResponse {
            training: Some(wire_training(training)),
        }))
    }

    async fn list_models(&self, request: Request<ListModelsRequest>) -> Answer<ListModelsResponse> {
        let request = request.into_inner();
        let kind = read_kind(request.kind());
        let filter = [u8::try_from(request.kind).unwrap_or_default()];
        let page = paging::parse("ListModels", &filter, request.page_size, &request.page_token)?;
        let after = page.after.as_deref().and_then(|key| key.split_once('/'));
        let before = after.and_then(|(at, id)| Some((at.parse::<i64>().ok()?, id)));
        let mut models = self.app.models(kind, before, u64::from(page.size) + 1).await?;
        let is_last = models.len() <= page.size as usize;
        models.truncate(page.size as usize);
        let key = |made: &Made| format!("{}/{}", micros(made.created_at), made.model_id);
        let next = models
            .last()
            .filter(|_| !is_last)
            .map(|made| paging::next_token("ListModels", &filter, &key(made)));
        let etags = self.app.etags().await?;
        let wire = |made: Made| {
            let place = Kind::ALL.iter().position(|kind| *kind == made.kind);
            let etag = place.map(|place| etags[place].clone());
            wire_model(made, etag.unwrap_or_default())
        };
        Ok(Response::new(ListModelsResponse {
            models: models.into_iter().map(wire).collect(),
            next_page_token: next.unwrap_or_default(),
        }))
    }

    async fn promote_model(&self, request: Request<PromoteModelRequest>) -> Answer<PromoteModelResponse> {
        let actor = person(&request)?;
        let mut request = request.into_inner();
        let (request_id, etag) = (take(&mut request.request_id), request.etag.clone());
        let change = change(request_id, etag, actor, &request);
        let encode = |made: Made| {
            let etag = made.model_id.clone();
            let model = Some(wire_model(made, etag));
            PromoteModelResponse { model }.encode_to_vec()
        };
        let answer = self.app.promote(&request.model_id, &change, encode).await?;
        decoded(&answer)
    }

    async fn rollback_model(&self, request: Request<RollbackModelRequest>) -> Answer<RollbackModelResponse> {
        let actor = person(&request)?;
        let mut request = request.into_inner();
        let (request_id, etag) = (take(&mut request.request_id), request.etag.clone());
        let kind = read_kind(request.kind());
        let kind = kind.ok_or_else(|| Problem::invalid_field("kind", "must be churn or expansion"))?;
        let change = change(request_id, etag, actor, &request);
        let encode = |made: Option<Made>| {
            let model = made.map(|made| {
                let etag = made.model_id.clone();
                wire_model(made, etag)
            });
            RollbackModelResponse { model }.encode_to_vec()
        };
        let answer = self.app.rollback(kind, request.to_rules, &change, encode).await?;
        decoded(&answer)
    }

    async fn predict_account(&self, request: Request<PredictAccountRequest>) -> Answer<PredictAccountResponse> {
        let account_id = text::key(&request.into_inner().account_id);
        let account_id = account_id.map_err(|fault| Problem::invalid_field("account_id", fault.to_string()))?;
        let forecasts = self.app.predict(&account_id).await?;
        Ok(Response::new(PredictAccountResponse {
            forecasts: forecasts.into_iter().map(wire_forecast).collect(),
        }))
    }
}

fn uuid(request_id: &str) -> Result<String, Problem> {
    let id = Uuid::parse_str(request_id).map_err(|_| Problem::invalid_field("request_id", "must be a UUID"))?;
    Ok(id.to_string())
}

/// `request` is without its id.
fn change(request_id: String, etag: String, actor: String, request: &impl Message) -> Change {
    Change {
        request_id,
        fingerprint: fingerprint(request),
        etag,
        actor,
    }
}

fn decoded<M: Message + Default>(answer: &[u8]) -> Answer<M> {
    let message = M::decode(answer).map_err(Problem::internal)?;
    Ok(Response::new(message))
}

fn person<T>(request: &Request<T>) -> Result<String, Problem> {
    let message = "a model is put in use by a person: say who in `x-upswell-actor`";
    actor(request).ok_or_else(|| Problem::new(Fault::Unauthenticated, "ACTOR_REQUIRED", message))
}

/// Tells every change of a training until it has ended.
fn watch(app: ModelApp, first: Training) -> impl Stream<Item = Result<WatchTrainingResponse, Status>> + Send {
    let answer = |training: Training| WatchTrainingResponse {
        training: Some(wire_training(training)),
    };
    futures::stream::unfold(Some((app, first, true)), move |state| async move {
        let (app, known, is_first) = state?;
        if is_first {
            return Some((Ok(answer(known.clone())), Some((app, known, false))));
        }
        if known.ended_at.is_some() {
            return None;
        }
        loop {
            tokio::time::sleep(LOOK).await;
            match app.training(&known.training_id).await {
                Ok(now) if (now.done, &now.detail, now.state) == (known.done, &known.detail, known.state) => {}
                Ok(now) => return Some((Ok(answer(now.clone())), Some((app, now, false)))),
                Err(problem) => return Some((Err(problem.into()), None)),
            }
        }
    })
}

fn read_kind(kind: ModelKind) -> Option<Kind> {
    match kind {
        ModelKind::Unspecified => None,
        ModelKind::Churn => Some(Kind::Churn),
        ModelKind::Expansion => Some(Kind::Expansion),
    }
}

fn wire_kind(kind: Kind) -> i32 {
    match kind {
        Kind::Churn => ModelKind::Churn,
        Kind::Expansion => ModelKind::Expansion,
    }
    .into()
}

fn wire_time(at: jiff::Timestamp) -> prost_types::Timestamp {
    prost_types::Timestamp {
        seconds: at.as_second(),
        nanos: at.subsec_nanosecond(),
    }
}

fn wire_training(training: Training) -> WireTraining {
    let state = match training.state {
        State::Waiting => training::State::Waiting,
        State::Running => training::State::Running,
        State::Done => training::State::Done,
        State::Cancelled => training::State::Cancelled,
        State::Failed => training::State::Failed,
    };
    WireTraining {
        training_id: training.training_id,
        state: state.into(),
        done: training.done,
        all: training.all,
        detail: training.detail,
        request_time: Some(wire_time(training.requested_at)),
        end_time: training.ended_at.map(wire_time),
        backtests: training.result.into_iter().map(wire_judged).collect(),
    }
}

fn wire_judged(judged: Judged) -> wire::ScoreBacktest {
    let Judged {
        kind,
        accounts,
        first_day,
        judgements,
        least_features,
        full_features,
        kept_lift,
        refusal,
    } = judged;
    wire::ScoreBacktest {
        kind: wire_kind(kind),
        accounts: i32::try_from(accounts).unwrap_or(i32::MAX),
        first_day: first_day.map(|day| super::convert::date(from_epoch_day(day))),
        judgements: judgements.into_iter().map(wire_judgement).collect(),
        least_features: i32::try_from(least_features).unwrap_or(i32::MAX),
        full_features: i32::try_from(full_features).unwrap_or(i32::MAX),
        kept_lift,
        refusal,
    }
}

fn wire_judgement(judgement: Judgement) -> wire::ScoreJudgement {
    let Judgement {
        source,
        days_before,
        report,
    } = judgement;
    let is_own_horizon = days_before == 0;
    wire::ScoreJudgement {
        source: source.as_str().to_owned(),
        days_before,
        rows: i64::try_from(report.rows).unwrap_or(i64::MAX),
        positives: i64::try_from(report.positives).unwrap_or(i64::MAX),
        auc: report.auc,
        auc_low: report.auc_spread.map(|(low, _)| low),
        auc_high: report.auc_spread.map(|(_, high)| high),
        average_precision: report.average_precision,
        top_lift: report.lifts.first().copied().unwrap_or_default(),
        log_loss: is_own_horizon.then_some(report.log_loss),
        brier: is_own_horizon.then_some(report.brier),
        calibration_error: is_own_horizon.then_some(report.calibration_error),
    }
}

fn wire_model(made: Made, etag: String) -> Model {
    let (choice, report) = (made.model.choice, made.model.report);
    Model {
        model_id: made.model_id,
        kind: wire_kind(made.kind),
        in_use: made.in_use,
        create_time: Some(wire_time(made.created_at)),
        candidate: choice.candidate,
        rows: i64::try_from(choice.rows).unwrap_or(i64::MAX),
        positives: i64::try_from(choice.positives).unwrap_or(i64::MAX),
        auc: report.auc,
        log_loss: report.log_loss,
        brier: report.brier,
        calibration_error: report.calibration_error,
        top_lift: report.lifts.first().copied().unwrap_or_default(),
        verdict: made.verdict,
        etag,
        drift: made.drift.map(wire_drift),
        average_precision: report.average_precision,
    }
}

fn wire_drift(drift: Drift) -> wire::Drift {
    let Drift {
        predictions,
        feature,
        feature_name,
        checked_at,
        accounts,
        is_alarming,
        is_set_aside,
    } = drift;
    wire::Drift {
        predictions,
        feature,
        feature_name,
        check_time: Some(wire_time(checked_at)),
        accounts: i32::try_from(accounts).unwrap_or(i32::MAX),
        is_alarming,
        is_set_aside,
    }
}

fn wire_forecast(forecast: Forecast) -> WireForecast {
    let effect = |(feature, value, effect): (String, f64, f64)| FeatureEffect {
        feature,
        value: (!value.is_nan()).then_some(value),
        effect,
    };
    WireForecast {
        kind: wire_kind(forecast.kind),
        probability: forecast.explained.probability,
        model_id: forecast.model_id,
        margin: forecast.explained.margin,
        base: forecast.explained.base,
        effects: forecast.explained.effects.into_iter().map(effect).collect(),
    }
}
