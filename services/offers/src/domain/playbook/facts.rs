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
        SignalKind::SpendGrowth | SignalKind::VolumeGrowth => &["growth_percent", "window_mean", "baseline_mean"],
        SignalKind::UsageDrop => &["drop_percent"],
        SignalKind::TicketCluster => &["tickets", "reply_hours"],
        SignalKind::RenewalClock => &["mark_days"],
        SignalKind::LimitApproach => &["used_percent", "limit_value", "days_to_exhaustion"],
        SignalKind::FeatureEmbrace => &["users", "active_days"],
        SignalKind::Promoter => &["nps"],
    }
}
