//! A data directory made of a backup.
//!
//! What happened after the backup is forgotten, and that must not bring anything back to life that had
//! ended meanwhile: links that were used, sessions that were ended, proofs under passwords that were
//! changed. So all of them end here.

use super::backup::{self, BackupRefused};
use super::beside::refuse_left;
use super::draft::FileDraft;
use super::lock::DirectoryLock;
use super::refusal::OpenError;
use super::verify::Contents;
use super::{audit, connection, copy, private, schema};
use crate::clock::Clock;
use crate::domain::audit::{Draft, Entropy, EventName, Sequence, enter};
use crate::domain::call::{Call, CallerName, CorrelationId};
use crate::domain::id::EventId;
use crate::domain::time::Timestamp;
use crate::domain::totp::Step;
use crate::random::{self, NoEntropy, Random};
use crate::store::StoreError;
use data_encoding::HEXLOWER;
use rusqlite::{Connection, TransactionBehavior};
use std::io;
use std::path::{self, Path, PathBuf};
use std::time::Duration;
use thiserror::Error;

/// Why nothing was restored. The message says what to do about it.
#[derive(Debug, Error)]
pub enum RestoreRefused {
    /// There is a database already.
    #[error(
        "{database} exists and is not overwritten: stop the service and move the whole directory {directory} away first, not that file alone"
    )]
    Exists {
        /// The database.
        database: PathBuf,
        /// Where it is.
        directory: PathBuf,
    },
    /// The backup cannot be used.
    #[error("the backup cannot be used: {0}")]
    Backup(#[from] BackupRefused),
    /// The data directory cannot be used.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// It cannot be written.
    #[error("{0} cannot be written: {1}")]
    Unwritable(PathBuf, io::Error),
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no entropy.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
}

/// What was restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// What the backup holds, its log included, which ends with it.
    pub backup: Contents,
    /// The origin of the log that begins.
    pub log_origin: String,
}

/// Makes the database of `directory`, where there must be none, of the backup `from`. It appears whole or
/// not at all. What root makes belongs to the owner of the directory, or of the nearest above it that was there.
pub fn restore(
    from: &Path,
    directory: &Path,
    clock: &dyn Clock,
    random: &dyn Random,
) -> Result<Restored, RestoreRefused> {
    let absolute = |path: &Path| path::absolute(path).map_err(|cause| OpenError::file(path, cause));
    let (from, directory) = (absolute(from)?, absolute(directory)?);
    let database = directory.join("relatch.db");
    // Before the backup is read through, which takes a while.
    refuse_occupied(&directory, &database)?;
    let (source, contents) = backup::read(&from)?;
    let home = private::nearest(&directory).to_owned();
    private::directory(&directory)?;
    private::hand_over(
        directory.ancestors().take_while(|path| *path != home),
        &home,
    )?;
    // From here on no service begins here, and none has.
    let lock = DirectoryLock::take(&directory)?;
    refuse_occupied(&directory, &database)?;
    let draft = FileDraft::of(&database)?;
    private::hand_over([lock.path(), draft.path()], &home)?;
    let sqlite = |error| RestoreRefused::from(OpenError::sqlite(draft.path(), error));
    let mut made = connection::open(draft.path()).map_err(sqlite)?;
    copy::whole(&source, &mut made).map_err(sqlite)?;
    let version = schema::version(&made, draft.path())?;
    schema::migrate(&mut made, version).map_err(sqlite)?;
    made.pragma_update(None, "secure_delete", true)
        .map_err(sqlite)?;

    let restored = Restored {
        log_origin: format!("relatch/{}", HEXLOWER.encode(&random::array::<8>(random)?)),
        backup: contents,
    };
    let transaction = made
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(sqlite)?;
    // A clock that was set back must not bring the time of the backup back.
    let after_the_backup = restored.backup.latest_event.plus(Duration::from_micros(1));
    let now = clock.now().max(after_the_backup);
    end_everything(&transaction, now)?;
    begin_a_log(&transaction, &restored, now, random)?;
    transaction.commit().map_err(sqlite)?;
    made.close().map_err(|(_, error)| sqlite(error))?;
    draft
        .publish()
        .map_err(|cause| RestoreRefused::Unwritable(database, cause))?;
    Ok(restored)
}

/// Refuses a directory with a database, or with what SQLite would lay over the one to come.
fn refuse_occupied(directory: &Path, database: &Path) -> Result<(), RestoreRefused> {
    if database.symlink_metadata().is_ok() {
        return Err(RestoreRefused::Exists {
            database: database.to_owned(),
            directory: directory.to_owned(),
        });
    }
    Ok(refuse_left(database)?)
}

