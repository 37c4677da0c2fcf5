//! Uplift and tests of variants on the wire.

use upswell_proto::{
    metrics::v1::{
        ConfidenceInterval, GetUpliftRequest, GetUpliftResponse, GetVariantResultsRequest, GetVariantResultsResponse,
        InsufficientData, UpliftArm, UpliftEffect, UpliftMeasure, VariantResult, uplift_effect::Verdict as WireVerdict,
    },
    offers::v1::VariantAssigned,
};
use upswell_runtime::{
    money::Currency,
    problem::{Problem, Violations},
};

use super::{
    convert::{optional_key, required, settled, time, wire_date},
    events::id,
};
use crate::{
    app::{EpochUplift, Fact},
    domain::{
        stats::Interval,
        uplift::{Arm, Finding, Lack, Measure, Method, Verdict, measure::Comparison},
        variants::{Against, Assignment, Gap, Results, Variant},
    },
};

/// What is asked: epoch, currency and segment.
pub(super) fn uplift_request(wire: GetUpliftRequest) -> Result<(Option<i32>, Option<Currency>, String), Problem> {
    let GetUpliftRequest {
        currency_code,
        epoch,
        segment,
    } = wire;
    let mut violations = Violations::new();
    let currency = if currency_code.is_empty() {
        Some(None)
    } else {
        violations.take("currency_code", currency_code.parse()).map(Some)
    };
    if epoch < 0 {
        violations.add("epoch", "must not be negative");
    }
    let segment = optional_key("segment", &segment, &mut violations);
    let (currency, segment) = settled(currency.zip(segment), violations)?;
    Ok(((epoch > 0).then_some(epoch), currency, segment))
}

/// The experiment that is asked for.
pub(super) fn experiment(wire: GetVariantResultsRequest) -> Result<String, Problem> {
    let GetVariantResultsRequest { experiment } = wire;
    let mut violations = Violations::new();
    let experiment = id("experiment", experiment, &mut violations);
    settled(experiment, violations)
}

pub(super) fn uplift(answer: EpochUplift) -> GetUpliftResponse {
    let EpochUplift {
        epoch,
        currency,
        uplift,
    } = answer;
    let early = uplift.lacks.iter().find_map(|lack| match lack {
        Lack::TooEarly(day) => Some(*day),
        _ => None,
    });
    let scale = currency.map_or(1.0, |currency| 10_u64.pow(currency.exponent()) as f64);
    let reading = uplift.reading.map_or(0, |reading| reading.number);
    GetUpliftResponse {
        currency_code: currency.map(|currency| currency.to_string()).unwrap_or_default(),
        epoch,
        reading: i32::try_from(reading).unwrap_or(i32::MAX),
        reading_date: uplift.reading.map(|reading| reading.on).or(early).map(wire_date),
        holdout: Some(arm(uplift.holdout)),
        treatment: Some(arm(uplift.treatment)),
        sample_ratio_p: uplift.srm.map(|srm| srm.p),
        insufficient: uplift.lacks.iter().map(lack).collect(),
        measures: uplift.findings.iter().map(|finding| measure(finding, scale)).collect(),
    }
}

fn arm(arm: Arm) -> UpliftArm {
    UpliftArm {
        accounts: count(arm.accounts),
        offered: count(arm.offered),
        offered_share: arm.offered_share(),
    }
}

fn lack(lack: &Lack) -> InsufficientData {
    InsufficientData {
        reason: lack.name().to_owned(),
        detail: lack.to_string(),
    }
}

/// Money is told in units of its currency, which is `scale` minor ones; shares as they are.
fn measure(finding: &Finding, scale: f64) -> UpliftMeasure {
    let scale = if finding.measure == Measure::Arpa { scale } else { 1.0 };
    UpliftMeasure {
        measure: finding.measure.name().to_owned(),
        insufficient: finding.outcome.as_ref().err().map(lack),
        effect: finding
            .outcome
            .as_ref()
            .ok()
            .map(|comparison| effect(comparison, scale)),
    }
}

