//! Models learnt from the facts of ingestion, over the wire.

use tonic::{Code, Request};
use upswell_proto::{
    gtype,
    ingestion::v1::{AccountFacts, DailySeries, SeriesKind, SubscriptionTerms, subscription_terms::Kind},
    scoring::v1::{
        CancelTrainingRequest, ListModelsRequest, Model, ModelKind, PredictAccountRequest, PromoteModelRequest,
        RollbackModelRequest, TrainModelRequest, Training, WatchTrainingRequest, training::State,
    },
    vocabulary::v1::BillingPeriod,
};
use upswell_runtime::db::{epoch_day, from_epoch_day};
use uuid::Uuid;

use crate::world::World;

fn date(day: i32) -> gtype::Date {
    let day = from_epoch_day(day);
    gtype::Date {
        year: day.year().into(),
        month: day.month().into(),
        day: day.day().into(),
    }
}

/// A customer since May 2024. Every second one leaves some day, and two of three of those use little in the three months
/// before.
fn customer(index: i32) -> AccountFacts {
    let today = epoch_day("2026-10-19".parse().unwrap());
    let start = epoch_day("2024-05-01".parse().unwrap()) + index % 30;
    let end = (index % 2 == 0).then_some(start + 200 + index * 37 % 680);
    let days: Vec<i32> = (start..end.unwrap_or(today)).step_by(7).collect();
    let fades = |day: i32| index % 3 != 0 && end.is_some_and(|end| end - day < 100);
    let values = days.iter().map(|day| {
        if fades(*day) {
            15
        } else {
            90 + i64::from((index + day) % 20)
        }
    });
    AccountFacts {
        account_id: format!("account-{index}"),
        subscriptions: vec![SubscriptionTerms {
            subscription_id: format!("plan-{index}"),
            product: "pro".to_owned(),
            kind: Kind::Plan.into(),
            unit_price: Some(gtype::Money {
                currency_code: "USD".to_owned(),
                units: 100,
                nanos: 0,
            }),
            quantity: 1,
            period: BillingPeriod::Month.into(),
            effective_date: Some(date(start)),
            end_date: end.map(date),
            seats: 5,
            ..SubscriptionTerms::default()
        }],
        series: vec![DailySeries {
            kind: SeriesKind::Usage.into(),
            name: "calls".to_owned(),
            values: values.collect(),
            days,
        }],
        ..AccountFacts::default()
    }
}

impl World {
    async fn train(&mut self, id: u128) -> Training {
        let request = TrainModelRequest {
            seed: 5,
            request_id: Uuid::from_u128(id).to_string(),
        };
        self.models
            .train_model(request)
            .await
            .unwrap()
            .into_inner()
            .training
            .unwrap()
    }

    /// How the training stands at the end.
    async fn watched(&mut self, training_id: String) -> Training {
        let mut stream = self
            .models
            .watch_training(WatchTrainingRequest { training_id })
            .await
            .unwrap()
            .into_inner();
        let mut last = None;
        while let Some(told) = stream.message().await.unwrap() {
            last = told.training;
        }
        last.unwrap()
    }

    async fn all_models(&mut self) -> Vec<Model> {
        self.models
            .list_models(ListModelsRequest::default())
            .await
            .unwrap()
            .into_inner()
            .models
    }

    async fn probability(&mut self, account_id: &str) -> f64 {
        let request = PredictAccountRequest {
            account_id: account_id.to_owned(),
        };
        let forecasts = self
            .models
            .predict_account(request)
            .await
            .unwrap()
            .into_inner()
            .forecasts;
        let sum: f64 = forecasts[0].base + forecasts[0].effects.iter().map(|effect| effect.effect).sum::<f64>();
        assert!((sum - forecasts[0].margin).abs() < 1e-9, "reasons sum to the margin");
        forecasts[0].probability
    }
}

fn by_a_person<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request
        .metadata_mut()
        .insert("x-upswell-actor", "anna".parse().unwrap());
    request
}

