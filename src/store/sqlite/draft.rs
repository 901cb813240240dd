//! A database file in the making.

use super::beside::{COMPANIONS, beside};
use super::private;
use super::refusal::OpenError;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// A file in the making, which nobody but its owner can read. Unless it is published, nothing of it is left.
pub(super) struct FileDraft {
    to: PathBuf,
    path: PathBuf,
}

impl FileDraft {
    /// Begins the file `to`, an absolute path.
    pub(super) fn of(to: &Path) -> Result<Self, OpenError> {
        let draft = Self {
            to: to.to_owned(),
            path: beside(to, ".draft"),
        };
        // Of one that was killed.
        draft.remove();
        drop(private::new_file(&draft.path)?);
        Ok(draft)
    }

    /// Where it is until it is published.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Gives it its name, which nothing else may have meanwhile, for good: also after a loss of power.
    pub(super) fn publish(self) -> io::Result<()> {
        File::open(&self.path)?.sync_all()?;
        fs::hard_link(&self.path, &self.to)?;
        match self.to.parent() {
            Some(directory) => File::open(directory)?.sync_all(),
            None => Ok(()),
        }
    }

    fn remove(&self) {
        // What is not there is removed, and what cannot be is told by whoever is in its way.
        let _ = fs::remove_file(&self.path);
        for companion in COMPANIONS {
            let _ = fs::remove_file(beside(&self.path, companion));
        }
    }
}

impl Drop for FileDraft {
    fn drop(&mut self) {
        // Either it has its name by now, or nobody wants it.
        self.remove();
    }
}
