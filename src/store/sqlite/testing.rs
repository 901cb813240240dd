//! What the tests of the store's machinery share.

use super::accounts::{self, NewAccount};
use super::queue::Priority;
use super::work::Work;
use super::{OpenError, RestoreRefused, Restored, SqliteSettings, SqliteStore, restore};
use crate::clock::Clock;
use crate::domain::account::{DisplayName, Locale, Profile, SecondFactor};
use crate::domain::audit::{Draft, EventName};
use crate::domain::call::{Call, CallerName, CorrelationId};
use crate::domain::email::Email;
use crate::domain::id::AccountId;
use crate::domain::time::Timestamp;
use crate::random::SystemRandom;
use crate::store::StoreError;
use rusqlite::Connection;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A clock that stands where it was put.
pub(super) struct StoppedClock(AtomicI64);

impl StoppedClock {
    pub(super) fn put(&self, micros: i64) {
        self.0.store(micros, Ordering::Relaxed);
    }
}

impl Clock for StoppedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::Relaxed))
    }
}

/// A store in a directory of its own.
pub(super) struct House {
    pub(super) store: Arc<SqliteStore>,
    pub(super) clock: Arc<StoppedClock>,
    pub(super) directory: PathBuf,
    _above: TempDir,
}

impl House {
    pub(super) fn new() -> Self {
        Self::with(SqliteSettings::default())
    }

    pub(super) fn with(settings: SqliteSettings) -> Self {
        let above = TempDir::new().unwrap();
        let directory = above.path().join("data");
        let clock = Arc::new(StoppedClock(AtomicI64::new(1_000_000)));
        let store = SqliteStore::open(&directory, settings, clock.clone(), Arc::new(SystemRandom));
        Self {
            store: Arc::new(store.unwrap()),
            clock,
            directory,
            _above: above,
        }
    }

    /// Closes the store and opens it again.
    pub(super) fn reopened(self) -> Self {
        drop(self.store);
        Self {
            store: Arc::new(open(&self.directory).unwrap()),
            ..self
        }
    }

    /// Closes the store, fills the first page of a table with what is no page, and opens the store again.
    pub(super) fn spoilt(self, table: &str) -> Self {
        drop(self.store);
        let database = self.directory.join("relatch.db");
        let page: u32 = Connection::open(&database)
            .unwrap()
            .query_row(
                "SELECT rootpage FROM sqlite_schema WHERE name = ?1",
                [table],
                |row| row.get(0),
            )
            .unwrap();
        let file = File::options().write(true).open(&database).unwrap();
        file.write_all_at(&[0xff; 4_096], u64::from(page - 1) * 4_096)
            .unwrap();
        Self {
            store: Arc::new(open(&self.directory).unwrap()),
            ..self
        }
    }

    /// With an account of this id.
    pub(super) async fn with_account(self, account_id: AccountId) -> Self {
        let profile = Profile {
            email: Email::parse(&format!("{account_id}@example.com")).unwrap(),
            email_verified: true,
            phone: None,
            phone_verified: false,
            second_factor: SecondFactor::Email,
            locale: Locale::default(),
            display_name: DisplayName::default(),
        };
        let inserted = self.write(move |work| {
            let account = NewAccount {
                account_id,
                profile: &profile,
                disabled: false,
                password_hash: None,
            };
            accounts::insert(work, &account)
        });
        assert!(inserted.await.unwrap());
        self
    }

