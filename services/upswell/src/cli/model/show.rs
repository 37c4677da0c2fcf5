//! Answers about models.

use std::path::Path;

use serde::Serialize;
use upswell_scoring::domain::model::{
    evaluate::{Report, Segment},
    metrics::Bin,
    trained::{Choice, Explained},
};

use super::{
    super::output::{Column, Row, View, card, left, part, right},
    files::ModelFile,
};

/// How good a model is.
#[derive(Serialize)]
pub(super) struct Evaluated {
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    choice: Option<Choice>,
    #[serde(skip_serializing_if = "Option::is_none")]
    calibration: Option<&'static str>,
    /// Features of which is told how many rows ago they moved.
    features_with_past: usize,
    rows_without_label: usize,
    left_out: Vec<LeftOut>,
    report: Report,
    drift: Vec<Drift>,
}

#[derive(Serialize)]
struct LeftOut {
    column: String,
    reason: String,
}

#[derive(Serialize)]
struct Drift {
    feature: String,
    psi: f64,
}

#[derive(Serialize)]
struct Candidate {
    name: String,
    log_loss: f64,
}

#[derive(Serialize)]
struct Tenth {
    tenth: usize,
    lift: f64,
}

impl Evaluated {
    /// Of a model that was just learnt: on rows that each part of it had not seen.
    pub(super) fn trained(file: &ModelFile, unlabelled: usize, out: &Path) -> Self {
        let left = |(column, reason): &(String, String)| LeftOut {
            column: column.clone(),
            reason: reason.clone(),
        };
        Self {
            model: Some(out.display().to_string()),
            choice: Some(file.taught.model.choice.clone()),
            calibration: Some(file.taught.model.calibration.name()),
            features_with_past: file.reading.past.as_ref().map_or(0, |past| past.features.len()),
            rows_without_label: unlabelled,
            left_out: file.reading.left_out.iter().map(left).collect(),
            report: file.taught.model.report.clone(),
            drift: Vec::new(),
        }
    }

    /// Of a model on a table.
    pub(super) fn judged(report: Report, drifts: Vec<(String, f64)>, unlabelled: usize) -> Self {
        let moved = drifts.into_iter().filter(|(_, psi)| *psi >= 0.1);
        Self {
            model: None,
            choice: None,
            calibration: None,
            features_with_past: 0,
            rows_without_label: unlabelled,
            left_out: Vec::new(),
            report,
            drift: moved.map(|(feature, psi)| Drift { feature, psi }).collect(),
        }
    }
}

fn figure(value: Option<f64>) -> String {
    value.map_or("–".to_owned(), |value| format!("{value:.4}"))
}

fn spread(value: Option<f64>, spread: Option<(f64, f64)>) -> String {
    spread.map_or_else(
        || figure(value),
        |(low, high)| format!("{} ({low:.4} to {high:.4})", figure(value)),
    )
}

fn earlier(features: usize) -> String {
    if features == 0 {
        return String::new();
    }
    format!("tell when {features} features last moved")
}

impl View for Evaluated {
    fn render(&self) -> String {
        let report = &self.report;
        let choice = self.choice.as_ref();
        let held_out = choice.map_or(String::new(), |choice| {
            format!("by {}, by a model that had not seen them", choice.held_out_by)
        });
        let lines = [
            ("model", self.model.clone().unwrap_or_default()),
            (
                "chosen",
                choice.map_or(String::new(), |choice| choice.candidate.clone()),
            ),
            ("note", choice.map_or(String::new(), |choice| choice.reason.clone())),
            ("earlier rows", earlier(self.features_with_past)),
            ("calibration", self.calibration.unwrap_or_default().to_owned()),
            ("rows held out", held_out),
            ("rows judged", report.rows.to_string()),
            ("happened in", report.positives.to_string()),
            (
                "without label",
                if self.rows_without_label > 0 {
                    self.rows_without_label.to_string()
                } else {
                    String::new()
                },
            ),
            ("AUC", spread(report.auc, report.auc_spread)),
            ("average precision", figure(report.average_precision)),
            ("log-loss", spread(Some(report.log_loss), Some(report.log_loss_spread))),
            ("Brier score", figure(Some(report.brier))),
            ("calibration error", figure(Some(report.calibration_error))),
        ];
        let candidate = |(name, log_loss): &(String, f64)| Candidate {
            name: name.clone(),
            log_loss: *log_loss,
        };
        let candidates: Vec<Candidate> =
            choice.map_or(Vec::new(), |choice| choice.candidates.iter().map(candidate).collect());
        let tenths: Vec<Tenth> = report
            .lifts
            .iter()
            .enumerate()
            .map(|(index, lift)| Tenth {
                tenth: index + 1,
                lift: *lift,
            })
            .collect();
        [
            card(&lines),
            part("Candidates", &candidates),
            part("Calibration", &report.curve),
            part("Lift, the highest tenth first", &tenths),
            part("By segment", &report.segments),
            part("Columns left out", &self.left_out),
            part("Features that have moved since training (PSI)", &self.drift),
        ]
        .concat()
    }
}