#[tokio::test]
async fn sc5_models_are_trained_from_facts_promoted_and_rolled_back() {
    let mut world = World::new().await;
    (0..160).for_each(|index| world.double.knows(customer(index)));
    let training = world.train(1).await;
    assert_eq!(training.state(), State::Waiting);
    assert_eq!(world.train(2).await.training_id, training.training_id, "one at a time");
    world.tick().await;
    let ended = world.watched(training.training_id.clone()).await;
    assert_eq!(ended.state(), State::Done, "{}", ended.detail);
    assert!(
        ended.detail.contains("expansion: ") && ended.detail.contains("are needed"),
        "{}",
        ended.detail
    );
    let models = world.all_models().await;
    assert!(
        models.len() == 1 && models[0].model_id == "churn-1" && models[0].in_use,
        "{models:?}"
    );
    assert!(
        models[0].auc() > 0.65 && models[0].verdict.contains("better than the base rate"),
        "{models:?}"
    );

    // The same history and seed give the same model, which is no better.
    assert_eq!(
        world.train(1).await.state(),
        State::Done,
        "the same request is the same training"
    );
    let again = world.train(3).await;
    world.tick().await;
    assert_eq!(world.watched(again.training_id).await.state(), State::Done);
    let second = world
        .all_models()
        .await
        .into_iter()
        .find(|model| model.model_id == "churn-2")
        .unwrap();
    assert!(
        !second.in_use && second.verdict.starts_with("not better"),
        "{}",
        second.verdict
    );

    // It is asked about a customer as any other; the one who fades is at a higher risk.
    let mut fading = customer(1);
    fading.account_id = "fading".to_owned();
    let last = fading.series[0].values.len();
    fading.series[0].values[last - 10..].fill(15);
    world.double.knows(fading);
    let (risky, usual) = (world.probability("fading").await, world.probability("account-1").await);
    assert!(risky > 2.0 * usual, "{risky} beside {usual}");

    let promote = || PromoteModelRequest {
        model_id: "churn-2".to_owned(),
    };
    let refused = world.models.promote_model(promote()).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
    world.models.promote_model(by_a_person(promote())).await.unwrap();
    let back = || {
        by_a_person(RollbackModelRequest {
            kind: ModelKind::Churn.into(),
        })
    };
    let model = world
        .models
        .rollback_model(back())
        .await
        .unwrap()
        .into_inner()
        .model
        .unwrap();
    assert_eq!(model.model_id, "churn-1");
    let refused = world.models.rollback_model(back()).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    let used: Vec<bool> = world.all_models().await.iter().map(|model| model.in_use).collect();
    assert_eq!(used.iter().filter(|in_use| **in_use).count(), 1);
}

#[tokio::test]
async fn sc5_a_training_is_cancelled_and_too_little_history_is_said() {
    let mut world = World::new().await;
    let training_id = world.train(1).await.training_id;
    let request = CancelTrainingRequest {
        training_id: training_id.clone(),
    };
    let cancelled = world
        .models
        .cancel_training(request)
        .await
        .unwrap()
        .into_inner()
        .training
        .unwrap();
    assert_eq!(cancelled.state(), State::Cancelled);
    world.tick().await;
    assert_eq!(world.watched(training_id).await.state(), State::Cancelled);

    (0..6).for_each(|index| world.double.knows(customer(index)));
    let training_id = world.train(2).await.training_id;
    world.tick().await;
    let ended = world.watched(training_id).await;
    assert_eq!(ended.state(), State::Failed);
    assert!(
        ended.detail.contains("churn: ") && ended.detail.contains("are needed"),
        "{}",
        ended.detail
    );
    assert!(world.all_models().await.is_empty());
    let nobody = PredictAccountRequest {
        account_id: "nobody".to_owned(),
    };
    assert_eq!(
        world.models.predict_account(nobody).await.unwrap_err().code(),
        Code::NotFound
    );
}
