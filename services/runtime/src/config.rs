//! Settings: embedded defaults → one TOML file → `UPSWELL__SECTION__KEY`.
//!
//! The defaults are the schema. A key they do not have, or a value of another type, is a fault, and
//! all faults are told at once. A table of the defaults with the key `"*"` is open: it takes any
//! key, with values typed like the example.
//!
//! The `config` library merges the layers. Ours is only what it does not have: the check against
//! the schema with the line or variable of every fault, the types of environment variables, and the
//! example under new entries of open tables. A section is read out of it as a TOML table, because
//! the library's own reading takes 1.6 for 2, `"yes"` for true and 1 for `"1"`; its environment
//! source guesses at types and forgets the names. It knows no dates: they arrive as their text.

mod environment;
mod file;
mod layer;
mod schema;
#[cfg(test)]
mod tests;

use std::{fmt, path::Path};

use ::config::{Config, ConfigError};
use serde::de::DeserializeOwned;
use toml::{Table, Value};

use self::layer::Layer;

/// Environment variables which start like this are settings.
pub const ENV_PREFIX: &str = "UPSWELL__";

/// One top-level table: its name and the TOML text of its defaults.
#[derive(Clone, Copy, Debug)]
pub struct Section {
    /// The table's name, e.g. `offers`.
    pub name: &'static str,
    /// The content of the table, e.g. `include_str!("../config.toml")`.
    pub defaults: &'static str,
}

/// The merged settings of all sections.
#[derive(Clone, Debug)]
pub struct Loaded(Config);

/// One setting which cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigFault {
    /// Dotted path, e.g. `offers.caps.per_week`.
    pub path: String,
    /// `file:line`, the environment variable, or `defaults`.
    pub origin: String,
    /// What is wrong.
    pub message: String,
}

/// Everything which is wrong with the settings, one line each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigFaults(pub Vec<ConfigFault>);

impl fmt::Display for ConfigFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, fault) in self.0.iter().enumerate() {
            let separator = if n == 0 { "" } else { "\n" };
            let ConfigFault { path, origin, message } = fault;
            write!(f, "{separator}{path}: {message} ({origin})")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigFaults {}

/// Merges the defaults of `sections`, the file and the environment (pass `std::env::vars()`).
pub fn load(
    sections: &[Section],
    file: Option<&Path>,
    env: impl Iterator<Item = (String, String)>,
) -> Result<Loaded, ConfigFaults> {
    let defaults = defaults_of(sections)?;
    let mut faults = Vec::new();
    let from_file = file.map(|path| file::overlay(path, &defaults, &mut faults));
    let from_file = from_file.unwrap_or_default();
    let from_env = environment::overlay(env, &defaults, &mut faults);
    if !faults.is_empty() {
        return Err(ConfigFaults(faults));
    }
    let mut values = schema::closed(&defaults);
    schema::open(&defaults, &from_file, &mut values);
    schema::open(&defaults, &from_env, &mut values);
    let config = Config::builder()
        .add_source(Layer(values))
        .add_source(Layer(from_file))
        .add_source(Layer(from_env))
        .build();
    config.map(Loaded).map_err(|error| unusable("settings", &error))
}

impl Loaded {
    /// The settings of one section; `T` sees the values which won.
    pub fn section<T: DeserializeOwned>(&self, name: &str) -> Result<T, ConfigFaults> {
        let table = match self.0.get::<Table>(name) {
            Err(ConfigError::NotFound(_)) => Table::new(),
            table => table.map_err(|error| unusable(name, &error))?,
        };
        table.try_into().map_err(|error| unusable(name, &error))
    }
}

fn unusable(path: &str, error: &dyn std::error::Error) -> ConfigFaults {
    ConfigFaults(vec![ConfigFault {
        path: path.to_owned(),
        origin: "merged settings".to_owned(),
        message: error.to_string().trim_end().replace('\n', " "),
    }])
}

fn defaults_of(sections: &[Section]) -> Result<Table, ConfigFaults> {
    let mut defaults = Table::new();
    let mut faults = Vec::new();
    for Section { name, defaults: text } in sections {
        match text.parse::<Table>() {
            Ok(table) => drop(defaults.insert((*name).to_owned(), Value::Table(table))),
            Err(error) => faults.push(ConfigFault {
                path: (*name).to_owned(),
                origin: "defaults".to_owned(),
                message: error.to_string(),
            }),
        }
    }
    if faults.is_empty() {
        Ok(defaults)
    } else {
        Err(ConfigFaults(faults))
    }
}
