//! SG-9: 80 % or more of the features of the plan (configuration) were used in the last 30 days.
//!
//! Subject: the plan. Evidence: `features_percent`, `features_used` (baseline: the plan's features).

use super::{
    Sightings,
    adoption::{count, used_features},
    percent, reaches,
};
use crate::domain::{
    facts::Facts,
    moment::Moment,
    series::Window,
    signal::{Evidence, Grade, Kind, Observation, Sighting},
    thresholds::{Products, TariffSaturation},
};

pub(super) fn detect(
    facts: &Facts,
    moment: &Moment,
    rule: &TariffSaturation,
    products: &Products,
    seen: &mut Sightings,
) {
    let Some(plan) = facts.plan_on(moment.today) else {
        return;
    };
    let Some(features) = products
        .plan_features
        .get(&plan.product)
        .filter(|features| !features.is_empty())
    else {
        return;
    };
    let window = Window::ending(moment.as_of, rule.window_days);
    let used = used_features(facts, features, window, 1);
    let share = percent(used, count(features));
    if !reaches(share, rule.percent) {
        return;
    }
    let figure = |name, value, unit| Evidence::new(name, value, unit, window, "feature_use");
    let evidence = vec![
        figure("features_percent", share, "%"),
        figure("features_used", used as f64, "features").against(count(features) as f64),
    ];
    let strength = (share / 100.0).clamp(0.0, 1.0);
    let observation = Observation::new(Grade::Normal, strength, evidence);
    seen.add(
        Kind::TariffSaturation,
        &plan.product,
        Some(Sighting::Holds(observation)),
    );
}
