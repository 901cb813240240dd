//! Opening a data directory: whose it is, what is in it, and what serves it.

use super::beside::refuse_left;
use super::damage::Damage;
use super::folding::Folding;
use super::group::Groups;
use super::lock::DirectoryLock;
use super::readers::Readers;
use super::refusal::OpenError;
use super::statistics::Counters;
use super::writer::Writer;
use super::{SqliteStore, audit, connection, installation, private, schema};
use crate::clock::Clock;
use crate::metrics::WriterMetrics;
use crate::random::{self, Random};
use rusqlite::Connection;
use std::num::NonZeroUsize;
use std::path::{self, Path};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How much a store takes on, and who sees it.
#[derive(Debug, Clone)]
pub struct SqliteSettings {
    /// Whether it is a demonstration's, whose accounts everybody may know. A database is a demonstration's or a service's
    /// for good, and is no use to the other.
    pub demonstration: bool,
    /// How many operations of each priority may wait for the writer; more are refused.
    pub waiting: NonZeroUsize,
    /// How many reads run at a time; more wait.
    pub readers: NonZeroUsize,
    /// How long the write-ahead log may hold pages as they were, erased addresses included, while something is written
    /// all the time.
    pub fold_within: Duration,
    /// Whether text messages can be sent: without, nobody is told anything by one.
    pub sms: bool,
    /// What its writer is measured with.
    pub metrics: WriterMetrics,
}

impl Default for SqliteSettings {
    fn default() -> Self {
        // Unwrapped by the compiler.
        const WAITING: NonZeroUsize = NonZeroUsize::new(4_096).unwrap();
        const READERS: NonZeroUsize = NonZeroUsize::new(4).unwrap();
        Self {
            demonstration: false,
            waiting: WAITING,
            readers: READERS,
            fold_within: Duration::from_mins(1),
            sms: true,
            metrics: WriterMetrics::default(),
        }
    }
}

