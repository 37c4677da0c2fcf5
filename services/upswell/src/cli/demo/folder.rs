//! The data folder of a demonstration. Only files that a demonstration makes are ever removed from it.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};

use crate::{
    cluster::SERVICES,
    demo::{
        driver::DataFolder,
        state::{Progress, ProgressFile},
    },
};

/// Endings of the files that SQLite keeps for one store.
const STORE_FILES: [&str; 4] = [".db", ".db-wal", ".db-shm", ".db-journal"];

/// A data folder that this process alone plays in, until it is dropped or the process ends.
pub(super) struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// Creates the folder where it is missing, and takes it.
    ///
    /// # Errors
    /// It cannot be written, or another demonstration plays in it.
    pub(super) fn open(path: PathBuf) -> Result<Self> {
        fs::create_dir_all(&path).with_context(|| path.display().to_string())?;
        // Paths of stores and messages must hold wherever they are used from.
        let path = path.canonicalize().with_context(|| path.display().to_string())?;
        let name = path.join("demo.lock");
        let lock = File::create(&name).with_context(|| name.display().to_string())?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path, _lock: lock }),
            Err(TryLockError::WouldBlock) => {
                bail!(
                    "another demo plays in {}: wait for it, or name another folder with --data",
                    path.display()
                )
            }
            Err(TryLockError::Error(error)) => Err(error).with_context(|| name.display().to_string()),
        }
    }

    /// What the driver of the case is given.
    pub(super) fn data(&self) -> DataFolder {
        DataFolder(self.path.clone())
    }

    /// The folder.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The file that says how far the case was played.
    pub(super) fn progress_file(&self) -> ProgressFile {
        ProgressFile::in_folder(&self.path)
    }

    /// Empties the folder for a new run, or leaves it for an unfinished one; the progress to go on from.
    ///
    /// # Errors
    /// The folder holds another case, or cannot be emptied.
    pub(super) fn prepare(&self, case: &str, fresh: bool) -> Result<Progress> {
        let progress = self.progress_file().read(case)?;
        if !fresh && !progress.finished {
            if let Some(completed) = progress.completed {
                eprintln!(
                    "going on with an unfinished run in {}, played up to {completed}",
                    self.path.display()
                );
            }
            return Ok(progress);
        }
        if progress.finished {
            eprintln!("{} holds a finished run; playing anew", self.path.display());
        }
        self.empty()?;
        self.progress_file().read(case)
    }

    fn empty(&self) -> Result<()> {
        // Progress goes last: killed before that, the next run finds a run to play anew and empties the folder again.
        let stores = SERVICES
            .iter()
            .flat_map(|service| STORE_FILES.map(|ending| format!("{service}{ending}")));
        for name in stores.chain(["client.toml".to_owned()]) {
            gone(fs::remove_file(self.path.join(&name)), &self.path.join(name))?;
        }
        let spool = self.data().spool();
        gone(fs::remove_dir_all(&spool), &spool)?;
        let progress = self.path.join("progress.json");
        gone(fs::remove_file(&progress), &progress)
    }
}

/// What is not there need not be removed.
fn gone(removed: io::Result<()>, path: &Path) -> Result<()> {
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error).with_context(|| path.display().to_string()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finished_run_is_cleared_and_nothing_else_is_touched() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::open(place.path().to_path_buf()).unwrap();
        fs::create_dir_all(folder.data().spool().join("email")).unwrap();
        for name in ["offers.db", "offers.db-wal", "mine.db", "notes.txt"] {
            fs::write(place.path().join(name), "x").unwrap();
        }
        let finished = Progress {
            case: "model".to_owned(),
            finished: true,
            ..Progress::default()
        };
        folder.progress_file().write(&finished).unwrap();

        assert!(!folder.prepare("model", false).unwrap().finished);
        let mut left: Vec<_> = fs::read_dir(place.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        assert_eq!(left, ["demo.lock", "mine.db", "notes.txt"]);
    }

    #[test]
    fn an_unfinished_run_goes_on_unless_told_otherwise() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::open(place.path().to_path_buf()).unwrap();
        let completed = Some("2026-10-12T05:00:00Z".parse().unwrap());
        let unfinished = Progress {
            case: "model".to_owned(),
            completed,
            ..Progress::default()
        };
        folder.progress_file().write(&unfinished).unwrap();
        assert_eq!(folder.prepare("model", false).unwrap(), unfinished);
        assert!(folder.prepare("other", false).is_err());
        assert_eq!(folder.prepare("model", true).unwrap().completed, None);
    }

    #[test]
    fn two_demos_do_not_share_a_folder() {
        let place = tempfile::tempdir().unwrap();
        let _first = Folder::open(place.path().to_path_buf()).unwrap();
        let second = Folder::open(place.path().to_path_buf());
        assert!(second.is_err_and(|error| error.to_string().contains("--data")));
    }
}