fn effect(comparison: &Comparison, scale: f64) -> UpliftEffect {
    let Comparison {
        control,
        treatment,
        difference,
        interval,
        always_valid,
        p,
        adjusted_p,
        correlation,
        detectable,
        method,
        verdict,
    } = *comparison;
    let method = match method {
        Method::Permutation => "permutation",
        Method::Stratified => "stratified",
    };
    UpliftEffect {
        holdout: control / scale,
        treatment: treatment / scale,
        difference: difference / scale,
        interval: Some(bounds(interval, scale)),
        always_valid_interval: Some(bounds(always_valid, scale)),
        p_value: p,
        adjusted_p_value: adjusted_p,
        correlation,
        minimum_detectable: detectable.map(|difference| difference / scale),
        method: method.to_owned(),
        verdict: wire_verdict(verdict).into(),
    }
}

fn bounds(interval: Interval, scale: f64) -> ConfidenceInterval {
    let bound = |value: f64| value.is_finite().then_some(value / scale);
    ConfidenceInterval {
        low: bound(interval.low),
        high: bound(interval.high),
    }
}

fn wire_verdict(verdict: Verdict) -> WireVerdict {
    match verdict {
        Verdict::Undecided => WireVerdict::Undecided,
        Verdict::Better => WireVerdict::Better,
        Verdict::Worse => WireVerdict::Worse,
    }
}

pub(super) fn variants(experiment: String, results: Results) -> GetVariantResultsResponse {
    let Results { srm, gaps, variants } = results;
    let control = variants.iter().find(|(variant, _)| variant.control);
    GetVariantResultsResponse {
        experiment,
        control: control.map(|(variant, _)| variant.name.clone()).unwrap_or_default(),
        sample_ratio_p: srm.map(|srm| srm.p),
        insufficient: gaps.iter().map(gap).collect(),
        variants: variants
            .into_iter()
            .map(|(variant, against)| result(variant, against))
            .collect(),
    }
}

fn gap(gap: &Gap) -> InsufficientData {
    let (reason, detail) = match gap {
        Gap::NoControl => (
            "no_control",
            "the test needs one control and a variant beside it".to_owned(),
        ),
        Gap::TooFewAccounts(has, needs) => (
            "too_few_accounts",
            format!("the smallest variant has {has} accounts, {needs} are needed"),
        ),
        Gap::SampleRatio(p) => (
            "sample_ratio_mismatch",
            format!("the variants are not split as designed (p = {p:.1e}); find out why first"),
        ),
    };
    InsufficientData {
        reason: reason.to_owned(),
        detail,
    }
}

fn result(variant: Variant, against: Option<Against>) -> VariantResult {
    let conversion = (variant.accounts > 0).then(|| variant.accepted as f64 / variant.accounts as f64);
    let verdict = match against {
        None => WireVerdict::Unspecified,
        Some(against) if against.adjusted_p > 0.05 => WireVerdict::Undecided,
        Some(against) if against.difference > 0.0 => WireVerdict::Better,
        Some(_) => WireVerdict::Worse,
    };
    VariantResult {
        variant: variant.name,
        accounts: variant.accounts as i64,
        accepted: variant.accepted as i64,
        conversion,
        difference: against.map(|against| against.difference),
        always_valid_interval: against.map(|against| bounds(against.interval, 1.0)),
        always_valid_p: against.map(|against| against.p),
        adjusted_p_value: against.map(|against| against.adjusted_p),
        verdict: verdict.into(),
    }
}

pub(super) fn assigned(wire: VariantAssigned) -> Result<Fact, Problem> {
    let mut violations = Violations::new();
    let VariantAssigned {
        account_id,
        experiment,
        variant,
        control,
        weight,
        assign_time,
    } = wire;
    let account_id = id("account_id", account_id, &mut violations);
    let experiment = id("experiment", experiment, &mut violations);
    let variant = id("variant", variant, &mut violations);
    let assigned_at = required("assign_time", assign_time, &mut violations, time);
    if !(weight.is_finite() && weight > 0.0) {
        violations.add("weight", "must be above 0");
    }
    let assignment = (|| {
        Some(Assignment {
            account_id: account_id?,
            experiment: experiment?,
            variant: variant?,
            control,
            weight,
            assigned_at: assigned_at?,
        })
    })();
    settled(assignment, violations).map(Fact::Variant)
}

fn count(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
