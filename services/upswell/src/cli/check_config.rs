//! `check-config`: are the settings usable, and where do they come from.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context as _, Result};
use serde::Serialize;
use toml::{Table, Value};
use upswell_runtime::{config::ENV_PREFIX, db::veiled};

use super::{
    Global,
    output::{self, Column, Row, View, left, part, rows},
};
use crate::{
    cluster::{self, SERVICES},
    settings::{SECTIONS, Settings},
};

/// What the merged settings come to.
#[derive(Serialize)]
struct Summary {
    /// Settings that do not stand at their default's place: from the file or the environment.
    set: Vec<Setting>,
    /// How many stay at their defaults.
    defaults: usize,
    services: Vec<Place>,
}

#[derive(Serialize)]
struct Setting {
    key: String,
    value: String,
    /// The file or the variable whose value won.
    source: String,
}

#[derive(Serialize)]
struct Place {
    service: &'static str,
    listens: String,
    reached_at: String,
    store: String,
}

impl Row for Setting {
    const COLUMNS: &'static [Column] = &[left("setting"), left("value"), left("from")];

    fn cells(&self) -> Vec<String> {
        vec![self.key.clone(), self.value.clone(), self.source.clone()]
    }
}

impl Row for Place {
    const COLUMNS: &'static [Column] = &[
        left("service"),
        left("listens on"),
        left("is reached at"),
        left("keeps its data in"),
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.service.to_owned(),
            self.listens.clone(),
            self.reached_at.clone(),
            self.store.clone(),
        ]
    }
}

impl View for Summary {
    fn render(&self) -> String {
        let places = rows(&self.services);
        let set = part("Set by a file or the environment", &self.set);
        format!(
            "the settings can be used; {} stand at their defaults\n\n{places}{set}",
            self.defaults
        )
    }
}

/// Shows the summary. Errors: all faults of the settings.
pub(super) fn run(global: &Global) -> Result<()> {
    let settings = Settings::load(global.config.as_deref(), std::env::vars())?;
    let mut set = BTreeMap::new();
    if let Some(path) = &global.config {
        read_file(path, &mut set)?;
    }
    for (name, value) in std::env::vars() {
        if let Some(key) = name.strip_prefix(ENV_PREFIX) {
            set.insert(key.to_lowercase().replace("__", "."), (value, name));
        }
    }
    let all: usize = SECTIONS
        .iter()
        .filter_map(|section| section.defaults.parse().ok())
        .map(|table| leaves(&table))
        .sum();
    let setting = |(key, (value, source)): (String, (String, String))| {
        let value = shown(&key, &value);
        Setting { key, value, source }
    };
    let summary = Summary {
        defaults: all.saturating_sub(set.len()),
        set: set.into_iter().map(setting).collect(),
        services: SERVICES
            .iter()
            .map(|service| place(service, &settings))
            .collect::<Result<_>>()?,
    };
    output::show(global.output, &summary)
}

fn place(service: &'static str, settings: &Settings) -> Result<Place> {
    Ok(Place {
        service,
        listens: cluster::server_settings(service, settings)?.listen.clone(),
        reached_at: settings.peers.get(service).cloned().unwrap_or_default(),
        store: veiled(&cluster::db_settings(service, settings)?.url),
    })
}

fn read_file(path: &Path, set: &mut BTreeMap<String, (String, String)>) -> Result<()> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    flatten("", &text.parse()?, &path.display().to_string(), set);
    Ok(())
}

fn flatten(prefix: &str, table: &Table, source: &str, set: &mut BTreeMap<String, (String, String)>) {
    for (key, value) in table {
        let key = if prefix.is_empty() {
            key.clone()
        } else {
            format!("{prefix}.{key}")
        };
        if let Value::Table(table) = value {
            flatten(&key, table, source, set);
        } else {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            set.insert(key, (value, source.to_owned()));
        }
    }
}

fn leaves(table: &Table) -> usize {
    table.values().map(|value| value.as_table().map_or(1, leaves)).sum()
}

/// A value as it may be shown. Secrets are told by their names.
fn shown(key: &str, value: &str) -> String {
    if ["_key", "_secret", "password", "_token"]
        .iter()
        .any(|end| key.ends_with(end))
    {
        return "***".to_owned();
    }
    veiled(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_not_shown() {
        let url = shown("offers.db.url", "postgres://upswell:s3:cr@t@db/offers");
        assert_eq!(url, "postgres://upswell@db/offers");
        assert_eq!(shown("offers.decisions.signing_key", "hunter2"), "***");
        assert_eq!(shown("offers.db.url", "sqlite:data/offers.db"), "sqlite:data/offers.db");
    }

    #[test]
    fn a_file_is_flattened_to_dotted_keys() {
        let mut set = BTreeMap::new();
        flatten(
            "",
            &"[offers.holdout]\nshare = 0.1\n[peers]\noffers = \"http://x\""
                .parse()
                .unwrap(),
            "f",
            &mut set,
        );
        assert_eq!(set["offers.holdout.share"].0, "0.1");
        assert_eq!(set["peers.offers"].0, "http://x");
    }
}
