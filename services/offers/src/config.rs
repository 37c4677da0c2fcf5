//! The settings of the service; `config.toml` holds every key with its default.

use std::path::PathBuf;

use jiff::civil::Time;
use serde::Deserialize;
use upswell_runtime::{db::DbSettings, problem::Violations, relay::RelaySettings, server::ServerSettings};

mod channel;
mod loyalty;

pub use self::{
    channel::{BillingSettings, ChannelSettings, EdgeSettings, EndpointSettings, SmtpSettings, WebhookSettings},
    loyalty::LoyaltySettings,
};
use crate::domain::{holdout::HoldoutShare, ledger::CapSettings};

/// The documented defaults.
pub const DEFAULTS: &str = include_str!("../config.toml");

/// All settings of the offers service.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The store.
    pub db: DbSettings,
    /// The listener.
    pub server: ServerSettings,
    /// The relay of the outbox.
    pub relay: RelaySettings,
    /// The pressure limits.
    pub caps: CapSettings,
    /// Catalogue and playbooks.
    pub policy: PolicySettings,
    /// The decision slot.
    pub decisions: DecisionSettings,
    /// Approvals.
    pub approvals: ApprovalSettings,
    /// The control group.
    pub holdout: HoldoutSettings,
    /// When a playbook harms.
    pub loyalty: LoyaltySettings,
    /// The ways out.
    pub channel: ChannelSettings,
    /// The way in from outside.
    pub edge: EdgeSettings,
    /// Who takes orders.
    pub billing: BillingSettings,
}

/// Section `[policy]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicySettings {
    /// Folder with catalogue and playbooks; empty takes the shipped ones.
    pub dir: PathBuf,
}

/// Section `[decisions]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecisionSettings {
    /// Local time of the daily slot (C-9), `HH:MM`.
    pub slot_time: String,
    /// Signs the heads of the decision log; empty leaves them unsigned.
    pub signing_key: String,
}

/// Section `[approvals]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApprovalSettings {
    /// Business days until a request expires (C-14).
    pub business_days: u32,
    /// Who decides where there is no CSM.
    pub lead_id: String,
}

/// Section `[holdout]`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HoldoutSettings {
    /// Share held out, 0 to 1 (C-12).
    pub share: f64,
    /// Arms never change within an epoch.
    pub epoch: i32,
}

impl Settings {
    /// Reports every value that cannot be used.
    pub fn validate(&self, violations: &mut Violations) {
        violations.at("db", |v| self.db.validate(v));
        violations.at("server", |v| self.server.validate(v));
        violations.at("relay", |v| self.relay.validate(v));
        violations.at("caps", |v| self.caps.validate(v));
        violations.take("decisions.slot_time", self.decisions.time());
        if !(1..=30).contains(&self.approvals.business_days) {
            violations.add("approvals.business_days", "must be between 1 and 30");
        }
        if let Some(lead) = violations.take("approvals.lead_id", upswell_runtime::text::key(&self.approvals.lead_id))
            && lead != self.approvals.lead_id
        {
            violations.add("approvals.lead_id", format!("must be written as `{lead}`"));
        }
        if HoldoutShare::from_fraction(self.holdout.share).is_none() {
            violations.add("holdout.share", "must be between 0 and 1");
        }
        violations.at("loyalty", |v| self.loyalty.validate(v));
        violations.at("channel", |v| self.channel.validate(v));
        violations.at("edge", |v| self.edge.validate(v));
        violations.at("billing", |v| self.billing.validate(v));
    }
}

impl DecisionSettings {
    /// The time of day of the slot.
    pub fn time(&self) -> Result<Time, jiff::Error> {
        Time::strptime("%H:%M", &self.slot_time)
    }
}
