//! One process at a time: a second writer thread would number events from a head of its own.

use super::private;
use super::refusal::OpenError;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

/// Holds a data directory for this process. The operating system releases it when this is dropped,
/// and when the process dies in whatever way; the file itself stays and means nothing.
#[derive(Debug)]
pub(super) struct DirectoryLock {
    path: PathBuf,
    _held: File,
}

impl DirectoryLock {
    /// Takes the directory, or says that it is taken.
    pub(super) fn take(directory: &Path) -> Result<Self, OpenError> {
        let path = directory.join("relatch.lock");
        let file = private::file(&path)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { path, _held: file }),
            Err(TryLockError::WouldBlock) => Err(OpenError::InUse {
                directory: directory.to_owned(),
            }),
            Err(TryLockError::Error(cause)) => Err(OpenError::file(&path, cause)),
        }
    }

    /// The file that is locked.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}
