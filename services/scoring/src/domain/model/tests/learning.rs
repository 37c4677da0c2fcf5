//! What a whole training does.

use super::rows;
use crate::domain::model::{
    evaluate::{compare, evaluate},
    folds::folds,
    metrics,
    train::{Cancelled, Options, train},
    trained::Trained,
};

fn trained(count: usize) -> Trained {
    train(&rows(count, 1), &Options::default(), &mut |_| true).unwrap()
}

#[test]
fn sc5_a_model_learns_what_there_is_to_learn_and_says_how_well() {
    let model = trained(2400);
    let later = rows(2000, 99);
    let given = model.probabilities(&later.frame);
    let auc = metrics::auc(&later.labels, &given);
    assert!(auc > 0.80, "auc on new rows {auc}");
    let told = model.report.auc.unwrap();
    assert!((auc - told).abs() < 0.03, "held out {told}, on new rows {auc}");
    let report = evaluate(&later.labels, &given, &later.groups, 1);
    assert!(
        report.calibration_error < 0.05,
        "calibration error {}",
        report.calibration_error
    );
    assert_eq!(model.choice.held_out_by, "group");
    assert!(model.choice.candidates.len() >= 4, "{:?}", model.choice.candidates);
}

#[test]
fn sc5_the_same_seed_gives_the_same_model() {
    assert_eq!(trained(800), trained(800));
}

#[test]
fn sc5_reasons_sum_to_the_margin_and_gaps_are_no_fault() {
    let model = trained(1200);
    for row in [
        vec![1.0, 1.0, f64::NAN, 7.0],
        vec![-2.0, 0.0, 0.5, 7.0],
        vec![f64::NAN; 4],
        vec![1e300, -1e300, 0.0, f64::NAN],
    ] {
        let explained = model.explain(&row);
        let sum: f64 = explained.base + explained.effects.iter().map(|(_, _, effect)| effect).sum::<f64>();
        assert!(
            (sum - explained.margin).abs() < 1e-9,
            "{row:?}: {sum} and not {}",
            explained.margin
        );
        assert!((0.0..=1.0).contains(&explained.probability), "{row:?}");
    }
    let explained = model.explain(&[2.0, -1.0, 0.5, 7.0]);
    let (feature, _, effect) = &explained.effects[0];
    assert!(
        feature == "a" && *effect > 0.0,
        "what drives the outcome comes first: {:?}",
        explained.effects
    );
}

#[test]
fn sc5_below_a_minimum_of_data_the_reason_is_stated() {
    for (count, candidate, word) in [
        (12, "base rate", "base rate"),
        (120, "logistic", "trees were not tried"),
    ] {
        let model = trained(count);
        assert!(
            model.choice.candidate.contains(candidate),
            "{count}: {}",
            model.choice.candidate
        );
        assert!(model.choice.reason.contains(word), "{count}: {}", model.choice.reason);
        assert!(model.probability(&[0.0, 0.0, f64::NAN, 7.0]).is_finite());
    }
    let mut alone = rows(400, 1);
    alone.groups.fill(0);
    let model = train(&alone, &Options::default(), &mut |_| true).unwrap();
    assert!(model.choice.reason.contains("one account"), "{}", model.choice.reason);
}

#[test]
fn sc5_training_stops_when_it_is_told_to() {
    let mut steps = 0;
    let stop = &mut |_| {
        steps += 1;
        steps < 2
    };
    assert_eq!(train(&rows(400, 1), &Options::default(), stop), Err(Cancelled));
    assert_eq!(steps, 2);
}

#[test]
fn sc5_groups_stand_on_one_side_and_time_runs_forward() {
    let mut dataset = rows(400, 3);
    let mut held = 0;
    for fold in folds(&dataset, 5, 90, 7) {
        let train: std::collections::BTreeSet<u32> =
            fold.train.iter().map(|row| dataset.groups[*row as usize]).collect();
        assert!(
            fold.held
                .iter()
                .all(|row| !train.contains(&dataset.groups[*row as usize]))
        );
        held += fold.held.len();
        let positives = fold.held.iter().filter(|row| dataset.labels[**row as usize]).count();
        assert!(
            positives.abs_diff(dataset.positives() / 5) <= 4,
            "positives are dealt out evenly: {positives}"
        );
        assert!(
            fold.held.len().abs_diff(80) <= 12,
            "and so are rows: {}",
            fold.held.len()
        );
    }
    assert_eq!(held, 400, "every row is held out once");

    let times: Vec<i32> = (0..400).map(|row| row * 3).collect();
    dataset.times = Some(times.clone());
    let in_time = folds(&dataset, 3, 90, 7);
    assert_eq!(in_time.len(), 3);
    for fold in in_time {
        let known = fold.train.iter().map(|row| times[*row as usize] + 90).max().unwrap();
        let first = fold.held.iter().map(|row| times[*row as usize]).min().unwrap();
        assert!(known <= first, "an outcome of day {known} was not known on day {first}");
    }
}

#[test]
fn sc5_only_what_is_better_beyond_noise_is_promoted() {
    let dataset = rows(2000, 5);
    let good = trained(1600).probabilities(&dataset.frame);
    let rate = dataset.positives() as f64 / dataset.len() as f64;
    let base = vec![rate; dataset.len()];
    let verdict = compare(&dataset.labels, &base, &good, &dataset.groups, 1);
    assert!(verdict.is_better && verdict.difference < -0.05, "{verdict:?}");
    let verdict = compare(&dataset.labels, &good, &base, &dataset.groups, 1);
    assert!(!verdict.is_better, "{verdict:?}");
    let verdict = compare(&dataset.labels, &good, &good, &dataset.groups, 1);
    assert!(!verdict.is_better && verdict.difference == 0.0, "{verdict:?}");
}

fn probabilities(model: &Trained) -> Vec<f64> {
    model.probabilities(&rows(500, 7).frame)
}

#[test]
fn sc5_a_model_survives_its_own_file_and_a_broken_one_is_refused() {
    let model = trained(800);
    let text = serde_json::to_string(&model).unwrap();
    let read: Trained = serde_json::from_str(&text).unwrap();
    assert_eq!(read, model, "to the last bit");
    assert_eq!(probabilities(&read), probabilities(&model));
    assert_eq!(read.check(), Ok(()));
    let mut narrow = model.clone();
    narrow.features.truncate(1);
    assert!(narrow.check().is_err(), "trees that look past the features are refused");
}
