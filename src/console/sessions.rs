//! Who is signed in at the console: one small SQLite file, which one process has at a time.
//!
//! It holds no secret that opens anything: of a session only the SHA-256 of its id, which has 256 bits of entropy.

use rusqlite::{Connection, OptionalExtension as _, params};
use std::fs::{DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use thiserror::Error;

const FILE: &str = "console.sqlite3";

/// A session ends so long after its beginning, in seconds (SP 800-63B-4 §2.2.3: 24 hours at the most).
pub(super) const LONGEST: i64 = 12 * 60 * 60;

/// A session ends when nothing was asked for so long, in seconds (SP 800-63B-4 §2.2.3: one hour at the most).
pub(super) const IDLE: i64 = 60 * 60;

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS sessions (
        id_hash BLOB PRIMARY KEY CHECK (length(id_hash) = 32),
        account_id TEXT NOT NULL,
        credential_version INTEGER NOT NULL,
        valid_after INTEGER NOT NULL,
        began_at INTEGER NOT NULL,
        seen_at INTEGER NOT NULL
    ) WITHOUT ROWID, STRICT;
    CREATE TABLE IF NOT EXISTS form_key (key BLOB NOT NULL CHECK (length(key) = 32)) STRICT;
";

/// Why the file cannot be used. The messages say how to mend it.
#[derive(Debug, Error)]
pub enum SessionsUnusable {
    /// Another process has it.
    #[error("{0} belongs to a console that runs already: give each one a directory of its own")]
    Taken(PathBuf),
    /// The directory or the file cannot be made.
    #[error("{0} cannot be made: {1}")]
    Made(PathBuf, io::Error),
    /// SQLite cannot read or write it.
    #[error("{0} cannot be used: {1}")]
    Used(PathBuf, rusqlite::Error),
    /// There is no entropy.
    #[error(transparent)]
    NoEntropy(#[from] crate::random::NoEntropy),
}

/// The file could not be read or written.
#[derive(Debug, Error)]
pub(super) enum SessionsFailed {
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    #[error("the thread that was to do it ended")]
    Thread,
}

/// What is remembered of a session, and compared at every request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Session {
    pub(super) account_id: String,
    pub(super) credential_version: i64,
    /// The account's `sessions_valid_after` when it began, in nanoseconds; 0 is none.
    pub(super) valid_after: i64,
}

/// The hash of a session's id.
pub(super) type IdHash = [u8; 32];

/// The sessions of this process.
#[derive(Clone)]
pub(super) struct Sessions {
    connection: Arc<Mutex<Connection>>,
    form_key: [u8; 32],
}

impl Sessions {
    /// Opens the file, which nobody else can open until this ends. `fresh` becomes the key of forms if there is none.
    pub(super) fn open(directory: &Path, fresh: [u8; 32]) -> Result<Self, SessionsUnusable> {
        let made = |path: &Path| {
            let path = path.to_owned();
            move |cause| SessionsUnusable::Made(path, cause)
        };
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)
            .map_err(made(directory))?;
        let path = directory.join(FILE);
        OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&path)
            .map_err(made(&path))?;
        let opened = begin(&path, fresh);
        let (connection, form_key) = opened.map_err(|cause| {
            if cause.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy) {
                SessionsUnusable::Taken(path)
            } else {
                SessionsUnusable::Used(path, cause)
            }
        })?;
        Ok(Self {
            connection: Arc::new(Mutex::new(connection)),
            form_key,
        })
    }

    /// What forms are bound to their browser with.
    pub(super) const fn form_key(&self) -> &[u8; 32] {
        &self.form_key
    }

    /// Remembers a session that begins now, and forgets those that are over.
    pub(super) async fn begin(
        &self,
        id: IdHash,
        session: Session,
        now: i64,
    ) -> Result<(), SessionsFailed> {
        self.with(move |connection| {
            connection.execute(
                "DELETE FROM sessions WHERE began_at <= ?1 OR seen_at <= ?2",
                params![now - LONGEST, now - IDLE],
            )?;
            connection.execute(
                "INSERT INTO sessions (id_hash, account_id, credential_version, valid_after, began_at, seen_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?5)",
                params![
                    id,
                    session.account_id,
                    session.credential_version,
                    session.valid_after,
                    now
                ],
            )?;
            Ok(())
        })
        .await
    }

    /// The session with this id, if it is not over; it was asked for now.
    pub(super) async fn find(
        &self,
        id: IdHash,
        now: i64,
    ) -> Result<Option<Session>, SessionsFailed> {
        self.with(move |connection| {
            connection
                .query_row(
                    "UPDATE sessions SET seen_at = max(seen_at, ?2)
                     WHERE id_hash = ?1 AND began_at > ?3 AND seen_at > ?4
                     RETURNING account_id, credential_version, valid_after",
                    params![id, now, now - LONGEST, now - IDLE],
                    |row| {
                        Ok(Session {
                            account_id: row.get(0)?,
                            credential_version: row.get(1)?,
                            valid_after: row.get(2)?,
                        })
                    },
                )
                .optional()
        })
        .await
    }

    /// Forgets a session.
    pub(super) async fn end(&self, id: IdHash) -> Result<(), SessionsFailed> {
        self.with(move |connection| {
            connection.execute("DELETE FROM sessions WHERE id_hash = ?1", [id])?;
            Ok(())
        })
        .await
    }

    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, SessionsFailed> {
        let connection = Arc::clone(&self.connection);
        let worked = tokio::task::spawn_blocking(move || {
            work(&connection.lock().unwrap_or_else(PoisonError::into_inner))
        });
        Ok(worked.await.map_err(|_| SessionsFailed::Thread)??)
    }
}