impl Row for Candidate {
    const COLUMNS: &'static [Column] = &[left("candidate"), right("held-out log-loss")];

    fn cells(&self) -> Vec<String> {
        vec![self.name.clone(), figure(Some(self.log_loss))]
    }
}

impl Row for Bin {
    const COLUMNS: &'static [Column] = &[right("rows"), right("predicted"), right("happened")];

    fn cells(&self) -> Vec<String> {
        vec![
            self.rows.to_string(),
            figure(Some(self.predicted)),
            figure(Some(self.happened)),
        ]
    }
}

impl Row for Tenth {
    const COLUMNS: &'static [Column] = &[right("tenth"), right("lift")];

    fn cells(&self) -> Vec<String> {
        vec![self.tenth.to_string(), format!("{:.2}", self.lift)]
    }
}

impl Row for Segment {
    const COLUMNS: &'static [Column] = &[
        left("segment"),
        right("rows"),
        right("happened in"),
        right("predicted"),
        right("AUC"),
        right("log-loss"),
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.name.clone(),
            self.rows.to_string(),
            self.positives.to_string(),
            figure(Some(self.predicted)),
            figure(self.auc),
            figure(Some(self.log_loss)),
        ]
    }
}

impl Row for LeftOut {
    const COLUMNS: &'static [Column] = &[left("column"), left("because")];

    fn cells(&self) -> Vec<String> {
        vec![self.column.clone(), self.reason.clone()]
    }
}

impl Row for Drift {
    const COLUMNS: &'static [Column] = &[left("feature"), right("PSI")];

    fn cells(&self) -> Vec<String> {
        vec![self.feature.clone(), format!("{:.3}", self.psi)]
    }
}

/// Predictions were written.
#[derive(Serialize)]
pub(super) struct Written {
    predictions: String,
    rows: usize,
    mean_probability: f64,
    columns_unknown_to_the_model: Vec<String>,
}

impl Written {
    pub(super) fn new(path: &Path, probabilities: &[f64], unknown: Vec<String>) -> Self {
        Self {
            predictions: path.display().to_string(),
            rows: probabilities.len(),
            mean_probability: probabilities.iter().sum::<f64>() / probabilities.len().max(1) as f64,
            columns_unknown_to_the_model: unknown,
        }
    }
}

impl View for Written {
    fn render(&self) -> String {
        card(&[
            ("predictions", self.predictions.clone()),
            ("rows", self.rows.to_string()),
            ("mean probability", figure(Some(self.mean_probability))),
            ("unknown to the model", self.columns_unknown_to_the_model.join(", ")),
        ])
    }
}

/// Why a row stands where it stands.
#[derive(Serialize)]
pub(super) struct Reasons {
    row: String,
    probability: f64,
    /// Log-odds before calibration.
    margin: f64,
    /// Log-odds of an average row.
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

impl Reasons {
    pub(super) fn new(row: String, explained: Explained, top: usize) -> Self {
        let Explained {
            probability,
            margin,
            base,
            effects,
        } = explained;
        let others = effects.iter().skip(top).map(|(_, _, effect)| effect).sum();
        let effect = |(feature, value, effect): (String, f64, f64)| Effect {
            feature,
            value: (!value.is_nan()).then_some(value),
            effect,
        };
        let effects = effects.into_iter().take(top).map(effect).collect();
        Self {
            row,
            probability,
            margin,
            base,
            effects,
            others,
        }
    }
}

impl View for Reasons {
    fn render(&self) -> String {
        let lines = [
            ("row", self.row.clone()),
            ("probability", figure(Some(self.probability))),
            ("log-odds", format!("{:+.3}", self.margin)),
            ("of an average row", format!("{:+.3}", self.base)),
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
