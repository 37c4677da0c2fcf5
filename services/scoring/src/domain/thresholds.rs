//! The one table of thresholds used by every surface (SG-R5). Its defaults and their meaning are in `config.toml`.

mod change;
mod moments;
mod use_of_product;

use serde::{Deserialize, Serialize};

pub use self::{
    change::BadThreshold,
    moments::{
        BudgetMoment, CompanyGrowth, CsmRaised, DowngradeAttempt, Initiative, Interest, ProofRequest, TrialEnding,
        ValueReached, WorkflowFriction,
    },
    use_of_product::{HeavyTrialUse, Lifecycle, PowerUsers, Products, SeatsShort, TariffSaturation, WeakAdoption},
};

/// Thresholds of the signals.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Thresholds {
    /// SG-1.
    pub spend_growth: SpendGrowth,
    /// SG-2.
    pub volume_growth: VolumeGrowth,
    /// SG-3.
    pub usage_drop: UsageDrop,
    /// SG-5.
    pub ticket_cluster: TicketCluster,
    /// SG-7.
    pub limit_approach: LimitApproach,
    /// SG-10.
    pub feature_embrace: FeatureEmbrace,
    /// SG-18.
    pub promoter: Promoter,
    /// SG-4.
    pub weak_adoption: WeakAdoption,
    /// SG-8.
    pub seats_short: SeatsShort,
    /// SG-9.
    pub tariff_saturation: TariffSaturation,
    /// SG-11.
    pub interest: Interest,
    /// SG-12.
    pub value_reached: ValueReached,
    /// SG-13.
    pub power_users: PowerUsers,
    /// SG-14.
    pub workflow_friction: WorkflowFriction,
    /// SG-15.
    pub initiative: Initiative,
    /// SG-16.
    pub company_growth: CompanyGrowth,
    /// SG-17.
    pub trial_ending: TrialEnding,
    /// SG-19.
    pub proof_request: ProofRequest,
    /// SG-20.
    pub budget_moment: BudgetMoment,
    /// SG-21.
    pub csm_raised: CsmRaised,
    /// SG-22.
    pub downgrade_attempt: DowngradeAttempt,
    /// SG-23.
    pub heavy_trial_use: HeavyTrialUse,
    /// SG-24.
    pub lifecycle: Lifecycle,
    /// What the products of this deployment include.
    pub products: Products,
    /// SG-R3.
    pub life: Life,
}

/// SG-1: spend growth. Percentages.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SpendGrowth {
    /// Growth that is a signal.
    pub percent: f64,
    /// Growth above which it is `high` and must pass the anomaly check.
    pub high_percent: f64,
    /// Growth above which the figures are taken for a data error.
    pub error_percent: f64,
}

/// SG-2: volume growth.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct VolumeGrowth {
    /// Growth that is a signal, in percent.
    pub percent: f64,
    /// Days in each of the two windows.
    pub window_days: i32,
    /// How many days earlier the baseline's window ended.
    pub lookback_days: i32,
    /// Days that must have a count in each window.
    pub min_days: i32,
}

/// SG-3: drop of usage or spend.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct UsageDrop {
    /// Drop that is a signal, in percent.
    pub percent: f64,
    /// Days in each of the two windows; whole weeks.
    pub window_days: i32,
    /// Days that must have a count in each window.
    pub min_days: i32,
}

/// SG-5: ticket cluster.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TicketCluster {
    /// Tickets on one topic that are a signal.
    pub count: i32,
    /// Days of the window.
    pub days: i32,
    /// Growth of the time to the first reply that is a signal, in percent.
    pub reply_percent: f64,
    /// Answered tickets needed in each window to speak of a time to reply.
    pub reply_min_tickets: i32,
}

/// SG-7: limit approach.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LimitApproach {
    /// Share of the limit that is a signal, in percent.
    pub percent: f64,
    /// Share of the limit from which the grade is one higher, in percent.
    pub up_percent: f64,
    /// Exhausted within so many days: `high`, also below `percent`.
    pub high_days: i32,
    /// A standing amount exhausted within so many days: `normal`.
    pub soon_days: i32,
    /// Days of a month that must have passed before a forecast alone is a signal.
    pub min_elapsed_days: i32,
    /// Days over which the growth of a standing amount is measured.
    pub rate_days: i32,
}

/// SG-10: feature embrace.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct FeatureEmbrace {
    /// People on a day that make the day count.
    pub users: i64,
    /// Days that are a signal.
    pub days: i32,
    /// Days of the window.
    pub window_days: i32,
}

/// SG-18: promoter.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Promoter {
    /// Lowest NPS answer that is a signal.
    pub score: i32,
    /// Days after which an answer no longer counts.
    pub max_age_days: i32,
}

/// SG-R3: the life of a signal.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Life {
    /// Days that a consumed signal's condition must be false before it opens again.
    pub reopen_days: i32,
    /// Days after which an open signal expires when its condition cannot be judged.
    pub stale_days: i32,
    /// Change of strength that others are told of.
    pub material_strength: f64,
}