impl SqliteStore {
    /// Opens the store in `directory`, which is created when it is not there, and brings its schema
    /// up to date. Blocks while it does; the directory is this process's until the store is dropped.
    ///
    /// Dropping the store blocks too: the write-ahead log is folded into the database.
    pub fn open(
        directory: &Path,
        settings: SqliteSettings,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Self, OpenError> {
        // Messages name the whole path, and SQLite would take a relative `file:` for a URI.
        let directory =
            &path::absolute(directory).map_err(|cause| OpenError::file(directory, cause))?;
        private::directory(directory)?;
        let lock = DirectoryLock::take(directory)?;
        let database = directory.join("relatch.db");
        let connection = open_database(&database)?;
        let sqlite = |error| OpenError::sqlite(&database, error);

        let now = clock.now();
        let found = installation::read(&connection).map_err(sqlite)?;
        let installation = if let Some(found) = found {
            found
        } else {
            let entropy = random::array(random.as_ref())?;
            installation::create(&connection, entropy, settings.demonstration, now)
                .map_err(sqlite)?
        };
        let directory = directory.clone();
        match (installation.demonstration, settings.demonstration) {
            (true, false) => return Err(OpenError::Demonstration { directory }),
            (false, true) => return Err(OpenError::Service { directory }),
            (true, true) | (false, false) => {}
        }
        let readers = (0..settings.readers.get())
            .map(|_| connection::open_reader(&database))
            .collect::<Result<Vec<_>, _>>()
            .map_err(sqlite)?;
        let damage = Arc::new(Damage::none_in(database.clone()));
        let groups = Groups {
            head: watch::Sender::new(audit::head(&connection).map_err(sqlite)?),
            work: watch::Sender::new(0),
            log_origin: Arc::clone(&installation.log_origin),
            connection,
            clock: Arc::clone(&clock),
            random,
            now,
            sms: settings.sms,
            unresolved: None,
            syncs: true,
            counters: Arc::new(Counters::new(settings.metrics)),
            damage: Arc::clone(&damage),
        };
        Ok(Self {
            readers: Readers::new(readers, Arc::clone(&damage)),
            writer: Writer::start(groups, settings.waiting, Folding::new(settings.fold_within))
                .map_err(OpenError::Thread)?,
            clock,
            log_origin: installation.log_origin,
            damage,
            directory,
            _lock: lock,
        })
    }
}

/// Opens the database file as the writer will use it, its schema up to date.
fn open_database(database: &Path) -> Result<Connection, OpenError> {
    if !database.exists() {
        refuse_left(database)?;
    }
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

#[cfg(test)]
mod tests {
    use super::super::testing::{House, mark, marks, open, refusal};
    use super::*;
    use std::fs;
    use tempfile::TempDir;

    /// How a directory is refused when a closure has had its hands on its database.
    fn spoilt(spoil: impl FnOnce(&Path)) -> (TempDir, OpenError) {
        let house = TempDir::new().unwrap();
        let directory = house.path().join("data");
        drop(open(&directory).unwrap());
        spoil(&directory.join("relatch.db"));
        let refusal = refusal(&directory);
        (house, refusal)
    }

    #[tokio::test]
    async fn a_directory_is_one_stores_at_a_time() {
        let house = House::new();
        let refusal = refusal(&house.directory);
        assert!(matches!(refusal, OpenError::InUse { .. }));
        let message = refusal.to_string();
        assert!(
            message.contains(&*house.directory.to_string_lossy()),
            "{message}"
        );
        house.reopened();
    }

    #[tokio::test]
    async fn a_log_goes_on_where_it_ended() {
        let house = House::new();
        house.write(|work| mark(work, "before")).await.unwrap();
        let house = house.reopened();
        assert_eq!(house.store.writer.head().borrow().get(), 1);
        house.write(|work| mark(work, "after")).await.unwrap();
        let log = [(1, "before".to_owned()), (2, "after".to_owned())];
        assert_eq!(house.log().await, log);
    }

    #[tokio::test]
    async fn what_was_answered_survives_a_crash() {
        let house = House::new();
        house.write(|work| mark(work, "answered")).await.unwrap();
        let crashed = house.crashed();
        let store = open(crashed.path()).unwrap();
        assert_eq!(marks(&store).await, ["answered"]);
        assert_eq!(store.writer.head().borrow().get(), 1);
    }

    #[tokio::test]
    async fn a_log_without_its_database_is_refused_and_kept() {
        let house = House::new();
        house.write(|work| mark(work, "answered")).await.unwrap();
        let crashed = house.crashed();
        let (there, moved) = (
            crashed.path().join("relatch.db"),
            crashed.path().join("moved"),
        );
        fs::rename(&there, &moved).unwrap();
        let refusal = refusal(crashed.path());
        assert!(matches!(refusal, OpenError::Left { .. }), "{refusal}");
        fs::rename(&moved, &there).unwrap();
        let store = open(crashed.path()).unwrap();
        assert_eq!(marks(&store).await, ["answered"]);
    }

    #[tokio::test]
    async fn closing_folds_the_write_ahead_log_into_the_database() {
        let house = House::new();
        house.write(|work| mark(work, "a")).await.unwrap();
        let wal = house.directory.join("relatch.db-wal");
        assert!(wal.exists());
        drop(house.store);
        assert!(!wal.exists());
    }

    #[test]
    fn another_programs_database_is_refused_and_left_as_it_is() {
        let mut before = Vec::new();
        let (_house, refusal) = spoilt(|database| {
            fs::write(database, "").unwrap();
            let connection = Connection::open(database).unwrap();
            connection.execute_batch("CREATE TABLE theirs (a)").unwrap();
            drop(connection);
            before = fs::read(database).unwrap();
        });
        let OpenError::Foreign { path } = &refusal else {
            panic!("{refusal}");
        };
        assert_eq!(fs::read(path).unwrap(), before);
    }

    #[test]
    fn a_file_that_is_no_database_or_a_damaged_one_is_refused() {
        let (_house, garbage) = spoilt(|database| fs::write(database, [b'?'; 8_192]).unwrap());
        assert!(matches!(garbage, OpenError::Damaged { .. }), "{garbage}");
        assert!(garbage.to_string().contains("restore it from a backup"));
        let (_house, damaged) = spoilt(|database| {
            let mut bytes = fs::read(database).unwrap();
            bytes[100..4_096].fill(0xff);
            fs::write(database, bytes).unwrap();
        });
        assert!(matches!(damaged, OpenError::Damaged { .. }), "{damaged}");
    }
}
