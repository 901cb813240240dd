//! What lies beside a database and belongs to it.

use std::fs;
use std::path::{Path, PathBuf};

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
