//! The models in use, and the rules where none stands (SC-5). Which of the two computed a number, and why, goes with it.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{
    Prediction, Reason,
    history::{Day, History, Kind, point},
    metrics::sigmoid,
    trained::{Explained, Trained},
};

/// Reasons that a score keeps of a number.
const REASONS: usize = 6;
/// Effects below this are not told.
const LEAST: f64 = 0.005;

/// What computes a number.
#[derive(Clone, Debug)]
pub enum Seat {
    /// The rules, and why.
    Rules(String),
    /// A model in use.
    Model(Arc<Champion>),
}

/// A model in use.
#[derive(Clone, Debug, PartialEq)]
pub struct Champion {
    /// E.g. `churn-3`.
    pub model_id: String,
    /// The model.
    pub model: Trained,
}

/// What computes the two numbers.
#[derive(Clone, Debug)]
pub struct Champions {
    /// The risk of churn.
    pub churn: Seat,
    /// The propensity to expand.
    pub expansion: Seat,
}

/// What computed a number; kept with the score.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// `churn_risk` or `expansion_propensity`.
    pub score: String,
    /// The model or the rules.
    pub model: String,
    /// Why the rules stand in; empty for a model.
    pub reason: String,
}

/// What the models in use say of an account.
#[derive(Clone, Debug)]
pub struct Foreseen([Foresight; 2]);

/// A number and its reasons, or why there is none.
#[derive(Clone, Debug)]
struct Foresight {
    name: &'static str,
    model: Result<(String, f64, Vec<Reason>), String>,
}

impl Default for Champions {
    fn default() -> Self {
        let none = || Seat::Rules("no model is in use".to_owned());
        Self {
            churn: none(),
            expansion: none(),
        }
    }
}

impl Champions {
    /// True when a model has a seat, so that histories are needed.
    pub fn need_history(&self) -> bool {
        [&self.churn, &self.expansion]
            .into_iter()
            .any(|seat| matches!(seat, Seat::Model(_)))
    }

    /// What they say of an account at the end of `day`. `history` is asked for only when a model needs it.
    pub fn foresee(&self, history: impl FnOnce() -> History, day: Day) -> Foreseen {
        let mut known = Err("no plan is in force".to_owned());
        if self.need_history() {
            let history = history();
            if history.is_customer(day) {
                known = Ok(point(&history, day).into_iter().collect());
            }
        }
        let seats = [
            (score_name(Kind::Churn), &self.churn),
            (score_name(Kind::Expansion), &self.expansion),
        ];
        Foreseen(seats.map(|(name, seat)| {
            let model = match (seat, &known) {
                (Seat::Rules(reason), _) | (Seat::Model(_), Err(reason)) => Err(reason.clone()),
                (Seat::Model(champion), Ok(known)) => Ok(champion.say(name, known)),
            };
            Foresight { name, model }
        }))
    }
}

/// The name of the number that a kind of model computes.
pub fn score_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Churn => "churn_risk",
        Kind::Expansion => "expansion_propensity",
    }
}

impl Champion {
    fn say(&self, name: &str, known: &BTreeMap<String, f64>) -> (String, f64, Vec<Reason>) {
        let explained = self.model.explain(&self.model.row(known));
        let per_margin = per_margin(&self.model, &explained);
        let reason = |(feature, _, effect): &(String, f64, f64)| Reason {
            score: name.to_owned(),
            feature: feature.clone(),
            // Finer steps would move every score every day.
            effect: (effect * per_margin * 100.0).round() / 100.0,
        };
        let mut reasons: Vec<Reason> = explained.effects.iter().take(REASONS).map(reason).collect();
        reasons.retain(|reason| reason.effect.abs() >= LEAST);
        let probability = (explained.probability.clamp(0.001, 0.999) * 1000.0).round() / 1000.0;
        (self.model_id.clone(), probability, reasons)
    }
}

/// How much of a probability one unit of log-odds is on the way from an average account to this one; so the effects,
/// which sum to the distance in log-odds, sum to the distance in probability.
fn per_margin(model: &Trained, explained: &Explained) -> f64 {
    let way = explained.margin - explained.base;
    let average = sigmoid(explained.base);
    if way.abs() < 1e-6 {
        return average * (1.0 - average);
    }
    let calibrated = (explained.probability - model.calibration.apply(average)) / way;
    if calibrated > 1e-3 {
        return calibrated;
    }
    // Both ends on one step of the calibration: what the margin alone would have moved.
    (sigmoid(explained.margin) - average) / way
}

impl Foreseen {
    /// Sets what models said in the place of what rules said.
    pub fn over(self, rules: Prediction, version: &str) -> (Prediction, Vec<Source>) {
        let mut prediction = rules;
        let mut sources = Vec::new();
        for Foresight { name, model } in self.0 {
            let source = |model: String, reason: String| Source {
                score: name.to_owned(),
                model,
                reason,
            };
            match model {
                Ok((model_id, value, reasons)) => {
                    let number = if name == score_name(Kind::Churn) {
                        &mut prediction.churn_risk
                    } else {
                        &mut prediction.expansion_propensity
                    };
                    *number = value;
                    prediction.reasons.retain(|reason| reason.score != name);
                    prediction.reasons.extend(reasons);
                    sources.push(source(model_id, String::new()));
                }
                Err(reason) => sources.push(source(version.to_owned(), reason)),
            }
        }
        prediction
            .reasons
            .sort_by(|a, b| b.effect.abs().total_cmp(&a.effect.abs()));
        (prediction, sources)
    }
}

/// What stands as the version of a score: the rules' alone, or what computed the risk and what the propensity.
pub fn version_of(sources: &[Source]) -> String {
    let mut models: Vec<&str> = sources.iter().map(|source| source.model.as_str()).collect();
    models.dedup();
    models.join(" ")
}
