//! SG-17: a trial that is used ends within three days. SG-23: premium features are used heavily in a trial.
//!
//! Subject: the product that is tried. Evidence: `trial_days_left`, `features_used` (SG-17); `premium_uses`,
//! `premium_features` (SG-23).

use super::{Sightings, strength};
use crate::domain::{
    facts::{Facts, Trial},
    moment::{Moment, days_between},
    series::Window,
    signal::{Evidence, Grade, Kind, Observation, Sighting},
    thresholds::Thresholds,
};

pub(super) fn detect(facts: &Facts, moment: &Moment, rules: &Thresholds, seen: &mut Sightings) {
    let recent = Window::ending(moment.today, rules.heavy_trial_use.days);
    for trial in facts.trials.iter().filter(|trial| trial.runs_on(moment.today)) {
        let span = Window {
            first: trial.start,
            last: moment.today,
        };
        seen.add(
            Kind::TrialEnding,
            &trial.product,
            ending(facts, trial, span, moment, rules),
        );
        let window = Window {
            first: recent.first.max(trial.start),
            ..recent
        };
        seen.add(Kind::HeavyTrialUse, &trial.product, heavy(facts, window, rules));
    }
}

fn ending(facts: &Facts, trial: &Trial, span: Window, moment: &Moment, rules: &Thresholds) -> Option<Sighting> {
    let left = days_between(moment.today, trial.end);
    let (features, uses) = used(facts, span);
    if left > rules.trial_ending.days || uses == 0 {
        return None;
    }
    let evidence = vec![
        Evidence::new(
            "trial_days_left",
            f64::from(left),
            "d",
            span,
            &format!("trial/{}", trial.product),
        ),
        Evidence::new("features_used", f64::from(features), "features", span, "trial_use"),
    ];
    Some(Sighting::Holds(Observation::new(Grade::High, 0.9, evidence)))
}

fn heavy(facts: &Facts, window: Window, rules: &Thresholds) -> Option<Sighting> {
    let (features, uses) = used(facts, window);
    let least = rules.heavy_trial_use.uses;
    if uses < i128::from(least) {
        return None;
    }
    let evidence = vec![
        Evidence::new("premium_uses", uses as f64, "uses", window, "trial_use"),
        Evidence::new("premium_features", f64::from(features), "features", window, "trial_use"),
    ];
    let strength = strength(uses as f64, least as f64);
    Some(Sighting::Holds(Observation::new(Grade::Normal, strength, evidence)))
}

/// Premium features that were used in `window`, and how often.
fn used(facts: &Facts, window: Window) -> (i32, i128) {
    let counts = facts.trial_uses.values().map(|series| series.tally(window).sum);
    counts
        .filter(|uses| *uses > 0)
        .fold((0, 0), |(features, total), uses| (features + 1, total + uses))
}
