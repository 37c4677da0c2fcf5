//! A challenger learns from earlier rows and meets the model in use on later ones.

use super::{
    drift::{Reference, references},
    evaluate::{compare, evaluate},
    frame::{Dataset, Frame},
    metrics::{log_loss, sigmoid},
    train::{Cancelled, Options, Step, train},
    trained::Trained,
};

/// Rows of the rarer outcome that the earlier part must have.
const LEAST: usize = 30;

/// What came of a challenge.
#[derive(Clone, Debug, PartialEq)]
pub struct Challenge {
    /// The challenger; its report is of the later rows.
    pub model: Trained,
    /// It is better than the one in use, or than the base rate, beyond noise.
    pub is_better: bool,
    /// The comparison in words.
    pub verdict: String,
}

/// Too little history to learn from; the rules go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{rows} rows with {rarer} of the rarer outcome before the later quarter, and {later} of it after; {LEAST} are needed"
)]
pub struct TooLittle {
    /// Rows to learn from.
    pub rows: usize,
    /// Of them with the rarer outcome.
    pub rarer: usize,
    /// Later rows with the rarer outcome.
    pub later: usize,
}

/// Learns from the rows whose outcome was known when the later quarter began, and compares on that quarter. A dataset
/// without times is too little. It must win by `margin_percent` of the log-loss beyond noise. Errors: told to stop.
pub fn challenge(
    dataset: &Dataset,
    champion: Option<&Trained>,
    margin_percent: f64,
    options: &Options,
    told: &mut dyn FnMut(Step) -> bool,
) -> Result<Result<Challenge, TooLittle>, Cancelled> {
    let (earlier, later) = split(dataset, options.gap_days);
    let (earlier, later) = (dataset.select(&earlier), dataset.select(&later));
    if let Some(too_little) = TooLittle::of(&earlier, &later) {
        return Ok(Err(too_little));
    }
    let mut model = train(&earlier, options, told)?;
    let given = model.probabilities(&later.frame);
    let (name, known) = match champion {
        Some(champion) => (
            "the model in use",
            champion.probabilities(&aligned(&later.frame, &champion.features)),
        ),
        None => ("the base rate", vec![sigmoid(model.base); later.len()]),
    };
    let verdict = compare(&later.labels, &known, &given, &later.groups, options.seed);
    let (low, high) = verdict.spread;
    let least = log_loss(&later.labels, &known) * margin_percent / 100.0;
    let is_better = verdict.is_better && high < -least;
    let word = match (is_better, verdict.is_better) {
        (true, _) => "better than",
        (false, true) => "better beyond noise, and by less than the margin, than",
        (false, false) => "not better beyond noise than",
    };
    model.report = evaluate(&later.labels, &given, &later.groups, options.seed);
    // Drift is counted from the newest rows: of old ones every account that stayed has moved away by its age alone.
    model.predictions = Some(Reference::of(&given));
    model.references = references(&later.frame);
    Ok(Ok(Challenge {
        is_better,
        verdict: format!(
            "{word} {name}: log-loss {:+.5} ({low:+.5} to {high:+.5}) on later rows",
            verdict.difference
        ),
        model,
    }))
}

impl TooLittle {
    /// What is wrong with the rows to learn from and the later ones, if anything.
    pub(super) fn of(earlier: &Dataset, later: &Dataset) -> Option<Self> {
        let rarer = |rows: &Dataset| rows.positives().min(rows.len() - rows.positives());
        let is_little = rarer(earlier) < LEAST || rarer(later) < LEAST / 3;
        is_little.then(|| Self {
            rows: earlier.len(),
            rarer: rarer(earlier),
            later: rarer(later),
        })
    }
}

/// Rows before the later quarter by `gap` days or more, and the later quarter.
pub(super) fn split(dataset: &Dataset, gap: i32) -> (Vec<usize>, Vec<usize>) {
    let Some(times) = &dataset.times else {
        return (Vec::new(), Vec::new());
    };
    let mut sorted = times.clone();
    sorted.sort_unstable();
    let Some(cut) = sorted.get(sorted.len() * 3 / 4).copied() else {
        return (Vec::new(), Vec::new());
    };
    let rows = || 0..times.len();
    let earlier = rows().filter(|row| times[*row].saturating_add(gap) <= cut).collect();
    (earlier, rows().filter(|row| times[*row] >= cut).collect())
}

/// The features `names` of a frame; those it does not have are gaps.
pub fn aligned(frame: &Frame, names: &[String]) -> Frame {
    let column = |name: &String| {
        let index = frame.names().iter().position(|known| known == name);
        index.map_or_else(|| vec![f64::NAN; frame.rows()], |index| frame.column(index).to_vec())
    };
    Frame::new(names.to_vec(), names.iter().map(column).collect())
}
