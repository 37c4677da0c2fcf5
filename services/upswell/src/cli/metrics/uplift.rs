//! What the programme changed against the holdout, and tests of variants.

use jiff::civil::Date;
use serde::Serialize;
use upswell_proto::metrics::v1 as pb;

use crate::{
    cli::output::{Column, Row, View, card, day, left, part, percent, right},
    wire::{date, word},
};

#[derive(Serialize)]
pub(super) struct Uplift {
    currency: String,
    epoch: i32,
    reading: i32,
    reading_date: Option<Date>,
    holdout: Arm,
    treatment: Arm,
    sample_ratio_p: Option<f64>,
    insufficient: Vec<Lack>,
    measures: Vec<Measure>,
}

#[derive(Serialize)]
struct Arm {
    accounts: i64,
    offered: i64,
    offered_share: Option<f64>,
}

#[derive(Serialize)]
struct Lack {
    reason: String,
    detail: String,
}

#[derive(Serialize)]
struct Measure {
    measure: String,
    insufficient: Option<Lack>,
    effect: Option<Effect>,
}

#[derive(Serialize)]
struct Effect {
    holdout: f64,
    treatment: f64,
    difference: f64,
    interval: [Option<f64>; 2],
    always_valid_interval: [Option<f64>; 2],
    p_value: f64,
    adjusted_p_value: f64,
    correlation: f64,
    minimum_detectable: Option<f64>,
    method: String,
    verdict: String,
}

impl From<pb::InsufficientData> for Lack {
    fn from(lack: pb::InsufficientData) -> Self {
        let pb::InsufficientData { reason, detail } = lack;
        Self { reason, detail }
    }
}

impl From<pb::UpliftArm> for Arm {
    fn from(arm: pb::UpliftArm) -> Self {
        Self {
            accounts: arm.accounts,
            offered: arm.offered,
            offered_share: arm.offered_share,
        }
    }
}

fn bounds(interval: Option<pb::ConfidenceInterval>) -> [Option<f64>; 2] {
    interval.map_or([None; 2], |interval| [interval.low, interval.high])
}

impl From<pb::UpliftEffect> for Effect {
    fn from(effect: pb::UpliftEffect) -> Self {
        Self {
            verdict: word(effect.verdict().as_str_name(), "VERDICT"),
            holdout: effect.holdout,
            treatment: effect.treatment,
            difference: effect.difference,
            interval: bounds(effect.interval),
            always_valid_interval: bounds(effect.always_valid_interval),
            p_value: effect.p_value,
            adjusted_p_value: effect.adjusted_p_value,
            correlation: effect.correlation,
            minimum_detectable: effect.minimum_detectable,
            method: effect.method,
        }
    }
}

impl From<pb::GetUpliftResponse> for Uplift {
    fn from(answer: pb::GetUpliftResponse) -> Self {
        let measure = |measure: pb::UpliftMeasure| Measure {
            measure: measure.measure,
            insufficient: measure.insufficient.map(Lack::from),
            effect: measure.effect.map(Effect::from),
        };
        Self {
            currency: answer.currency_code,
            epoch: answer.epoch,
            reading: answer.reading,
            reading_date: date(answer.reading_date.as_ref()),
            holdout: answer.holdout.unwrap_or_default().into(),
            treatment: answer.treatment.unwrap_or_default().into(),
            sample_ratio_p: answer.sample_ratio_p,
            insufficient: answer.insufficient.into_iter().map(Lack::from).collect(),
            measures: answer.measures.into_iter().map(measure).collect(),
        }
    }
}

impl View for Uplift {
    fn render(&self) -> String {
        let arm = |arm: &Arm, reached: &str| {
            let share = percent(arm.offered_share);
            format!("{} accounts, {} {reached} ({share})", arm.accounts, arm.offered)
        };
        let reading = match self.reading {
            0 => format!("none yet, the first on {}", day(self.reading_date)),
            number => format!("{number}, of {}", day(self.reading_date)),
        };
        let lines = card(&[
            ("reading", reading),
            ("currency", self.currency.clone()),
            ("holdout", arm(&self.holdout, "contaminated by an offer")),
            ("treatment", arm(&self.treatment, "reached by an offer")),
            ("p of the split as designed", figure(self.sample_ratio_p)),
        ]);
        if self.insufficient.is_empty() {
            return [lines, part("Treatment against holdout", &self.measures)].concat();
        }
        [lines, part("Insufficient data: no number is given", &self.insufficient)].concat()
    }
}