    /// Hands the operation in, without waiting for its answer.
    pub(super) fn begin<T: Send + 'static>(
        &self,
        priority: Priority,
        operation: impl FnOnce(&mut Work<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> JoinHandle<Result<T, StoreError>> {
        let store = Arc::clone(&self.store);
        tokio::spawn(async move { store.writer.submit(priority, operation).await })
    }

    /// Hands in an operation that a loss of power may take back, without waiting for its answer.
    pub(super) fn begin_passing<T: Send + 'static>(
        &self,
        operation: impl FnOnce(&mut Work<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> JoinHandle<Result<T, StoreError>> {
        let store = Arc::clone(&self.store);
        tokio::spawn(async move {
            let submitted = store
                .writer
                .submit_passing(Priority::Interactive, operation);
            submitted.await
        })
    }

    /// Hands the operation in and waits for its answer.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        operation: impl FnOnce(&mut Work<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.store
            .writer
            .submit(Priority::Interactive, operation)
            .await
    }

    /// Stops the writer within an operation, so that whatever is handed in next becomes one group.
    pub(super) async fn stop_the_writer(&self) -> StoppedWriter {
        let (entered, has_entered) = oneshot::channel();
        let (release, released) = mpsc::channel();
        self.begin(Priority::Interactive, move |_| {
            entered.send(()).unwrap();
            released.recv().unwrap();
            Ok(())
        });
        has_entered.await.unwrap();
        StoppedWriter(release)
    }

    /// Waits until this many operations wait for the writer.
    pub(super) async fn until_waiting(&self, count: usize) {
        while self.store.writer.statistics().waiting != count {
            tokio::task::yield_now().await;
        }
    }

    /// What a process leaves that is killed now: nothing is closed, nothing folded.
    pub(super) fn crashed(&self) -> TempDir {
        let left = TempDir::new().unwrap();
        fs::set_permissions(left.path(), Permissions::from_mode(0o700)).unwrap();
        for name in ["relatch.db", "relatch.db-wal"] {
            fs::copy(self.directory.join(name), left.path().join(name)).unwrap();
        }
        left
    }

    /// The keys of the rows that [`mark`] wrote.
    pub(super) async fn marks(&self) -> Vec<String> {
        marks(&self.store).await
    }

    /// The log: each event's place and the fact that [`mark`] left in it.
    pub(super) async fn log(&self) -> Vec<(i64, String)> {
        let read = self.store.readers.read(|connection| {
            let mut statement =
                connection.prepare_cached("SELECT sequence, leaf FROM audit_leaves ORDER BY 1")?;
            let leaves = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(leaves.collect::<Result<Vec<(i64, Vec<u8>)>, _>>()?)
        });
        let leaves = read.await.unwrap().into_iter();
        leaves
            .map(|(sequence, leaf)| {
                let leaf: crate::domain::audit::Leaf = prost::Message::decode(&*leaf).unwrap();
                assert_eq!(leaf.sequence, sequence);
                (sequence, leaf.attributes[0].value.clone())
            })
            .collect()
    }
}

/// A writer that waits within an operation.
pub(super) struct StoppedWriter(mpsc::Sender<()>);

impl StoppedWriter {
    /// Lets it go on.
    pub(super) fn release(self) {
        self.0.send(()).unwrap();
    }
}

/// Opens a store with a running clock.
pub(super) fn open(directory: &Path) -> Result<SqliteStore, OpenError> {
    let clock = Arc::new(crate::clock::SystemClock);
    let settings = SqliteSettings::default();
    SqliteStore::open(directory, settings, clock, Arc::new(SystemRandom))
}

/// Why the directory is not opened.
pub(super) fn refusal(directory: &Path) -> OpenError {
    match open(directory) {
        Ok(_) => panic!("{} was opened", directory.display()),
        Err(refusal) => refusal,
    }
}

/// Makes the database of a directory of a backup.
pub(super) fn restored(from: &Path, directory: &Path) -> Result<Restored, RestoreRefused> {
    restore(from, directory, &crate::clock::SystemClock, &SystemRandom)
}

/// The keys of the rows that [`mark`] wrote.
pub(super) async fn marks(store: &SqliteStore) -> Vec<String> {
    let read = store.readers.read(|connection| {
        let mut statement =
            connection.prepare_cached("SELECT CAST(limit_key AS TEXT) FROM limits ORDER BY 1")?;
        let keys = statement.query_map([], |row| row.get(0))?;
        Ok(keys.collect::<Result<_, _>>()?)
    });
    read.await.unwrap()
}

/// Whether the file has this text anywhere.
pub(super) fn holds(file: &Path, text: &str) -> bool {
    let bytes = fs::read(file).unwrap();
    bytes
        .windows(text.len())
        .any(|window| window == text.as_bytes())
}

/// Writes a row without an event.
pub(super) fn jot(work: &Work<'_>, key: &str) -> Result<(), StoreError> {
    work.sql()
        .prepare_cached("INSERT INTO limits (limit_key, arrival) VALUES (?1, 0)")?
        .execute([key.as_bytes()])?;
    Ok(())
}

/// Writes a row and an event.
pub(super) fn mark(work: &mut Work<'_>, key: &str) -> Result<(), StoreError> {
    jot(work, key)?;
    work.record(event(work.now(), key))
}

/// An event with a fact.
pub(super) fn event(time: Timestamp, fact: &str) -> Draft {
    Draft::success(time, EventName::PasswordChange, &call()).fact("mark", &fact)
}

/// A call of nobody in particular.
pub(super) fn call() -> Call {
    Call {
        caller: CallerName::parse("web").unwrap(),
        correlation_id: CorrelationId::from_random([1; 8]),
        source_ip: None,
    }
}
