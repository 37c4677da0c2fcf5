//! How far a case has been played: one small file beside the databases, so that a killed run goes on where it was.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What is kept between runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Name of the case.
    pub case: String,
    /// The last hour that was played to its end; everything up to it is durable in the services.
    pub completed: Option<Timestamp>,
    /// The whole case was played.
    pub finished: bool,
    /// Facts that ingestion refused so far, each with its reasons.
    pub rejected: Vec<String>,
}

/// The file.
#[derive(Clone, Debug)]
pub struct ProgressFile(PathBuf);

impl ProgressFile {
    /// The file in a data folder.
    pub fn in_folder(data: &Path) -> Self {
        Self(data.join("progress.json"))
    }

    /// Reads it; a missing one means that nothing was played.
    ///
    /// # Errors
    /// Unreadable or damaged file, or one of another case.
    pub fn read(&self, case: &str) -> Result<Progress> {
        let text = match fs::read_to_string(&self.0) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Progress {
                    case: case.to_owned(),
                    ..Progress::default()
                });
            }
            Err(error) => return Err(error).with_context(|| self.0.display().to_string()),
        };
        let progress: Progress = serde_json::from_str(&text).with_context(|| self.0.display().to_string())?;
        ensure!(
            progress.case == case,
            "{} holds the case `{}`, not `{case}`: name another folder with --data",
            self.0.display(),
            progress.case
        );
        Ok(progress)
    }

    /// Replaces it as a whole: a reader sees the old content or the new.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn write(&self, progress: &Progress) -> Result<()> {
        let fresh = self.0.with_extension("json.tmp");
        fs::write(&fresh, serde_json::to_vec_pretty(progress)?).with_context(|| fresh.display().to_string())?;
        fs::rename(&fresh, &self.0).with_context(|| self.0.display().to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_another_case_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = ProgressFile::in_folder(folder.path());
        let mut progress = file.read("model").unwrap();
        assert_eq!(progress.completed, None);
        progress.completed = Some("2026-10-12T05:00:00Z".parse().unwrap());
        file.write(&progress).unwrap();
        assert_eq!(file.read("model").unwrap(), progress);
        assert!(file.read("other").unwrap_err().to_string().contains("--data"));
    }
}