/// Ends links, sessions and proofs, which all live under the credential version of their account; forgets
/// requests that nobody has looked at, whose links may have been made and used after the backup, calls
/// that may be repeated, apps that were being enrolled, and orders to remove a second factor, to which somebody may have objected since. Codes that apps have shown until now are used up.
/// Mails with links that are not sent yet are found dead by the courier.
///
/// Versions go on from the microseconds of the restore: above all that any account has had, also since the
/// backup and after other restores of it, for none moves as fast as time.
fn end_everything(connection: &Connection, now: Timestamp) -> Result<(), StoreError> {
    connection.execute(
        "UPDATE accounts SET credential_version = max(credential_version + 1, ?1), sessions_valid_after = ?1,
                             revision = max(revision + 1, ?1)",
        [now.as_micros()],
    )?;
    connection
        .execute_batch("DELETE FROM intake; DELETE FROM idempotency; DELETE FROM enrolments; DELETE FROM address_verifications;")?;
    connection.execute(
        "UPDATE factor_removals SET ended_at = ?1 WHERE ended_at IS NULL",
        [now.as_micros()],
    )?;
    connection.execute(
        "UPDATE totp SET last_step = max(last_step, ?1)",
        [Step::of(now).get()],
    )?;
    Ok(())
}

/// Ends the backup's log, which stays whole in the backup, and begins one that names it.
fn begin_a_log(
    connection: &Connection,
    restored: &Restored,
    now: Timestamp,
    random: &dyn Random,
) -> Result<(), RestoreRefused> {
    let sqlite = |error: rusqlite::Error| StoreError::from(error);
    let guards: Vec<(String, String)> = connection
        .prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name LIKE 'audit_%'")
        .and_then(|mut statement| {
            statement
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect()
        })
        .map_err(sqlite)?;
    for (name, _) in &guards {
        connection
            .execute_batch(&format!("DROP TRIGGER {name}"))
            .map_err(sqlite)?;
    }
    connection
        .execute_batch("DELETE FROM audit_openings; DELETE FROM audit_leaves;")
        .map_err(sqlite)?;
    for (_, sql) in &guards {
        connection.execute_batch(sql).map_err(sqlite)?;
    }
    connection
        .execute(
            "UPDATE installation SET log_origin = ?1",
            [&restored.log_origin],
        )
        .map_err(sqlite)?;
    let call = Call {
        caller: CallerName::relatch(),
        correlation_id: CorrelationId::from_random(random::array(random)?),
        source_ip: None,
    };
    let event = Draft::success(now, EventName::StoreRestored, &call)
        .fact("old_origin", &restored.backup.log_origin)
        .fact("old_size", &restored.backup.log_size)
        .fact("old_root", &HEXLOWER.encode(&restored.backup.log_root));
    let entropy = Entropy {
        event_id: EventId::from_bytes(random::array(random)?),
        salt: random::array(random)?,
    };
    let entries = enter(&restored.log_origin, Sequence::ZERO, [(event, entropy)]);
    Ok(audit::append(connection, &entries)?)
}

#[cfg(test)]
mod tests {
    use super::super::backup;
    use super::super::testing::{House, mark, marks, open, refusal, restored};
    use super::super::totp;
    use super::*;
    use crate::clock::SystemClock;
    use crate::domain::id::AccountId;
    use crate::domain::seal::Sealed;
    use crate::random::SystemRandom;
    use crate::store::App;
    use std::fs;
    use std::os::unix::fs::{MetadataExt as _, chown};
    use tempfile::TempDir;

    /// A backup of a store with one mark, and where there is no data yet.
    async fn a_backup() -> (TempDir, PathBuf, PathBuf) {
        let house = House::new();
        house.write(|work| mark(work, "kept")).await.unwrap();
        let directory = TempDir::new().unwrap();
        let (file, data) = (directory.path().join("a"), directory.path().join("data"));
        backup(&house.directory, &file).unwrap();
        (directory, file, data)
    }

