//! Opening a data directory: whose it is, what is in it, and what serves it.

use super::group::Groups;
use super::lock::DirectoryLock;
use super::readers::Readers;
use super::writer::Writer;
use super::{SqliteStore, audit, connection, installation, private, schema};
use crate::clock::Clock;
use crate::random::{self, NoEntropy, Random};
use crate::store::StoreError;
use rusqlite::{Connection, ErrorCode};
use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use thiserror::Error;
use tokio::sync::watch;

/// How much a store takes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SqliteSettings {
    /// How many operations of each priority may wait for the writer; more are refused.
    pub waiting: NonZeroUsize,
    /// How many reads run at a time; more wait.
    pub readers: NonZeroUsize,
}

impl Default for SqliteSettings {
    fn default() -> Self {
        const WAITING: NonZeroUsize = NonZeroUsize::new(4_096).unwrap();
        const READERS: NonZeroUsize = NonZeroUsize::new(4).unwrap();
        Self {
            waiting: WAITING,
            readers: READERS,
        }
    }
}

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
    /// The database belongs to another program.
    #[error("{path} is another program's database: use another data directory")]
    Foreign {
        /// The database.
        path: PathBuf,
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
    #[error("{path} is damaged or is not a database ({cause}): restore it from a backup")]
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
    /// The audit log's head cannot be read.
    #[error(transparent)]
    Log(#[from] StoreError),
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

impl SqliteStore {
    /// Opens the store in `directory`, which is created when it is not there, and brings its schema
    /// up to date. Blocks while it does; the directory is this process's until the store is dropped.
    ///
    /// Dropping the store blocks too: what waits is written, and the write-ahead log is folded into
    /// the database.
    pub fn open(
        directory: &Path,
        settings: SqliteSettings,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Self, OpenError> {
        private::directory(directory)?;
        let lock = DirectoryLock::take(directory)?;
        let database = directory.join("relatch.db");
        let connection = open_database(&database)?;
        let sqlite = |error| OpenError::sqlite(&database, error);

        let now = clock.now();
        let log_origin = match installation::log_origin(&connection).map_err(sqlite)? {
            Some(origin) => origin,
            None => installation::create(&connection, random::array(random.as_ref())?, now)
                .map_err(sqlite)?,
        };
        let readers = (0..settings.readers.get())
            .map(|_| connection::open_reader(&database))
            .collect::<Result<Vec<_>, _>>()
            .map_err(sqlite)?;
        let groups = Groups {
            head: watch::Sender::new(audit::head(&connection)?),
            work: watch::Sender::new(0),
            log_origin: Arc::clone(&log_origin),
            connection,
            clock: Arc::clone(&clock),
            random,
            now,
            unresolved: None,
        };
        Ok(Self {
            readers: Readers::new(readers),
            writer: Writer::start(groups, settings.waiting).map_err(OpenError::Thread)?,
            clock,
            log_origin,
            _lock: lock,
        })
    }
}

/// Opens the database file as the writer will use it, its schema up to date.
fn open_database(database: &Path) -> Result<Connection, OpenError> {
    // SQLite gives its companions the mode of the database.
    drop(private::file(database)?);
    for companion in ["relatch.db-wal", "relatch.db-shm"] {
        private::file_if_present(&database.with_file_name(companion))?;
    }
    let sqlite = |error| OpenError::sqlite(database, error);
    let mut connection = connection::open(database).map_err(sqlite)?;
    let version = schema::version(&connection, database)?;
    connection::make_writer(&connection).map_err(sqlite)?;
    schema::migrate(&mut connection, version).map_err(sqlite)?;
    Ok(connection)
}
