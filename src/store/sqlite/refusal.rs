//! Why a data directory was not opened.

use crate::random::NoEntropy;
use rusqlite::ErrorCode;
use std::io;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// A data directory cannot be opened. The message says what to do about it.
#[derive(Debug, Error)]
pub enum OpenError {
    /// A file or directory cannot be created or opened.
    #[error("cannot open {path}: {cause}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the operating system says.
        cause: io::Error,
    },
    /// Others than its owner can read or write it.
    #[error("{path} has mode {mode:04o}, so others can reach it: run `chmod {wanted:04o} {path}`")]
    Exposed {
        /// Which.
        path: PathBuf,
        /// Its mode.
        mode: u32,
        /// The mode it should have.
        wanted: u32,
    },
    /// Another process has it open.
    #[error("another process is using {directory}: stop that one, or use another data directory")]
    InUse {
        /// The data directory.
        directory: PathBuf,
    },
    /// A service was killed, and looking at what it left would make files that are not its owner's.
    #[error(
        "a service was killed in {directory}: start it, so that its last writes are in the database"
    )]
    Unfinished {
        /// The data directory.
        directory: PathBuf,
    },
    /// What SQLite would take for a part of a new database is there already.
    #[error(
        "{path} is left of a database that was moved away without it, and may hold its last writes: move it to that database, or the whole directory away"
    )]
    Left {
        /// The file.
        path: PathBuf,
    },
    /// The database belongs to another program.
    #[error("{path} is another program's database: use another data directory")]
    Foreign {
        /// The database.
        path: PathBuf,
    },
    /// The database is a demonstration's, and a service would take its accounts for people's.
    #[error(
        "{directory} holds a demonstration, made by `relatch dev`, with accounts whose passwords anybody may know: name another directory in store.directory"
    )]
    Demonstration {
        /// The data directory.
        directory: PathBuf,
    },
    /// The database is a service's, and a demonstration would put its accounts into it.
    #[error("{directory} holds the data of a service: use another directory for a demonstration")]
    Service {
        /// The data directory.
        directory: PathBuf,
    },
    /// The database was written by a newer version.
    #[error(
        "{path} has schema {found}, and this version knows no more than {known}: use a newer version of Relatch"
    )]
    Newer {
        /// The database.
        path: PathBuf,
        /// The version of its schema.
        found: i64,
        /// The newest that this program knows.
        known: i64,
    },
    /// The database is damaged, or is none.
    #[error(
        "{path} is damaged or is not a database ({cause}): restore it from a backup with `relatch store restore`"
    )]
    Damaged {
        /// The database.
        path: PathBuf,
        /// What SQLite says.
        cause: rusqlite::Error,
    },
    /// SQLite refused for another reason.
    #[error("cannot open {path}: {cause}")]
    Sqlite {
        /// The database.
        path: PathBuf,
        /// What SQLite says.
        cause: rusqlite::Error,
    },
    /// A new log needs a random name.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
    /// The writer's thread cannot be started.
    #[error("cannot start the thread that writes: {0}")]
    Thread(io::Error),
}

impl OpenError {
    pub(super) fn file(path: &Path, cause: io::Error) -> Self {
        Self::File {
            path: path.to_owned(),
            cause,
        }
    }

    pub(super) fn sqlite(path: &Path, cause: rusqlite::Error) -> Self {
        let path = path.to_owned();
        match cause.sqlite_error_code() {
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
                Self::Damaged { path, cause }
            }
            _ => Self::Sqlite { path, cause },
        }
    }
}
