//! `decisions` in the catalogue file: the numbers that rank and gate offers.

use super::{fault::Faults, fields::At};
use crate::domain::{
    policy::DecisionRules,
    vocabulary::{Grade, Motion},
};

/// Replaces the defaults by what the file says.
pub(super) fn read(at: &At<'_>, rules: &mut DecisionRules, faults: &mut Faults) {
    let Some(fields) = at.fields(faults) else { return };
    let number = |key, least, most, value: &mut f64, faults: &mut Faults| {
        if let Some(read) = fields.optional(key).and_then(|at| at.number(least, most, faults)) {
            *value = read;
        }
    };
    number(
        "propensity_threshold",
        0.0,
        1.0,
        &mut rules.propensity_threshold,
        faults,
    );
    number("fatigue_factor", 0.0, 1.0, &mut rules.fatigue_factor, faults);
    number(
        "rising_health_factor",
        0.1,
        10.0,
        &mut rules.rising_health_factor,
        faults,
    );
    number("conversion_weight", 1.0, 1e6, &mut rules.conversion_weight, faults);
    number("drift_certainty", 0.5, 1.0, &mut rules.drift_certainty, faults);
    let days = |key, value: &mut i64, faults: &mut Faults| {
        if let Some(read) = fields.optional(key).and_then(|at| at.integer(0, 3_650, faults)) {
            *value = read;
        }
    };
    days("education_review_days", &mut rules.education_review_days, faults);
    days("refusal_block_days", &mut rules.refusal_block_days, faults);
    days("acceptance_block_days", &mut rules.acceptance_block_days, faults);
    days("fatigue_days", &mut rules.fatigue_days, faults);
    days("conversion_days", &mut rules.conversion_days, faults);
    for (key, line, at) in fields
        .optional("urgency")
        .and_then(|at| at.entries(faults))
        .unwrap_or_default()
    {
        match key.parse::<Grade>() {
            Ok(grade) => rules
                .urgency
                .extend(at.number(0.0, 10.0, faults).map(|factor| (grade, factor))),
            Err(fault) => faults.add(Some(line), &at.place, &fault.to_string(), ""),
        }
    }
    for (key, line, at) in fields
        .optional("conversion")
        .and_then(|at| at.entries(faults))
        .unwrap_or_default()
    {
        match key.parse::<Motion>() {
            Ok(motion) => rules.conversion.extend(band(&at, faults).map(|band| (motion, band))),
            Err(fault) => faults.add(Some(line), &at.place, &fault.to_string(), ""),
        }
    }
    fields.close(faults);
}

/// `[lowest, highest]`, both shares.
fn band(at: &At<'_>, faults: &mut Faults) -> Option<(f64, f64)> {
    let shares: Vec<f64> = at
        .items(faults)
        .iter()
        .filter_map(|item| item.number(0.0, 1.0, faults))
        .collect();
    if let [low, high] = shares[..]
        && low <= high
    {
        return Some((low, high));
    }
    at.fault(faults, "is not a band", "lowest and highest share, e.g. `[0.2, 0.3]`");
    None
}
