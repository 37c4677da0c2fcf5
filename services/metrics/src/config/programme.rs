//! Sections `[metrics.programme]` and `[metrics.targets]`.

use jiff::civil::Date;
use serde::Deserialize;
use upswell_runtime::{money::Currency, problem::Violations};

use crate::domain::{loyalty::Margins, targets::Targets};

/// What the programme costs, when it began, and what harm is.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProgrammeSettings {
    /// Day of the launch; empty when it is not known.
    pub launched_on: String,
    /// Length of the baseline before it.
    pub baseline_days: i32,
    /// ISO 4217 code of the costs; empty takes the only currency there is.
    pub currency: String,
    /// Fixed cost a month in minor units; 0 when it is not known.
    pub monthly_cost_minor: i64,
    /// Cost of a touch in minor units.
    pub touch_cost_minor: i64,
    /// Cost of winning an account in minor units; 0 when it is not known.
    pub acquisition_cost_minor: i64,
    /// By how many points NPS may fall before it is harm.
    pub nps_margin: f64,
    /// By how much mean CSAT may fall.
    pub csat_margin: f64,
    /// By how many complaints per 100 accounts and month they may rise.
    pub complaints_margin: f64,
    /// By how many unsubscribes per 100 accounts and month they may rise.
    pub unsubscribes_margin: f64,
}

impl Default for ProgrammeSettings {
    fn default() -> Self {
        let Margins {
            nps,
            csat,
            complaints,
            unsubscribes,
        } = Margins::default();
        Self {
            launched_on: String::new(),
            baseline_days: 90,
            currency: String::new(),
            monthly_cost_minor: 0,
            touch_cost_minor: 0,
            acquisition_cost_minor: 0,
            nps_margin: nps,
            csat_margin: csat,
            complaints_margin: complaints,
            unsubscribes_margin: unsubscribes,
        }
    }
}

impl ProgrammeSettings {
    /// The day of the launch, where it is configured.
    pub fn launch(&self) -> Option<Date> {
        self.launched_on.parse().ok()
    }

    /// The currency of the costs, where it is configured.
    pub fn own_currency(&self) -> Option<Currency> {
        self.currency.parse().ok()
    }

    /// What harm is.
    pub fn margins(&self) -> Margins {
        Margins {
            nps: self.nps_margin,
            csat: self.csat_margin,
            complaints: self.complaints_margin,
            unsubscribes: self.unsubscribes_margin,
        }
    }

    /// Notes every value that cannot be used.
    pub fn validate(&self, violations: &mut Violations) {
        if !self.launched_on.is_empty() && self.launch().is_none() {
            violations.add("launched_on", "must be a day like 2026-01-31, or empty");
        }
        if !self.currency.is_empty() && self.own_currency().is_none() {
            violations.add("currency", "must be a code of ISO 4217, or empty");
        }
        if !(7..=1_100).contains(&self.baseline_days) {
            violations.add("baseline_days", "must be 7 to 1100");
        }
        for (field, minor) in [
            ("monthly_cost_minor", self.monthly_cost_minor),
            ("touch_cost_minor", self.touch_cost_minor),
            ("acquisition_cost_minor", self.acquisition_cost_minor),
        ] {
            if !(0..=1_000_000_000_000).contains(&minor) {
                violations.add(field, "must be 0 to 1000000000000");
            }
        }
        let costs = self.monthly_cost_minor + self.touch_cost_minor + self.acquisition_cost_minor;
        if costs > 0 && self.currency.is_empty() {
            violations.add("currency", "is required with costs");
        }
        for (field, margin) in [
            ("nps_margin", self.nps_margin),
            ("csat_margin", self.csat_margin),
            ("complaints_margin", self.complaints_margin),
            ("unsubscribes_margin", self.unsubscribes_margin),
        ] {
            if !(0.0..=200.0).contains(&margin) {
                violations.add(field, "must be 0 to 200");
            }
        }
    }
}

/// What is to be reached (K-14).
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetSettings {
    /// NRR in percent.
    pub nrr_percent: f64,
    /// GRR in percent.
    pub grr_percent: f64,
    /// Expansion of the window in percent of MRR at its end.
    pub expansion_percent: f64,
    /// Mean days from signal to payment, at most.
    pub signal_to_payment_days: f64,
    /// Median days to the first goal, at most.
    pub onboarding_days: f64,
    /// LTV over the cost of acquisition.
    pub ltv_to_cac: f64,
    /// NPS.
    pub nps: f64,
}

impl Default for TargetSettings {
    fn default() -> Self {
        let targets = Targets::default();
        Self {
            nrr_percent: targets.nrr * 100.0,
            grr_percent: targets.grr * 100.0,
            expansion_percent: targets.expansion_share * 100.0,
            signal_to_payment_days: targets.signal_to_payment_days,
            onboarding_days: targets.onboarding_ttv_days,
            ltv_to_cac: targets.ltv_to_cac,
            nps: targets.nps,
        }
    }
}

impl TargetSettings {
    /// The targets of the domain.
    pub fn targets(self) -> Targets {
        Targets {
            nrr: self.nrr_percent / 100.0,
            grr: self.grr_percent / 100.0,
            expansion_share: self.expansion_percent / 100.0,
            signal_to_payment_days: self.signal_to_payment_days,
            onboarding_ttv_days: self.onboarding_days,
            ltv_to_cac: self.ltv_to_cac,
            nps: self.nps,
        }
    }

    /// Notes every value that cannot be used.
    pub fn validate(self, violations: &mut Violations) {
        for (field, value, least, most) in [
            ("nrr_percent", self.nrr_percent, 0.0, 1_000.0),
            ("grr_percent", self.grr_percent, 0.0, 100.0),
            ("expansion_percent", self.expansion_percent, 0.0, 1_000.0),
            ("signal_to_payment_days", self.signal_to_payment_days, 0.0, 1_000.0),
            ("onboarding_days", self.onboarding_days, 0.0, 1_000.0),
            ("ltv_to_cac", self.ltv_to_cac, 0.0, 1_000.0),
            ("nps", self.nps, -100.0, 100.0),
        ] {
            if !(least..=most).contains(&value) {
                violations.add(field, format!("must be {least} to {most}"));
            }
        }
    }
}
