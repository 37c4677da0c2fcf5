//! How far an import came, so that a broken one goes on there. Importing again from the beginning would do no harm, since
//! facts are recorded once, but it takes time.

use std::{
    fs::{self, File},
    io::Read as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::Summary;

/// The file beside the imported one that says how far the import came.
pub(super) struct Checkpoint {
    path: PathBuf,
    /// Hash of the file and its mapping: another content begins anew.
    content: String,
}

#[derive(Serialize, Deserialize)]
struct Noted {
    content: String,
    summary: Summary,
    #[serde(default)]
    rejects_bytes: u64,
}

impl Checkpoint {
    /// For a file and the mapping that reads it. Errors: the file cannot be read.
    pub(super) fn of(file: &Path, mapping: Option<&Path>) -> Result<Self> {
        let mut hash = Sha256::new();
        for part in [Some(file), mapping].into_iter().flatten() {
            let named = || part.display().to_string();
            let mut reader = File::open(part).with_context(named)?;
            let mut buffer = vec![0; 256 * 1024];
            loop {
                let read = reader.read(&mut buffer).with_context(named)?;
                if read == 0 {
                    break;
                }
                hash.update(&buffer[..read]);
            }
            hash.update([0]);
        }
        let digest = hash.finalize();
        let mut path = file.as_os_str().to_owned();
        path.push(".checkpoint.json");
        Ok(Self {
            path: PathBuf::from(path),
            content: digest.iter().map(|byte| format!("{byte:02x}")).collect(),
        })
    }

    /// What an earlier import of the same content came to, and how long its report was by then; none when there was none
    /// or it ended.
    pub(super) fn read(&self) -> Option<(Summary, u64)> {
        let text = fs::read_to_string(&self.path).ok()?;
        let noted: Noted = serde_json::from_str(&text).ok()?;
        (noted.content == self.content).then_some((noted.summary, noted.rejects_bytes))
    }

    /// Notes that the rows of `summary` are settled, the rejected ones in a report of so many bytes. The file is replaced
    /// as a whole.
    pub(super) fn write(&self, summary: &Summary, rejects_bytes: u64) -> Result<()> {
        let named = || self.path.display().to_string();
        let noted = Noted {
            content: self.content.clone(),
            summary: summary.clone(),
            rejects_bytes,
        };
        let new = self.path.with_extension("json.new");
        fs::write(&new, serde_json::to_vec(&noted)?).with_context(named)?;
        fs::rename(&new, &self.path).with_context(named)
    }

    /// The import ended.
    pub(super) fn remove(&self) {
        // A file that stays says only what is true.
        let _ = fs::remove_file(&self.path);
    }
}
