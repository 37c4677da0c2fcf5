//! Models learnt from the facts of ingestion, over the wire.

use tonic::{Code, Request};
use upswell_proto::{
    gtype,
    ingestion::v1::{AccountFacts, DailySeries, SeriesKind, SubscriptionTerms, subscription_terms::Kind},
    scoring::v1::{
        BacktestScoresRequest, CancelTrainingRequest, ListModelsRequest, Model, ModelKind, PredictAccountRequest,
        PromoteModelRequest, RescoreAccountsRequest, RollbackModelRequest, TrainModelRequest, Training,
        WatchTrainingRequest, training::State,
    },
    vocabulary::v1::BillingPeriod,
};
use upswell_runtime::{
    db::{epoch_day, from_epoch_day},
    ids,
};
use upswell_scoring::{app::models::State as Where, store};
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
    customer_since(epoch_day("2024-05-01".parse().unwrap()) + index % 30, index)
}

fn customer_since(start: i32, index: i32) -> AccountFacts {
    let today = epoch_day("2026-10-19".parse().unwrap());
    let end = (index % 2 == 0).then_some(start + 200 + index * 37 % 680);
    let days: Vec<i32> = (start..end.unwrap_or(today).min(today)).step_by(7).collect();
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

impl World {
    async fn back(&mut self, id: u128, etag: &str, to_rules: bool) -> Result<Option<Model>, tonic::Status> {
        let request = RollbackModelRequest {
            kind: ModelKind::Churn.into(),
            request_id: Uuid::from_u128(id).to_string(),
            etag: etag.to_owned(),
            to_rules,
        };
        let answer = self.models.rollback_model(by_a_person(request)).await?;
        Ok(answer.into_inner().model)
    }

    async fn rescore(&mut self, account_ids: &[&str]) {
        let request = RescoreAccountsRequest {
            account_ids: account_ids.iter().map(|id| (*id).to_owned()).collect(),
            request_id: ids::derive("rescore", &[&self.next().to_string()]).to_string(),
        };
        self.scoring.rescore_accounts(request).await.unwrap();
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

    let promote = |id: u128, etag: &str| PromoteModelRequest {
        model_id: "churn-2".to_owned(),
        request_id: Uuid::from_u128(id).to_string(),
        etag: etag.to_owned(),
    };
    let refused = world.models.promote_model(promote(10, "")).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
    let stale = by_a_person(promote(11, "churn-7"));
    assert_eq!(
        world.models.promote_model(stale).await.unwrap_err().code(),
        Code::Aborted
    );
    world
        .models
        .promote_model(by_a_person(promote(12, "churn-1")))
        .await
        .unwrap();
    let model = world.back(20, "churn-2", false).await.unwrap();
    assert_eq!(model.unwrap().model_id, "churn-1");
    // Sent again it is answered again, and does nothing.
    world
        .models
        .promote_model(by_a_person(promote(12, "churn-1")))
        .await
        .unwrap();
    let other = PromoteModelRequest {
        model_id: "churn-1".to_owned(),
        ..promote(12, "churn-1")
    };
    let reused = world.models.promote_model(by_a_person(other)).await.unwrap_err();
    assert_eq!(reused.code(), Code::InvalidArgument);
    let refused = world.back(21, "", false).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    let used: Vec<Model> = world.all_models().await;
    let used: Vec<&str> = used
        .iter()
        .filter(|model| model.in_use)
        .map(|model| model.model_id.as_str())
        .collect();
    assert_eq!(used, ["churn-1"]);
}

#[tokio::test]
async fn sc5_scores_come_from_the_model_in_use_with_its_reasons_and_from_the_rules_with_the_reason() {
    let mut world = World::new().await;
    let mut fading = customer(1);
    fading.account_id = "fading".to_owned();
    let last = fading.series[0].values.len();
    fading.series[0].values[last - 10..].fill(15);
    world.double.knows(fading);
    world.changed("fading").await;
    world.drain().await;
    let by_rules = world.score("fading").await;
    assert_eq!(by_rules.model_version, "rules-1");
    let reasons: Vec<&str> = by_rules.sources.iter().map(|source| source.reason.as_str()).collect();
    assert_eq!(reasons, ["no model is in use"; 2]);

    (0..160).for_each(|index| world.double.knows(customer(index)));
    let training = world.train(1).await;
    world.tick().await;
    world.watched(training.training_id).await;
    world.rescore(&["fading", "account-1", "account-0"]).await;
    let score = world.score("fading").await;
    assert_eq!(score.model_version, "churn-1 rules-1");
    let sources: Vec<(&str, &str)> = score
        .sources
        .iter()
        .map(|source| (source.score.as_str(), source.model.as_str()))
        .collect();
    assert_eq!(
        sources,
        [("churn_risk", "churn-1"), ("expansion_propensity", "rules-1")]
    );
    assert!(
        score.sources[1].reason.starts_with("too little history: "),
        "{}",
        score.sources[1].reason
    );
    // The same number as asked of the model, and what pushed it.
    let asked = world.probability("fading").await;
    assert!(
        (score.churn_risk - asked).abs() <= 0.001,
        "{} and {asked}",
        score.churn_risk
    );
    let strongest = score
        .reasons
        .iter()
        .find(|reason| reason.score == "churn_risk")
        .unwrap();
    assert!(
        (strongest.feature.contains("calls") || strongest.feature == "events") && strongest.effect > 0.05,
        "{strongest:?}"
    );
    assert!(score.churn_risk > 2.0 * world.score("account-1").await.churn_risk);
    // A customer that has left has no contract that a model could look at.
    let gone = world.score("account-0").await;
    assert_eq!(
        (gone.model_version.as_str(), gone.sources[0].reason.as_str()),
        ("rules-1", "no plan is in force")
    );

    world.back(1, "churn-1", true).await.unwrap();
    world.rescore(&["fading"]).await;
    let back = world.score("fading").await;
    assert_eq!(
        (back.model_version.as_str(), back.churn_risk),
        ("rules-1", by_rules.churn_risk)
    );
    assert_eq!(back.sources[0].reason, "anna put the rules in use");
}

#[tokio::test]
async fn sc5_drift_is_told_and_far_drift_lets_the_rules_stand_in() {
    // New customers came all the time, so that their age is the same on any day.
    let someone = |index: i32| customer_since(epoch_day("2023-10-01".parse().unwrap()) + index * 37 % 1000, index);
    let mut world = World::new().await;
    for index in 0..400 {
        world.double.knows(someone(index));
        world.changed(&format!("account-{index}")).await;
    }
    let training = world.train(1).await;
    world.tick().await;
    let ended = world.watched(training.training_id).await;
    assert_eq!(ended.state(), State::Done, "{}", ended.detail);
    world.tick().await;
    let calm = world.all_models().await.remove(0).drift.unwrap();
    assert!(
        calm.accounts >= 60 && calm.predictions < 1.0 && !calm.is_set_aside,
        "{calm:?}"
    );

    // The next day everybody uses little.
    for index in 0..400 {
        let mut other = someone(index);
        other.series[0].values.fill(15);
        world.double.knows(other);
    }
    world.set("2026-10-21T12:00:00+05:00");
    world.tick().await;
    let moved = world.all_models().await.remove(0).drift.unwrap();
    assert!(moved.is_alarming && moved.is_set_aside, "{moved:?}");
    assert!(
        moved.feature_name.contains("calls") || moved.feature_name == "events",
        "{moved:?}"
    );
    world.rescore(&["account-1"]).await;
    let score = world.score("account-1").await;
    assert_eq!(score.model_version, "rules-1");
    assert!(
        score.sources[0].reason.starts_with("churn-1 has drifted: PSI "),
        "{}",
        score.sources[0].reason
    );
}

#[tokio::test]
async fn sc6_scores_are_judged_by_what_happened_60_and_90_days_later() {
    let mut world = World::new().await;
    (0..160).for_each(|index| world.double.knows(customer(index)));
    let request = BacktestScoresRequest {
        seed: 5,
        request_id: Uuid::from_u128(9).to_string(),
    };
    let asked = world.models.backtest_scores(request).await.unwrap().into_inner();
    let refused = TrainModelRequest {
        seed: 5,
        request_id: Uuid::from_u128(10).to_string(),
    };
    let refused = world.models.train_model(refused).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition, "one at a time");
    world.tick().await;
    let ended = world.watched(asked.training.unwrap().training_id).await;
    assert_eq!(ended.state(), State::Done, "{}", ended.detail);
    assert!(world.all_models().await.is_empty(), "a judgement makes no model");
    let churn = &ended.backtests[0];
    let auc = |source: &str, days: i32| {
        let found = churn
            .judgements
            .iter()
            .find(|one| one.source == source && one.days_before == days);
        found.map(|one| (one.auc(), one.rows, one.log_loss.is_some()))
    };
    // Who fades does so in the 99 days before the end, so that 60 days before a model sees it and 90 days before hardly.
    let (within, rows, has_loss) = auc("model", 0).unwrap();
    assert!(within > 0.65 && has_loss, "{churn:?}");
    let (at_60, fewer, no_loss) = auc("model", 60).unwrap();
    assert!(at_60 > 0.55 && fewer < rows && !no_loss, "{churn:?}");
    assert!(auc("model", 90).is_some() && auc("rules", 60).is_some() && auc("least_input", 60).is_some());
    assert_eq!(auc("told", 60), None, "nothing was told yet");
    // Use is all that tells: without it next to nothing is left.
    assert!(churn.least_features < churn.full_features);
    assert!(churn.kept_lift() < 0.6, "{churn:?}");
    assert!(ended.backtests[1].refusal.contains("are needed"), "{ended:?}");
}

#[tokio::test]
async fn sc5_a_killed_training_begins_anew_when_its_lease_is_over_and_not_before() {
    let mut world = World::new().await;
    (0..160).for_each(|index| world.double.knows(customer(index)));
    let asked = world.train(1).await;
    // Another replica took it, told of one step, and was killed.
    let db = &world.service.db;
    let mut held = store::training_fetch(db.reader(), &asked.training_id)
        .await
        .unwrap()
        .unwrap();
    let lease = world.now() + jiff::SignedDuration::from_mins(10);
    (held.state, held.done, held.lease_until) = (Where::Running, 3, upswell_runtime::db::micros(lease));
    let tx = db.begin().await.unwrap();
    assert!(store::training_update(&tx, &held, 0).await.unwrap());
    assert!(
        !store::training_update(&tx, &held, 0).await.unwrap(),
        "of two that take it one gets it"
    );
    tx.commit().await.unwrap();
    world.tick().await;
    assert!(world.all_models().await.is_empty(), "it is held");
    world.set("2026-10-20T12:09:59+05:00");
    world.tick().await;
    assert!(world.all_models().await.is_empty(), "it is still held");
    world.set("2026-10-20T12:10:01+05:00");
    world.tick().await;
    let ended = world.watched(asked.training_id).await;
    assert_eq!(ended.state(), State::Done, "{}", ended.detail);
    assert_eq!(world.all_models().await.len(), 1, "once");
    // The killed one, had it lived on, finds its lease gone.
    let tx = world.service.db.begin().await.unwrap();
    assert!(
        !store::training_update(&tx, &held, held.lease_until).await.unwrap(),
        "the end stands"
    );
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