fn begin(path: &Path, fresh: [u8; 32]) -> rusqlite::Result<(Connection, [u8; 32])> {
    let connection = Connection::open(path)?;
    // From the first write on the lock is kept until the process ends.
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    connection.busy_timeout(std::time::Duration::ZERO)?;
    connection.execute_batch("BEGIN EXCLUSIVE")?;
    connection.execute_batch(SCHEMA)?;
    let kept = connection
        .query_row("SELECT key FROM form_key", [], |row| row.get(0))
        .optional()?;
    if kept.is_none() {
        connection.execute("INSERT INTO form_key (key) VALUES (?1)", [fresh])?;
    }
    connection.execute_batch("COMMIT")?;
    connection.pragma_update(None, "secure_delete", true)?;
    Ok((connection, kept.unwrap_or(fresh)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> Session {
        Session {
            account_id: "00".repeat(16),
            credential_version: 3,
            valid_after: 0,
        }
    }

    #[tokio::test]
    async fn a_session_outlives_the_process_and_nothing_in_the_file_opens_it() {
        let directory = tempfile::tempdir().unwrap();
        let sessions = Sessions::open(directory.path(), [1; 32]).unwrap();
        sessions.begin([7; 32], session(), 1_000).await.unwrap();
        drop(sessions);
        let sessions = Sessions::open(directory.path(), [2; 32]).unwrap();
        assert_eq!(sessions.form_key(), &[1; 32]);
        let found = sessions.find([7; 32], 1_001).await.unwrap();
        assert_eq!(found, Some(session()));
        assert_eq!(sessions.find([8; 32], 1_001).await.unwrap(), None);
        sessions.end([7; 32]).await.unwrap();
        assert_eq!(sessions.find([7; 32], 1_001).await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_session_ends_when_it_is_idle_and_in_any_case_after_twelve_hours() {
        let directory = tempfile::tempdir().unwrap();
        let sessions = Sessions::open(directory.path(), [1; 32]).unwrap();
        let there = async |now| sessions.find([7; 32], now).await.unwrap().is_some();
        sessions.begin([7; 32], session(), 0).await.unwrap();
        assert!(there(IDLE - 1).await);
        assert!(!there(2 * IDLE - 1).await);
        sessions.begin([8; 32], session(), 0).await.unwrap();
        let mut now = 0;
        while now + IDLE - 1 < LONGEST {
            now += IDLE - 1;
            assert!(sessions.find([8; 32], now).await.unwrap().is_some());
        }
        assert_eq!(sessions.find([8; 32], LONGEST).await.unwrap(), None);
        sessions.begin([9; 32], session(), LONGEST).await.unwrap();
        let left = sessions.with(|connection| {
            connection.query_row("SELECT count(*) FROM sessions", [], |row| {
                row.get::<_, i64>(0)
            })
        });
        assert_eq!(left.await.unwrap(), 1);
    }

    #[test]
    fn one_process_has_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let first = Sessions::open(directory.path(), [1; 32]).unwrap();
        let second = Sessions::open(directory.path(), [1; 32]);
        assert!(matches!(second, Err(SessionsUnusable::Taken(_))));
        drop(first);
        assert!(Sessions::open(directory.path(), [1; 32]).is_ok());
    }
}
