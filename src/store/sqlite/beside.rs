//! What lies beside a database and belongs to it.

use super::refusal::OpenError;
use std::fs;
use std::path::{Path, PathBuf};

/// What the names of SQLite's own files add to that of their database.
pub(super) const COMPANIONS: [&str; 3] = ["-wal", "-shm", "-journal"];

/// The file whose name is that of `file` and `suffix`.
pub(super) fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Whether a log lies beside a database with writes that its file lacks, or has to take back.
pub(super) fn has_log(database: &Path) -> bool {
    ["-wal", "-journal"]
        .into_iter()
        .any(|log| fs::metadata(beside(database, log)).is_ok_and(|metadata| metadata.len() > 0))
}

/// Refuses what is left where a new database is to be: SQLite would lay it over that one, or remove it.
pub(super) fn refuse_left(database: &Path) -> Result<(), OpenError> {
    let mut companions = COMPANIONS
        .into_iter()
        .map(|suffix| beside(database, suffix));
    match companions.find(|path| path.symlink_metadata().is_ok()) {
        Some(path) => Err(OpenError::Left { path }),
        None => Ok(()),
    }
}
