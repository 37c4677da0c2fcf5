//! The names by which messages ask for facts, and who provides them.

use crate::domain::vocabulary::SignalKind;

/// What is known about the account and the offer itself. `valid_until`, `price_monthly`, `product_name` and `quantity`
/// exist only for a playbook that sells something.
pub const BUILT_IN: &[&str] = &[
    "account_name",
    "first_name",
    "subject_name",
    "csm",
    "renewal_date",
    "product_name",
    "quantity",
    "price_monthly",
    "valid_until",
];

/// Built-in facts that only a playbook with a price has.
pub const OF_A_PRICE: &[&str] = &["product_name", "quantity", "price_monthly", "valid_until"];

/// The figures that scoring gives as evidence of a signal.
pub const fn of_signal(kind: SignalKind) -> &'static [&'static str] {
    match kind {
        SignalKind::SpendGrowth => &["growth_percent", "window_spend", "baseline_spend"],
        SignalKind::VolumeGrowth => &["growth_percent", "window_mean", "baseline_mean"],
        SignalKind::UsageDrop => &["drop_percent"],
        SignalKind::TicketCluster => &["tickets", "reply_hours"],
        SignalKind::RenewalClock => &["mark_days"],
        SignalKind::LimitApproach => &["used_percent", "limit_value", "days_to_exhaustion"],
        SignalKind::FeatureEmbrace => &["users", "active_days"],
        SignalKind::Promoter => &["nps"],
        SignalKind::WeakAdoption => &["dau_mau_percent", "key_features_percent", "idle_percent"],
        SignalKind::SeatsShort => &["seats_percent", "active_users", "seats"],
        SignalKind::TariffSaturation => &["features_percent", "features_used"],
        SignalKind::PowerUsers => &["power_users", "active_days", "features_percent"],
        SignalKind::WorkflowFriction => &["exports", "complaints"],
        SignalKind::CompanyGrowth => &["times", "growth_percent"],
        SignalKind::TrialEnding => &["trial_days_left", "features_used"],
        SignalKind::BudgetMoment => &["days_to_moment"],
        SignalKind::Interest
        | SignalKind::ValueReached
        | SignalKind::Initiative
        | SignalKind::ProofRequest
        | SignalKind::CsmRaised
        | SignalKind::DowngradeAttempt => &["times"],
        SignalKind::HeavyTrialUse => &["premium_uses", "premium_features"],
        SignalKind::Lifecycle => &["account_age_days", "health", "drop_percent"],
    }
}
