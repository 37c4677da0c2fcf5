//! Answers about the models of a running service.

use jiff::{Timestamp, civil::Date};
use serde::Serialize;
use upswell_proto::scoring::v1 as pb;

use super::super::output::{Column, Row, View, card, day, decimal, left, part, right, time};
use crate::wire::{date, instant, word};

/// One version.
#[derive(Serialize)]
pub(super) struct ModelView {
    model: String,
    in_use: bool,
    made: Option<Timestamp>,
    candidate: String,
    rows: i64,
    positives: i64,
    auc: Option<f64>,
    average_precision: Option<f64>,
    log_loss: f64,
    brier: f64,
    calibration_error: f64,
    top_lift: f64,
    drift: Option<Drift>,
    verdict: String,
    etag: String,
}

#[derive(Serialize)]
struct Drift {
    predictions: f64,
    feature: f64,
    feature_name: String,
    accounts: i32,
    checked: Option<Timestamp>,
    alarm: bool,
    rules_stand_in: bool,
}

impl From<pb::Model> for ModelView {
    fn from(model: pb::Model) -> Self {
        let drift = |drift: pb::Drift| Drift {
            predictions: drift.predictions,
            feature: drift.feature,
            feature_name: drift.feature_name,
            accounts: drift.accounts,
            checked: instant(drift.check_time.as_ref()),
            alarm: drift.is_alarming,
            rules_stand_in: drift.is_set_aside,
        };
        Self {
            model: model.model_id,
            in_use: model.in_use,
            made: instant(model.create_time.as_ref()),
            candidate: model.candidate,
            rows: model.rows,
            positives: model.positives,
            auc: model.auc,
            average_precision: model.average_precision,
            log_loss: model.log_loss,
            brier: model.brier,
            calibration_error: model.calibration_error,
            top_lift: model.top_lift,
            drift: model.drift.map(drift),
            verdict: model.verdict,
            etag: model.etag,
        }
    }
}

impl ModelView {
    fn use_word(&self) -> &'static str {
        match &self.drift {
            Some(drift) if drift.rules_stand_in => "set aside",
            _ if self.in_use => "in use",
            _ => "",
        }
    }

    fn drift_words(&self) -> String {
        match &self.drift {
            None => "–".to_owned(),
            Some(drift) => {
                let alarm = if drift.alarm { "ALARM " } else { "" };
                let (predictions, feature, name) = (drift.predictions, drift.feature, &drift.feature_name);
                format!("{alarm}{predictions:.2}, {name} {feature:.2}")
            }
        }
    }
}

impl Row for ModelView {
    const COLUMNS: &'static [Column] = &[
        left("model"),
        left(""),
        left("made"),
        right("rows"),
        right("happened in"),
        right("AUC"),
        right("log-loss"),
        right("calibration error"),
        right("top lift"),
        left("drift (PSI)"),
        left("verdict"),
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.model.clone(),
            self.use_word().to_owned(),
            time(self.made),
            self.rows.to_string(),
            self.positives.to_string(),
            figure(self.auc),
            figure(Some(self.log_loss)),
            figure(Some(self.calibration_error)),
            decimal(Some(self.top_lift)),
            self.drift_words(),
            self.verdict.clone(),
        ]
    }
}

fn figure(value: Option<f64>) -> String {
    value.map_or("–".to_owned(), |value| format!("{value:.4}"))
}

/// What is in use now.
#[derive(Serialize)]
pub(super) struct Seated {
    in_use: Option<ModelView>,
}

impl Seated {
    pub(super) fn new(in_use: Option<ModelView>) -> Self {
        Self { in_use }
    }
}

impl View for Seated {
    fn render(&self) -> String {
        match &self.in_use {
            Some(model) => format!("{} is in use; the scores follow with the next scoring", model.model),
            None => "the rules stand in; the scores follow with the next scoring".to_owned(),
        }
    }
}

/// A training that has ended.
#[derive(Serialize)]
pub(super) struct Trained {
    training: String,
    found: Vec<String>,
}

impl From<pb::Training> for Trained {
    fn from(training: pb::Training) -> Self {
        Self {
            training: training.training_id,
            found: training.detail.split("; ").map(str::to_owned).collect(),
        }
    }
}

impl View for Trained {
    fn render(&self) -> String {
        card(&[("training", self.training.clone()), ("found", self.found.join("\n"))])
    }
}

/// How well scores told what happened.
#[derive(Serialize)]
pub(super) struct Judged {
    training: String,
    outcomes: Vec<Outcome>,
}

#[derive(Serialize)]
struct Outcome {
    outcome: String,
    accounts: i32,
    judged_from: Option<Date>,
    refusal: String,
    full_features: i32,
    least_features: i32,
    kept_lift: Option<f64>,
    judgements: Vec<Judgement>,
}

#[derive(Serialize)]
struct Judgement {
    scores: String,
    days_before: i32,
    rows: i64,
    positives: i64,
    auc: Option<f64>,
    auc_low: Option<f64>,
    auc_high: Option<f64>,
    average_precision: Option<f64>,
    top_lift: f64,
    log_loss: Option<f64>,
    brier: Option<f64>,
    calibration_error: Option<f64>,
}