impl Row for Lack {
    const COLUMNS: &'static [Column] = &[left("reason"), left("what is needed")];

    fn cells(&self) -> Vec<String> {
        vec![self.reason.clone(), self.detail.clone()]
    }
}

impl Row for Measure {
    const COLUMNS: &'static [Column] = &[
        left("measure"),
        right("holdout"),
        right("treatment"),
        right("difference"),
        right("interval"),
        right("at all readings"),
        right("p"),
        right("detectable"),
        left("claim"),
    ];

    fn cells(&self) -> Vec<String> {
        let Some(effect) = &self.effect else {
            let detail = self.insufficient.as_ref().map(|lack| lack.detail.clone());
            let mut cells = vec![self.measure.clone()];
            cells.extend((0..7).map(|_| "–".to_owned()));
            cells.push(format!("insufficient data: {}", detail.unwrap_or_default()));
            return cells;
        };
        vec![
            self.measure.clone(),
            figure(Some(effect.holdout)),
            figure(Some(effect.treatment)),
            figure(Some(effect.difference)),
            interval(effect.interval),
            interval(effect.always_valid_interval),
            figure(Some(effect.adjusted_p_value)),
            figure(effect.minimum_detectable),
            effect.verdict.clone(),
        ]
    }
}

/// Three decimals for small figures, two for large ones.
fn figure(value: Option<f64>) -> String {
    match value {
        None => "–".to_owned(),
        Some(value) if value.abs() < 10.0 => format!("{value:.3}"),
        Some(value) => format!("{value:.2}"),
    }
}

fn interval([low, high]: [Option<f64>; 2]) -> String {
    let bound = |value: Option<f64>, open: &str| value.map_or(open.to_owned(), |value| figure(Some(value)));
    format!("{} … {}", bound(low, "−∞"), bound(high, "∞"))
}

/// One variant of a test.
#[derive(Serialize)]
pub(super) struct Variant {
    variant: String,
    accounts: i64,
    accepted: i64,
    conversion: Option<f64>,
    difference: Option<f64>,
    always_valid_interval: [Option<f64>; 2],
    adjusted_p_value: Option<f64>,
    verdict: String,
}

/// A test of variants.
#[derive(Serialize)]
pub(super) struct Variants {
    experiment: String,
    control: String,
    sample_ratio_p: Option<f64>,
    insufficient: Vec<Lack>,
    variants: Vec<Variant>,
}

impl From<pb::VariantResult> for Variant {
    fn from(result: pb::VariantResult) -> Self {
        Self {
            verdict: word(result.verdict().as_str_name(), "VERDICT"),
            variant: result.variant,
            accounts: result.accounts,
            accepted: result.accepted,
            conversion: result.conversion,
            difference: result.difference,
            always_valid_interval: bounds(result.always_valid_interval),
            adjusted_p_value: result.adjusted_p_value,
        }
    }
}

impl From<pb::GetVariantResultsResponse> for Variants {
    fn from(answer: pb::GetVariantResultsResponse) -> Self {
        Self {
            experiment: answer.experiment,
            control: answer.control,
            sample_ratio_p: answer.sample_ratio_p,
            insufficient: answer.insufficient.into_iter().map(Lack::from).collect(),
            variants: answer.variants.into_iter().map(Variant::from).collect(),
        }
    }
}

impl View for Variants {
    fn render(&self) -> String {
        let lines = card(&[
            ("test", self.experiment.clone()),
            ("control", self.control.clone()),
            ("p of the split as designed", figure(self.sample_ratio_p)),
        ]);
        let mut parts = vec![lines, part("Variants", &self.variants)];
        if !self.insufficient.is_empty() {
            parts.push(part("Insufficient data: nothing is compared", &self.insufficient));
        }
        parts.concat()
    }
}

impl Row for Variant {
    const COLUMNS: &'static [Column] = &[
        left("variant"),
        right("accounts"),
        right("accepted"),
        right("conversion"),
        right("difference"),
        right("at all looks"),
        right("p"),
        left("claim"),
    ];

    fn cells(&self) -> Vec<String> {
        let compared = self.difference.is_some();
        vec![
            self.variant.clone(),
            self.accounts.to_string(),
            self.accepted.to_string(),
            percent(self.conversion),
            figure(self.difference),
            if compared {
                interval(self.always_valid_interval)
            } else {
                "–".to_owned()
            },
            figure(self.adjusted_p_value),
            if compared {
                self.verdict.clone()
            } else {
                "–".to_owned()
            },
        ]
    }
}
