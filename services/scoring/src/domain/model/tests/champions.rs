//! Models in use, challengers and drift.

use std::{collections::BTreeMap, sync::Arc};

use super::rows;
use crate::domain::{
    features::Features,
    health::Band,
    model::{
        Model, Rules,
        challenge::challenge,
        champion::{Champion, Champions, Seat, version_of},
        drift::{Reference, moved},
        frame::Dataset,
        history::{History, Line},
        train::{Options, train},
        trained::Trained,
    },
};

fn in_time(count: usize, seed: u64) -> Dataset {
    let mut dataset = rows(count, seed);
    dataset.times = Some((0..count).map(|row| i32::try_from(row).unwrap()).collect());
    dataset
}

fn options() -> Options {
    Options {
        folds: 3,
        gap_days: 30,
        ..Options::default()
    }
}

#[test]
fn sc5_an_equal_challenger_and_one_within_the_margin_are_not_promoted() {
    let dataset = in_time(2000, 5);
    let first = challenge(&dataset, None, 0.1, &options(), &mut |_| true)
        .unwrap()
        .unwrap();
    assert!(
        first.is_better && first.verdict.starts_with("better than the base rate"),
        "{}",
        first.verdict
    );
    let again = challenge(&dataset, Some(&first.model), 0.1, &options(), &mut |_| true)
        .unwrap()
        .unwrap();
    assert!(
        !again.is_better && again.verdict.starts_with("not better beyond noise"),
        "{}",
        again.verdict
    );
    // Better than the base rate beyond noise by far, and still by less than nine tenths of its log-loss.
    let strict = challenge(&dataset, None, 90.0, &options(), &mut |_| true)
        .unwrap()
        .unwrap();
    assert!(
        !strict.is_better && strict.verdict.contains("by less than the margin"),
        "{}",
        strict.verdict
    );
}

fn features() -> Features {
    Features {
        health: 50,
        band: Band::Yellow,
        health_change: None,
        is_paying: true,
        overdue_invoices: 0,
        open_critical: 0,
        nps: None,
        volume_growth: None,
        days_to_renewal: None,
        open_signals: std::collections::BTreeSet::new(),
    }
}

/// A model that looks at the price alone.
fn dear_is_risky() -> Trained {
    let mut dataset = rows(1200, 3);
    let names = ["mrr", "seats", "gaps", "constant"].map(str::to_owned).to_vec();
    let columns = dataset.frame.columns().map(<[f64]>::to_vec).collect();
    dataset.frame = crate::domain::model::frame::Frame::new(names, columns);
    train(&dataset, &Options::default(), &mut |_| true).unwrap()
}

fn customer(mrr: f64) -> History {
    History {
        lines: vec![Line {
            subscription_id: "plan".to_owned(),
            product: "pro".to_owned(),
            is_plan: true,
            mrr,
            seats: 0.2,
            period_months: 1.0,
            effective: 0,
            end: None,
            renewal: None,
        }],
        ..History::default()
    }
}

#[test]
fn sc5_a_model_takes_its_number_and_leaves_the_other_to_the_rules() {
    let model = dear_is_risky();
    let champions = Champions {
        churn: Seat::Model(Arc::new(Champion {
            model_id: "churn-3".to_owned(),
            model: model.clone(),
        })),
        ..Champions::default()
    };
    let rules = Rules.predict(&features());
    for mrr in [-2.0, -0.5, 0.0, 1.0, 2.0] {
        let (said, sources) = champions
            .foresee(|| customer(mrr), 100)
            .over(rules.clone(), Rules.version());
        let row: BTreeMap<String, f64> = [("mrr".to_owned(), mrr), ("seats".to_owned(), 0.2)].into();
        let own = model.probability(&model.row(&row));
        assert!(
            (said.churn_risk - own).abs() <= 0.0005,
            "{mrr}: {} and {own}",
            said.churn_risk
        );
        assert_eq!(said.expansion_propensity, rules.expansion_propensity);
        assert_eq!(version_of(&sources), "churn-3 rules-1");
        // The effects lead from the average to the number.
        let explained = model.explain(&model.row(&row));
        let average = model
            .calibration
            .apply(crate::domain::model::metrics::sigmoid(explained.base));
        let pushed: f64 = said
            .reasons
            .iter()
            .filter(|reason| reason.score == "churn_risk")
            .map(|reason| reason.effect)
            .sum();
        assert!(
            (average + pushed - said.churn_risk).abs() < 0.03,
            "{mrr}: {average} and {pushed} make {}",
            said.churn_risk
        );
    }
    let (said, sources) = champions
        .foresee(History::default, 100)
        .over(rules.clone(), Rules.version());
    assert_eq!(said, rules);
    assert_eq!(sources[0].reason, "no plan is in force");
    assert_eq!(sources[1].reason, "no model is in use");
}

#[test]
fn sc5_without_a_model_no_history_is_read() {
    let champions = Champions::default();
    let foreseen = champions.foresee(|| unreachable!("nobody needs it"), 100);
    let rules = Rules.predict(&features());
    let (said, sources) = foreseen.over(rules.clone(), Rules.version());
    assert_eq!((said, version_of(&sources).as_str()), (rules, "rules-1"));
}

#[test]
fn sc5_drift_of_what_a_model_looks_at_counts_and_of_the_rest_does_not() {
    let mut model = dear_is_risky();
    let learnt = rows(1200, 3);
    model.predictions = Some(Reference::of(&model.probabilities(&learnt.frame)));
    let rows = |price: f64, constant: f64| -> Vec<BTreeMap<String, f64>> {
        let row = |row: usize| {
            let values = learnt.frame.row(row);
            [
                ("mrr", values[0] + price),
                ("seats", values[1]),
                ("gaps", values[2]),
                ("constant", constant),
            ]
            .map(|(name, value)| (name.to_owned(), value))
            .into()
        };
        (0..600).map(row).collect()
    };
    let still = moved(&model, &rows(0.0, 7.0));
    assert!(still.predictions < 0.1 && still.feature < 0.1, "{still:?}");
    let unseen = moved(&model, &rows(0.0, 900.0));
    assert!(unseen.predictions < 0.1 && unseen.feature < 0.1, "{unseen:?}");
    let dear = moved(&model, &rows(2.0, 7.0));
    assert!(
        dear.predictions > 0.25 && dear.feature > 0.25 && dear.feature_name == "mrr",
        "{dear:?}"
    );
}