impl From<pb::Training> for Judged {
    fn from(training: pb::Training) -> Self {
        Self {
            training: training.training_id,
            outcomes: training.backtests.into_iter().map(Outcome::from).collect(),
        }
    }
}

impl From<pb::ScoreBacktest> for Outcome {
    fn from(found: pb::ScoreBacktest) -> Self {
        let judgement = |found: pb::ScoreJudgement| Judgement {
            scores: found.source,
            days_before: found.days_before,
            rows: found.rows,
            positives: found.positives,
            auc: found.auc,
            auc_low: found.auc_low,
            auc_high: found.auc_high,
            average_precision: found.average_precision,
            top_lift: found.top_lift,
            log_loss: found.log_loss,
            brier: found.brier,
            calibration_error: found.calibration_error,
        };
        Self {
            outcome: word(found.kind().as_str_name(), "MODEL_KIND"),
            accounts: found.accounts,
            judged_from: date(found.first_day.as_ref()),
            refusal: found.refusal,
            full_features: found.full_features,
            least_features: found.least_features,
            kept_lift: found.kept_lift,
            judgements: found.judgements.into_iter().map(judgement).collect(),
        }
    }
}

impl View for Judged {
    fn render(&self) -> String {
        let outcome = |outcome: &Outcome| {
            let kept = outcome.kept_lift.map_or(String::new(), |kept| {
                let (least, full) = (outcome.least_features, outcome.full_features);
                format!("{:.0} % ({least} of {full} features)", kept * 100.0)
            });
            let lines = [
                ("outcome", outcome.outcome.clone()),
                ("accounts", outcome.accounts.to_string()),
                ("judged from", day(outcome.judged_from)),
                ("refused", outcome.refusal.clone()),
                ("lift kept by the least input", kept),
            ];
            [card(&lines), part("Scores beside what happened", &outcome.judgements)].concat()
        };
        self.outcomes.iter().map(outcome).collect()
    }
}

impl Row for Judgement {
    const COLUMNS: &'static [Column] = &[
        left("scores"),
        left("outcome"),
        right("rows"),
        right("happened in"),
        right("AUC"),
        left("95 % of resamples"),
        right("average precision"),
        right("top lift"),
        right("log-loss"),
        right("calibration error"),
    ];

    fn cells(&self) -> Vec<String> {
        let when = match self.days_before {
            0 => "within 90 days".to_owned(),
            days => format!("{days} days later"),
        };
        let spread = match (self.auc_low, self.auc_high) {
            (Some(low), Some(high)) => format!("{low:.3} to {high:.3}"),
            _ => String::new(),
        };
        vec![
            self.scores.clone(),
            when,
            self.rows.to_string(),
            self.positives.to_string(),
            figure(self.auc),
            spread,
            figure(self.average_precision),
            decimal(Some(self.top_lift)),
            figure(self.log_loss),
            figure(self.calibration_error),
        ]
    }
}

/// What a model in use says of an account, and why.
#[derive(Serialize)]
pub(super) struct ForecastView {
    outcome: String,
    model: String,
    probability: f64,
    /// Log-odds before calibration.
    margin: f64,
    /// Log-odds of an average account.
    base: f64,
    effects: Vec<Effect>,
    /// What the features that are not shown add.
    others: f64,
}

#[derive(Serialize)]
struct Effect {
    feature: String,
    value: Option<f64>,
    effect: f64,
}

impl ForecastView {
    pub(super) fn new(forecast: pb::Forecast, top: usize) -> Self {
        let outcome = word(forecast.kind().as_str_name(), "MODEL_KIND");
        let others = forecast.effects.iter().skip(top).map(|effect| effect.effect).sum();
        let effect = |effect: pb::FeatureEffect| Effect {
            feature: effect.feature,
            value: effect.value,
            effect: effect.effect,
        };
        Self {
            outcome,
            model: forecast.model_id,
            probability: forecast.probability,
            margin: forecast.margin,
            base: forecast.base,
            effects: forecast.effects.into_iter().take(top).map(effect).collect(),
            others,
        }
    }
}

impl View for ForecastView {
    fn render(&self) -> String {
        let lines = [
            ("outcome", self.outcome.clone()),
            ("model", self.model.clone()),
            ("probability", figure(Some(self.probability))),
            ("log-odds", format!("{:+.3}", self.margin)),
            ("of an average account", format!("{:+.3}", self.base)),
            ("all other features", format!("{:+.3}", self.others)),
        ];
        [card(&lines), part("What pushed it, in log-odds", &self.effects)].concat()
    }
}

impl Row for Effect {
    const COLUMNS: &'static [Column] = &[left("feature"), right("value"), right("by")];

    fn cells(&self) -> Vec<String> {
        let value = self.value.map_or("missing".to_owned(), |value| format!("{value}"));
        vec![self.feature.clone(), value, format!("{:+.3}", self.effect)]
    }
}
