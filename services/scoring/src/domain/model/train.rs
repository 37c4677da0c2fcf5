//! Trains: candidates learn on folds, held-out log-loss chooses, other rows calibrate, and the winner learns again from
//! all rows.

mod candidates;

use self::candidates::{Candidate, Margins, blend, candidates};
use super::{
    calibrate::{self, Calibration},
    drift::{self, Reference},
    evaluate::{Report, evaluate},
    folds::folds,
    frame::Dataset,
    logistic::Logistic,
    metrics::{log_loss, logit, sigmoid},
    trained::{Choice, Trained},
    trees::Trees,
};

/// How to train.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Decides folds and trees.
    pub seed: u64,
    /// Parts that take turns in being held out.
    pub folds: usize,
    /// Days until the outcome of a row is known; only where times are.
    pub gap_days: i32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 17,
            folds: 5,
            gap_days: 90,
        }
    }
}

/// Rows of the rarer outcome below which nothing but the base rate can be said.
const LEAST: usize = 10;
/// Rows of the rarer outcome below which trees would only learn noise.
const LEAST_FOR_TREES: usize = 60;
/// Share of the log-loss by which a calibration must be better than none.
const WORTH: f64 = 0.0005;

/// A step of training that was finished.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Steps done.
    pub done: usize,
    /// Steps in all.
    pub all: usize,
    /// What was done, in words.
    pub what: String,
}

/// Somebody asked to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("training was cancelled")]
pub struct Cancelled;

/// Trains on a dataset. `told` hears of every step and says whether to go on. With too little to learn from the model
/// is the base rate, and says so. Errors: `told` said no.
pub fn train(dataset: &Dataset, options: &Options, told: &mut dyn FnMut(Step) -> bool) -> Result<Trained, Cancelled> {
    let rarer = dataset.positives().min(dataset.len() - dataset.positives());
    let mut reason = String::new();
    if rarer < LEAST {
        reason = format!(
            "only {rarer} rows of the rarer outcome, {LEAST} are needed: the base rate is all that can be said"
        );
        return Ok(base_rate(dataset, options, reason));
    }
    let folds = folds(dataset, options.folds, options.gap_days, options.seed);
    let with_trees = rarer >= LEAST_FOR_TREES && dataset.len() >= 300;
    if !with_trees {
        reason = format!(
            "only {rarer} rows of the rarer outcome in {}: trees were not tried",
            dataset.len()
        );
    }
    if folds.is_empty() {
        reason = "all rows belong to one account: nothing can be held out".to_owned();
        return Ok(base_rate(dataset, options, reason));
    }
    let list = candidates(with_trees);
    let all = list.len() + 2;
    let mut margins = Margins::new(dataset, &folds, options.seed);
    let mut judged: Vec<(Candidate, Vec<f64>, f64)> = Vec::new();
    for candidate in list {
        let (candidate, held) = margins.judge(candidate);
        let loss = loss(&margins.labels, &held);
        let step = Step {
            done: judged.len() + 1,
            all,
            what: format!("{}: held-out log-loss {loss:.4}", candidate.name()),
        };
        judged.push((candidate, held, loss));
        if !told(step) {
            return Err(Cancelled);
        }
    }
    judged.extend(blend(&judged, &margins.labels));
    judged.sort_by(|a, b| a.2.total_cmp(&b.2));
    let (winner, held, _) = judged[0].clone();
    let given: Vec<f64> = held.iter().map(|margin| sigmoid(*margin)).collect();
    let choose = if margins.is_in_time {
        calibrate::choose_in_time
    } else {
        calibrate::choose
    };
    let (calibration, given) = choose(&margins.labels, &given, &margins.folds, WORTH);
    let report = evaluate(&margins.labels, &given, &margins.groups, options.seed);
    if !told(Step {
        done: all - 1,
        all,
        what: format!("{} won, calibration {}", winner.name(), calibration.name()),
    }) {
        return Err(Cancelled);
    }
    let choice = Choice {
        candidate: winner.name(),
        candidates: judged
            .iter()
            .map(|(candidate, _, loss)| (candidate.name(), *loss))
            .collect(),
        held_out_by: if margins.is_in_time { "time" } else { "group" }.to_owned(),
        reason,
        rows: dataset.len(),
        positives: dataset.positives(),
        seed: options.seed,
    };
    let mut trained = finish(dataset, &winner, &mut margins, calibration, choice, report);
    trained.predictions = Some(Reference::of(&given));
    told(Step {
        done: all,
        all,
        what: "learnt from all rows".to_owned(),
    });
    Ok(trained)
}

fn loss(labels: &[bool], margins: &[f64]) -> f64 {
    let given: Vec<f64> = margins.iter().map(|margin| sigmoid(*margin)).collect();
    log_loss(labels, &given)
}

/// The winner learns from all rows: a regression anew, trees as the mean of the folds or, in time, anew.
fn finish(
    dataset: &Dataset,
    winner: &Candidate,
    margins: &mut Margins<'_>,
    calibration: Calibration,
    choice: Choice,
    report: Report,
) -> Trained {
    let (mut logistic, mut trees) = (None, None);
    for (share, part) in winner.parts() {
        match part {
            Candidate::Logistic { ridge, logarithm } => {
                logistic = Some((
                    share,
                    Logistic::fit(&dataset.frame, &dataset.labels, *ridge, *logarithm),
                ));
            }
            Candidate::Trees { name, settings, rounds } => {
                let grown = margins.mean_trees(name).unwrap_or_else(|| {
                    // All rows bear a little more than the folds did.
                    let rounds = rounds + rounds / 10;
                    Trees::fit(&dataset.frame, &dataset.labels, settings, rounds, choice.seed)
                });
                trees = Some((share, grown));
            }
            Candidate::Blend { .. } => {}
        }
    }
    Trained {
        features: dataset.frame.names().to_vec(),
        base: base(dataset),
        logistic,
        trees,
        calibration,
        choice,
        report,
        references: drift::references(&dataset.frame),
        predictions: None,
    }
}

fn base(dataset: &Dataset) -> f64 {
    logit((dataset.positives() as f64 + 0.5) / (dataset.len() as f64 + 1.0))
}

fn base_rate(dataset: &Dataset, options: &Options, reason: String) -> Trained {
    let base = base(dataset);
    let given = vec![sigmoid(base); dataset.len()];
    Trained {
        features: dataset.frame.names().to_vec(),
        base,
        logistic: None,
        trees: None,
        calibration: Calibration::None,
        choice: Choice {
            candidate: "base rate".to_owned(),
            candidates: Vec::new(),
            held_out_by: "nothing".to_owned(),
            reason,
            rows: dataset.len(),
            positives: dataset.positives(),
            seed: options.seed,
        },
        report: evaluate(&dataset.labels, &given, &dataset.groups, options.seed),
        references: drift::references(&dataset.frame),
        predictions: None,
    }
}
