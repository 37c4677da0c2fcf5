//! All settings of the binary: embedded defaults → one TOML file → `UPSWELL__SECTION__KEY`.

use std::{collections::BTreeMap, path::Path};

use serde::de::DeserializeOwned;
use upswell_runtime::{
    client::ClientSettings,
    clock::Clock,
    config::{self, ConfigFaults, Loaded, Section},
    problem::{Problem, Violation, Violations},
    security::{Security, SecuritySettings},
    telemetry::TelemetrySettings,
};

/// The sections and their documented defaults, in reading order.
pub const SECTIONS: [Section; 9] = [
    Section {
        name: "telemetry",
        defaults: include_str!("../config/telemetry.toml"),
    },
    Section {
        name: "peers",
        defaults: include_str!("../config/peers.toml"),
    },
    Section {
        name: "client",
        defaults: include_str!("../config/client.toml"),
    },
    Section {
        name: "security",
        defaults: include_str!("../config/security.toml"),
    },
    Section {
        name: upswell_ingestion::NAME,
        defaults: upswell_ingestion::DEFAULTS,
    },
    Section {
        name: upswell_scoring::NAME,
        defaults: upswell_scoring::DEFAULTS,
    },
    Section {
        name: upswell_offers::NAME,
        defaults: upswell_offers::DEFAULTS,
    },
    Section {
        name: upswell_renewals::NAME,
        defaults: upswell_renewals::DEFAULTS,
    },
    Section {
        name: upswell_metrics::NAME,
        defaults: upswell_metrics::DEFAULTS,
    },
];

/// Settings of every part, checked.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Logs and traces.
    pub telemetry: TelemetrySettings,
    /// Address of each service by name.
    pub peers: BTreeMap<String, String>,
    /// How this process calls services, and who it is and whom it knows (`[security]`).
    pub client: ClientSettings,
    /// Of the service of this name.
    pub ingestion: upswell_ingestion::Settings,
    /// Of the service of this name.
    pub scoring: upswell_scoring::Settings,
    /// Of the service of this name.
    pub offers: upswell_offers::Settings,
    /// Of the service of this name.
    pub renewals: upswell_renewals::Settings,
    /// Of the service of this name.
    pub metrics: upswell_metrics::Settings,
}

/// Why settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsFault {
    /// Keys or types are wrong.
    #[error("the settings cannot be used:\n{0}")]
    Config(#[from] ConfigFaults),
    /// Values are wrong.
    #[error("the settings cannot be used:\n{0}")]
    Values(String),
}

impl Settings {
    /// Merges defaults, `file` and `env`, and names everything that is wrong.
    ///
    /// # Errors
    /// Unknown keys and wrong types, or else values that cannot be used: all at once, with their place.
    pub fn load(file: Option<&Path>, env: impl Iterator<Item = (String, String)>) -> Result<Self, SettingsFault> {
        let loaded = config::load(&SECTIONS, file, env)?;
        let mut settings = Self {
            telemetry: section(&loaded, "telemetry")?,
            peers: section(&loaded, "peers")?,
            client: section(&loaded, "client")?,
            ingestion: section(&loaded, upswell_ingestion::NAME)?,
            scoring: section(&loaded, upswell_scoring::NAME)?,
            offers: section(&loaded, upswell_offers::NAME)?,
            renewals: section(&loaded, upswell_renewals::NAME)?,
            metrics: section(&loaded, upswell_metrics::NAME)?,
        };
        settings.validate()?;
        settings.client.security = security(&loaded)?;
        Ok(settings)
    }

    fn validate(&self) -> Result<(), SettingsFault> {
        let mut faults = Vec::new();
        let mut check = |name: &str, validate: &dyn Fn(&mut Violations)| {
            let mut violations = Violations::new();
            validate(&mut violations);
            faults.extend(describe(name, violations));
        };
        check("telemetry", &|violations| self.telemetry.validate(violations));
        check("client", &|violations| self.client.validate(violations));
        check(upswell_ingestion::NAME, &|violations| {
            self.ingestion.validate(violations)
        });
        check(upswell_scoring::NAME, &|violations| self.scoring.validate(violations));
        check(upswell_offers::NAME, &|violations| self.offers.validate(violations));
        check(upswell_renewals::NAME, &|violations| self.renewals.validate(violations));
        check(upswell_metrics::NAME, &|violations| self.metrics.validate(violations));
        if faults.is_empty() {
            Ok(())
        } else {
            Err(SettingsFault::Values(faults.join("\n")))
        }
    }
}

/// Reads the files of `[security]` too: credentials that cannot be used are a fault of the settings.
fn security(loaded: &Loaded) -> Result<Security, SettingsFault> {
    let settings: SecuritySettings = section(loaded, "security")?;
    Security::load(&settings, Clock::system()).map_err(|problem| {
        let line = |fault: &Violation| format!("security.{}: {}", fault.field, fault.description);
        let lines: Vec<_> = problem.violations().iter().map(line).collect();
        SettingsFault::Values(lines.join("\n"))
    })
}

fn section<T: DeserializeOwned>(loaded: &Loaded, name: &str) -> Result<T, ConfigFaults> {
    loaded.section(name)
}

fn describe(section: &str, violations: Violations) -> Vec<String> {
    let Err(problem) = violations.into_result() else {
        return Vec::new();
    };
    let line = |field: &str, description: &str| format!("{section}.{field}: {description}");
    Problem::violations(&problem)
        .iter()
        .map(|fault| line(&fault.field, &fault.description))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::{SERVICES, server_settings};

    #[test]
    fn by_default_every_service_is_reached_where_it_listens() {
        let settings = Settings::load(None, std::iter::empty()).unwrap();
        for name in SERVICES {
            let listens = &server_settings(name, &settings).unwrap().listen;
            assert_eq!(settings.peers[name], format!("http://{listens}"));
        }
    }
}
