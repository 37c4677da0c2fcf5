//! The models of a running service: trained, judged, put in use, asked.

use std::io::{self, IsTerminal as _};

use anyhow::{Context as _, Result, bail};
use clap::{Args, ValueEnum};
use tonic::Code;
use upswell_proto::scoring::v1::{
    BacktestScoresRequest, ListModelsRequest, ModelKind, PredictAccountRequest, PromoteModelRequest,
    RollbackModelRequest, TrainModelRequest, Training, WatchTrainingRequest, model_service_client::ModelServiceClient,
    training::State,
};
use upswell_scoring::NAME;

use super::{
    super::{context::Context, pages::Limit, words::RequestId},
    views::{ForecastView, Judged, ModelView, Seated, Trained},
};

/// What a model predicts.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Kind {
    /// The customer leaves within 90 days.
    Churn,
    /// The customer buys more within 90 days.
    Expansion,
}

impl From<Kind> for ModelKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Churn => Self::Churn,
            Kind::Expansion => Self::Expansion,
        }
    }
}

#[derive(Debug, Args)]
pub(in crate::cli) struct List {
    /// Only these models.
    #[arg(long, value_enum)]
    kind: Option<Kind>,
    #[command(flatten)]
    limit: Limit,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Promote {
    /// The model, e.g. `churn-3`.
    model: String,
    /// What `list` shows as in use; when it is another by now, nothing is done.
    #[arg(long, default_value_t, hide_default_value = true)]
    etag: String,
    #[command(flatten)]
    request: RequestId,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Rollback {
    /// Which model.
    #[arg(value_enum)]
    kind: Kind,
    /// Let the rules stand in, instead of the model that was in use before.
    #[arg(long)]
    to_rules: bool,
    /// What `list` shows as in use; when it is another by now, nothing is done.
    #[arg(long, default_value_t, hide_default_value = true)]
    etag: String,
    #[command(flatten)]
    request: RequestId,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Backtest {
    /// Decides all chance.
    #[arg(long, value_name = "N", default_value_t = 17)]
    seed: u64,
    #[command(flatten)]
    request: RequestId,
}

impl List {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        let request = ListModelsRequest {
            kind: self.kind.map_or(ModelKind::Unspecified, ModelKind::from).into(),
            ..ListModelsRequest::default()
        };
        let send = |channel, request| async move { ModelServiceClient::new(channel).list_models(request).await };
        let found = context.list::<_, _, ModelView, _, _>(NAME, self.limit, request, send);
        context.show(&found.await?)
    }
}

impl Promote {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        context.actor()?;
        let request = PromoteModelRequest {
            model_id: self.model,
            request_id: self.request.text(),
            etag: self.etag,
        };
        let send = |channel, request| async move { ModelServiceClient::new(channel).promote_model(request).await };
        let model = context.ask(NAME, request, send).await?.model;
        context.show(&Seated::new(model.map(ModelView::from)))
    }
}

impl Rollback {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        context.actor()?;
        let request = RollbackModelRequest {
            kind: ModelKind::from(self.kind).into(),
            request_id: self.request.text(),
            etag: self.etag,
            to_rules: self.to_rules,
        };
        let send = |channel, request| async move { ModelServiceClient::new(channel).rollback_model(request).await };
        let model = context.ask(NAME, request, send).await?.model;
        context.show(&Seated::new(model.map(ModelView::from)))
    }
}

/// Asks the service to learn from its history, and waits for the end.
pub(super) async fn train(context: &Context, seed: u64, request: RequestId) -> Result<()> {
    let request = TrainModelRequest {
        seed: i64::try_from(seed)?,
        request_id: request.text(),
    };
    let send = |channel, request| async move { ModelServiceClient::new(channel).train_model(request).await };
    let training = context.ask(NAME, request, send).await?.training;
    let ended = watch(context, training.context("the answer has no training")?).await?;
    context.show(&Trained::from(ended))
}

impl Backtest {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        backtest(context, self.seed, self.request).await
    }
}

/// Asks the service to judge its scores by history, and waits for the end.
pub(super) async fn backtest(context: &Context, seed: u64, request: RequestId) -> Result<()> {
    let request = BacktestScoresRequest {
        seed: i64::try_from(seed)?,
        request_id: request.text(),
    };
    let send = |channel, request| async move { ModelServiceClient::new(channel).backtest_scores(request).await };
    let training = context.ask(NAME, request, send).await?.training;
    let ended = watch(context, training.context("the answer has no training")?).await?;
    context.show(&Judged::from(ended))
}

/// Says what pushed the forecasts of an account up and down.
pub(super) async fn explain(context: &Context, account_id: String, top: usize) -> Result<()> {
    let request = PredictAccountRequest { account_id };
    let send = |channel, request| async move { ModelServiceClient::new(channel).predict_account(request).await };
    let forecasts = context.ask(NAME, request, send).await?.forecasts;
    if forecasts.is_empty() {
        bail!("no model is in use: the rules stand in, and `upswell scores <account>` says why");
    }
    for forecast in forecasts {
        context.show(&ForecastView::new(forecast, top))?;
    }
    Ok(())
}

/// Follows a training to its end; a stream that ends before is taken up again.
async fn watch(context: &Context, mut training: Training) -> Result<Training> {
    while training.end_time.is_none() {
        let request = WatchTrainingRequest {
            training_id: training.training_id.clone(),
        };
        let mut client = ModelServiceClient::new(context.channel(NAME)?);
        let mut stream = client.watch_training(request).await?.into_inner();
        loop {
            match stream.message().await {
                Ok(Some(told)) => training = told.training.unwrap_or(training),
                Ok(None) => break,
                Err(status) if matches!(status.code(), Code::DeadlineExceeded | Code::Cancelled) => break,
                Err(status) => return Err(status.into()),
            }
            if io::stderr().is_terminal() && training.end_time.is_none() {
                eprintln!("{}/{} {}", training.done, training.all, training.detail);
            }
        }
    }
    match training.state() {
        State::Failed => bail!("{}", training.detail),
        State::Cancelled => bail!("it was cancelled"),
        _ => Ok(training),
    }
}