    #[tokio::test]
    async fn of_second_factors_everything_ends_that_may_have_ended_since() {
        let ada = AccountId::from_bytes([1; 16]);
        let house = House::new().with_account(ada).await;
        let before = house.write(move |work| {
            let app = App {
                sealed_secret: Sealed::from_bytes(vec![1; 64]),
                last_step: Step::BEFORE_ANY,
            };
            totp::set(work, ada, &app)?;
            work.sql().execute_batch(
                "INSERT INTO enrolments SELECT account_id, 1, x'01', 0, 9223372036854775807 FROM accounts;
                 INSERT INTO factor_removals SELECT account_id, account_id, 1, 2, NULL FROM accounts;",
            )?;
            Ok(())
        });
        before.await.unwrap();
        let directory = TempDir::new().unwrap();
        let (file, data) = (directory.path().join("a"), directory.path().join("data"));
        backup(&house.directory, &file).unwrap();
        let begun = SystemClock.now();
        restored(&file, &data).unwrap();
        let store = open(&data).unwrap();
        let left = store.readers.read(move |connection| {
            let count = |sql| connection.query_row(sql, [], |row| row.get::<_, u32>(0));
            let to_come = count("SELECT count(*) FROM factor_removals WHERE ended_at IS NULL")?;
            let enrolments = count("SELECT count(*) FROM enrolments")?;
            let app = totp::app(connection, ada)?;
            Ok((to_come, enrolments, app.map(|app| app.last_step)))
        });
        let (to_come, enrolments, last_step) = left.await.unwrap();
        assert_eq!((to_come, enrolments), (0, 0));
        assert!(
            last_step >= Some(Step::of(begun)),
            "what the app shows now is used up"
        );
    }

    #[tokio::test]
    async fn what_is_left_of_another_database_is_refused_and_kept() {
        let (_directory, file, data) = a_backup().await;
        private::directory(&data).unwrap();
        for name in ["relatch.db-wal", "relatch.db-shm", "relatch.db-journal"] {
            let left = data.join(name);
            fs::write(&left, "last writes").unwrap();
            let refused = restored(&file, &data).unwrap_err().to_string();
            let told = format!("{} is left of a database", left.display());
            assert!(refused.starts_with(&told), "{refused}");
            assert!(!data.join("relatch.db").exists());
            assert_eq!(fs::read(&left).unwrap(), b"last writes");
            fs::remove_file(left).unwrap();
        }
        restored(&file, &data).unwrap();
        let again = restored(&file, &data).unwrap_err().to_string();
        let way_out = format!("move the whole directory {} away", data.display());
        assert!(again.contains(&way_out), "{again}");
        assert_eq!(marks(&open(&data).unwrap()).await, ["kept"]);
    }

    /// Tries to serve a directory when it is asked for the time.
    struct Impatient(PathBuf);

    impl Clock for Impatient {
        fn now(&self) -> Timestamp {
            let refusal = refusal(&self.0);
            assert!(matches!(refusal, OpenError::InUse { .. }), "{refusal}");
            SystemClock.now()
        }
    }

    #[tokio::test]
    async fn no_service_is_at_work_where_a_database_is_restored() {
        let (_directory, file, data) = a_backup().await;
        private::directory(&data).unwrap();
        let service = DirectoryLock::take(&data).unwrap();
        let refused = restored(&file, &data).unwrap_err();
        let RestoreRefused::Open(OpenError::InUse { .. }) = refused else {
            panic!("{refused}");
        };
        drop(service);
        restore(&file, &data, &Impatient(data.clone()), &SystemRandom).unwrap();
        let left: Vec<_> = fs::read_dir(&data).unwrap().collect();
        assert_eq!(left.len(), 2, "the database and the lock: {left:?}");
    }

    /// Root restores for another user; whoever else does, for themselves.
    #[tokio::test]
    async fn what_is_made_belongs_to_the_owner_of_what_was_there() {
        let (directory, file, data) = a_backup().await;
        let owner = |path: &Path| {
            let metadata = fs::metadata(path).unwrap();
            (metadata.uid(), metadata.gid())
        };
        if rustix::process::geteuid().is_root() {
            chown(directory.path(), Some(65_534), Some(65_533)).unwrap();
        }
        let service = owner(directory.path());
        let deep = data.join("deep");
        restored(&file, &deep).unwrap();
        for made in [
            &data,
            &deep,
            &deep.join("relatch.db"),
            &deep.join("relatch.lock"),
        ] {
            assert_eq!(owner(made), service, "{}", made.display());
        }
    }

    #[tokio::test]
    async fn what_a_killed_restore_left_makes_way() {
        let (_directory, file, data) = a_backup().await;
        private::directory(&data).unwrap();
        for name in ["relatch.db.draft", "relatch.db.draft-journal"] {
            fs::write(data.join(name), "half of it").unwrap();
        }
        restored(&file, &data).unwrap();
        assert_eq!(marks(&open(&data).unwrap()).await, ["kept"]);
    }
}
