//! Secrets come from files, and are never printed.

use std::{fmt, fs, path::Path};

use upswell_runtime::problem::Violations;

/// A secret of a file.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Its text.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// The secret of a file, without white space around it. Notes a file that cannot be read or is empty.
pub fn read(field: &str, path: &Path, violations: &mut Violations) -> Option<Secret> {
    match fs::read_to_string(path) {
        Ok(text) if text.trim().is_empty() => violations.add(field, format!("{} is empty", path.display())),
        Ok(text) => return Some(Secret(text.trim().to_owned())),
        Err(fault) => violations.add(field, format!("{}: {fault}", path.display())),
    }
    None
}
