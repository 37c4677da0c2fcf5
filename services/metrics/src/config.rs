//! Settings of the service; `config.toml` holds every key with its default.

mod programme;
mod uplift;

use serde::Deserialize;
use upswell_runtime::{
    client::ClientSettings, db::DbSettings, problem::Violations, relay::RelaySettings, server::ServerSettings,
};

use crate::domain::rules::{ChurnDay, Cohort, LtvChurn, MrrChurn, Reactivation, Rules};

pub use self::{
    programme::{ProgrammeSettings, TargetSettings},
    uplift::UpliftSettings,
};

/// Section `[metrics]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The store.
    pub db: DbSettings,
    /// The listener.
    pub server: ServerSettings,
    /// The relay of the outbox; the service sends no events of its own yet.
    pub relay: RelaySettings,
    /// Calls to other services.
    pub client: ClientSettings,
    /// How revenue is counted.
    pub revenue: RevenueSettings,
    /// How uplift against the holdout is read.
    pub uplift: UpliftSettings,
    /// What the programme costs, when it began, and what harm is.
    pub programme: ProgrammeSettings,
    /// What is to be reached.
    pub targets: TargetSettings,
}

/// Section `[metrics.revenue]`: what vendors disagree on, and what the service cannot know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevenueSettings {
    /// When MRR that was given notice is gone.
    pub churn_day: ChurnDay,
    /// How MRR of an account that had left is counted.
    pub reactivation: Reactivation,
    /// What MRR churn is measured on.
    pub mrr_churn: MrrChurn,
    /// Which churn the life time of an account is the inverse of.
    pub ltv_churn: LtvChurn,
    /// Which month is an account's cohort.
    pub cohort: Cohort,
    /// Share of revenue left after the cost to serve, in basis points, up to 10,000; 0 means that it is not known.
    pub gross_margin_bp: u32,
}

impl RevenueSettings {
    /// The choices.
    pub fn rules(self) -> Rules {
        let Self {
            churn_day,
            reactivation,
            mrr_churn,
            ltv_churn,
            cohort,
            gross_margin_bp: _,
        } = self;
        Rules {
            churn_day,
            reactivation,
            mrr_churn,
            ltv_churn,
            cohort,
        }
    }

    /// The margin, where it is known.
    pub fn gross_margin(self) -> Option<i64> {
        (self.gross_margin_bp > 0).then_some(i64::from(self.gross_margin_bp))
    }

    fn validate(self, violations: &mut Violations) {
        if self.gross_margin_bp > 10_000 {
            violations.add("gross_margin_bp", "must be at most 10000");
        }
    }
}

impl Settings {
    /// Notes every value that cannot be used.
    pub fn validate(&self, violations: &mut Violations) {
        let Self {
            db,
            server,
            relay,
            client,
            revenue,
            uplift,
            programme,
            targets,
        } = self;
        violations.at("db", |violations| db.validate(violations));
        violations.at("server", |violations| server.validate(violations));
        violations.at("relay", |violations| relay.validate(violations));
        violations.at("client", |violations| client.validate(violations));
        violations.at("revenue", |violations| revenue.validate(violations));
        violations.at("uplift", |violations| uplift.validate(violations));
        violations.at("programme", |violations| programme.validate(violations));
        violations.at("targets", |violations| targets.validate(violations));
    }
}
