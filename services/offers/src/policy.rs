//! Catalogue and playbooks from YAML files: read, checked as a whole, and given a version.
//!
//! A directory holds `catalogue.yaml` and `playbooks/<key>.yaml`. Everything that is wrong in any of the files is said
//! at once, with file, line, place and a hint; nothing of a policy with a fault is used. The format is described in
//! `services/offers/policy/README.md`, which is also the directory of the policy that is built in.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};

use crate::domain::{decision::chain::hex, policy::Policy};

mod catalogue;
mod deal;
mod decisions;
mod fault;
mod fields;
mod meaning;
mod messages;
mod node;
mod playbook;
mod rollout;
mod rules;
mod values;

#[cfg(test)]
mod tests;

use self::{fault::Faults, node::Node};
pub use self::{
    fault::{Fault, PolicyFaults},
    meaning::{Difference, differences, uncounted},
};

/// The file of plans, add-ons, prices, limits and names.
pub const CATALOGUE: &str = "catalogue.yaml";
const PLAYBOOKS: &str = "playbooks";

/// The policy that is used when no directory is configured.
const BUILT_IN: &[(&str, &str)] = &[
    (CATALOGUE, include_str!("../policy/catalogue.yaml")),
    (
        "playbooks/adjacent-module.yaml",
        include_str!("../policy/playbooks/adjacent-module.yaml"),
    ),
    (
        "playbooks/adoption-help.yaml",
        include_str!("../policy/playbooks/adoption-help.yaml"),
    ),
    (
        "playbooks/capacity-growth.yaml",
        include_str!("../policy/playbooks/capacity-growth.yaml"),
    ),
    (
        "playbooks/plan-upgrade.yaml",
        include_str!("../policy/playbooks/plan-upgrade.yaml"),
    ),
    (
        "playbooks/premium-support.yaml",
        include_str!("../policy/playbooks/premium-support.yaml"),
    ),
    (
        "playbooks/reference-request.yaml",
        include_str!("../policy/playbooks/reference-request.yaml"),
    ),
    (
        "playbooks/renewal-package.yaml",
        include_str!("../policy/playbooks/renewal-package.yaml"),
    ),
    (
        "playbooks/ticket-recipe.yaml",
        include_str!("../policy/playbooks/ticket-recipe.yaml"),
    ),
];

/// The policy of a directory, or the built-in one without a directory. Blocks on the file system; meant for the start.
/// Errors: everything that is wrong with it.
pub fn load(directory: Option<&Path>) -> Result<Policy, PolicyFaults> {
    let Some(directory) = directory else {
        return parse(BUILT_IN);
    };
    let mut faults = Faults::default();
    let sources = read(directory, &mut faults);
    // Files that can be read are checked although others cannot, so that one look shows everything.
    build(&sources, faults)
}

/// The texts of the files of a policy by their names within the directory; what cannot be read is left out.
pub fn sources(directory: Option<&Path>) -> Vec<(String, String)> {
    let owned = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
    directory.map_or_else(
        || BUILT_IN.iter().map(owned).collect(),
        |directory| read(directory, &mut Faults::default()),
    )
}

/// A policy from the texts of its files by their names within the directory. Errors: everything that is wrong.
pub fn parse<N: AsRef<str>, T: AsRef<str>>(sources: &[(N, T)]) -> Result<Policy, PolicyFaults> {
    build(sources, Faults::default())
}

fn build<N: AsRef<str>, T: AsRef<str>>(sources: &[(N, T)], mut faults: Faults) -> Result<Policy, PolicyFaults> {
    let mut files: Vec<(&str, Node)> = Vec::new();
    for (name, text) in sources {
        faults.enter(name.as_ref());
        if let Some(node) = node::parse(text.as_ref(), &mut faults) {
            files.push((name.as_ref(), node));
        }
    }
    files.sort_by_key(|(name, _)| *name);
    let version = version(&files);
    faults.enter(CATALOGUE);
    let shelf = match files.iter().find(|(name, _)| *name == CATALOGUE) {
        Some((_, node)) => catalogue::build(node, &mut faults),
        None => {
            if !faults.any_in(CATALOGUE) {
                faults.add(
                    None,
                    "",
                    "the file is missing",
                    "every policy has one: languages, plans, owners",
                );
            }
            // Without a catalogue every product would be unknown: the playbooks wait until it is there.
            return Err(faults.into_result().err().unwrap_or_default());
        }
    };
    let playbooks = playbook::build_all(&files, &shelf, &mut faults);
    let (catalogue, rules) = (shelf.catalogue, shelf.rules);
    faults.into_result().map(|()| Policy {
        version,
        catalogue,
        playbooks,
        rules,
    })
}

/// Hash of what the files say, so that layout and comments make no new version.
fn version(files: &[(&str, Node)]) -> String {
    let mut hash = Sha256::new();
    for (name, node) in files {
        hash.update(format!("{name}\0{}\0", node.canonical()));
    }
    hex(&hash.finalize()[..8])
}

/// The files of a policy's directory that can be read, by name.
fn read(directory: &Path, faults: &mut Faults) -> Vec<(String, String)> {
    let mut sources = Vec::new();
    let mut paths = vec![(CATALOGUE.to_owned(), directory.join(CATALOGUE))];
    match playbook_files(&directory.join(PLAYBOOKS)) {
        Ok(found) => paths.extend(found),
        Err(error) => {
            faults.enter(PLAYBOOKS);
            faults.add(
                None,
                "",
                &format!("cannot be read: {error}"),
                "a policy directory has a folder `playbooks`",
            );
        }
    }
    for (name, path) in paths {
        faults.enter(&name);
        if path.extension().is_none_or(|extension| extension != "yaml") {
            faults.add(
                None,
                "",
                "is not a playbook",
                "the name of a playbook file ends in .yaml",
            );
            continue;
        }
        match fs::read_to_string(&path) {
            Ok(text) => sources.push((name, text)),
            Err(error) => faults.add(
                None,
                "",
                &format!("cannot be read: {error}"),
                &path.display().to_string(),
            ),
        }
    }
    sources
}

fn playbook_files(folder: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        // Editors and people leave other things beside: hidden files and notes are no playbooks.
        if path.is_file() && !name.starts_with('.') && !name.to_ascii_lowercase().ends_with(".md") {
            found.push((format!("{PLAYBOOKS}/{name}"), path));
        }
    }
    found.sort();
    Ok(found)
}
