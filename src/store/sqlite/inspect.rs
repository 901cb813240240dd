//! Looking at a data directory without touching it, also while a service is at work in it.

use super::refusal::OpenError;
use super::{connection, installation, peppers, private, room, schema};
use crate::domain::password::PepperId;
use rusqlite::Connection;
use std::fs::{File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{self, Path};

/// How many findings of a damaged database are told.
const FINDINGS: u32 = 5;

/// What was seen of a data directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// Whether a service is at work in it.
    pub in_use: bool,
    /// Room left on its file system, in bytes, for whoever is not root.
    pub free: u64,
    /// The database.
    pub database: Database,
}

/// What was seen of the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Database {
    /// There is none, and a service would make it; nor a directory, perhaps.
    Absent,
    /// A service was killed, and its last writes are still beside the database. They are taken over at
    /// the next start. Looking now would make files that are not its owner's, so nobody looked.
    Unfinished,
    /// It was read through.
    Read {
        /// The version of its schema.
        schema: i64,
        /// The version that a service of this program would bring it to.
        newest: i64,
        /// What is wrong in it, in SQLite's words; empty when nothing is.
        findings: Vec<String>,
        /// Whether it is sound and a demonstration's, which a service refuses.
        demonstration: bool,
        /// The peppers that hashes need, if it is sound, and the number of their accounts.
        peppers: Vec<(PepperId, u32)>,
    },
}

/// Looks at the store in `directory`. Reads the whole database, which takes a second for some 100 MB.
pub fn inspect(directory: &Path) -> Result<Inspection, OpenError> {
    let directory =
        &path::absolute(directory).map_err(|cause| OpenError::file(directory, cause))?;
    let database = directory.join("relatch.db");
    if !database.exists() {
        if directory.exists() {
            private::directory_as_found(directory)?;
        }
        return Ok(Inspection {
            in_use: false,
            free: room::free(directory)?,
            database: Database::Absent,
        });
    }
    private::directory_as_found(directory)?;
    for name in [
        "relatch.db",
        "relatch.db-wal",
        "relatch.db-shm",
        "relatch.lock",
    ] {
        private::file_if_present(&directory.join(name))?;
    }
    loop {
        let in_use = in_use(directory)?;
        let seen = look(&database, in_use)?;
        // What was read while a service began to write says nothing.
        if in_use == self::in_use(directory)? {
            return Ok(Inspection {
                in_use,
                free: room::free(directory)?,
                database: seen,
            });
        }
    }
}

/// Opens the database as it is found; `None` where that would make files that are not its owner's.
pub(super) fn open_as_found(
    database: &Path,
    in_use: bool,
) -> Result<Option<Connection>, OpenError> {
    let unfinished = database.with_file_name("relatch.db-wal").exists() && !in_use;
    if unfinished && !is_ours(database)? {
        return Ok(None);
    }
    let connection = if in_use || unfinished {
        connection::open_reader(database)
    } else {
        connection::open_untouched(database)
    };
    let connection = connection.map_err(|error| OpenError::sqlite(database, error))?;
    Ok(Some(connection))
}

fn look(database: &Path, in_use: bool) -> Result<Database, OpenError> {
    let Some(connection) = open_as_found(database, in_use)? else {
        return Ok(Database::Unfinished);
    };
    let sqlite = |error| OpenError::sqlite(database, error);
    let schema = schema::version(&connection, database)?;
    let findings = findings(&connection).map_err(sqlite)?;
    let sound = schema > 0 && findings.is_empty();
    let demonstration = sound
        && installation::read(&connection)
            .map_err(sqlite)?
            .is_some_and(|installation| installation.demonstration);
    let peppers = if sound {
        peppers::counted(&connection).map_err(sqlite)?
    } else {
        Vec::new()
    };
    Ok(Database::Read {
        schema,
        newest: schema::NEWEST,
        findings,
        demonstration,
        peppers,
    })
}

fn findings(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare(&format!("PRAGMA quick_check({FINDINGS})"))?;
    let findings = statement.query_map([], |row| row.get(0))?;
    let findings: Vec<String> = findings.collect::<Result<_, _>>()?;
    Ok(findings.into_iter().filter(|found| found != "ok").collect())
}

/// Whether a service is at work in the directory.
pub(super) fn in_use(directory: &Path) -> Result<bool, OpenError> {
    let path = directory.join("relatch.lock");
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(cause) => return Err(OpenError::file(&path, cause)),
    };
    // Released at once: a service that starts at this very moment is told to try again.
    match file.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(cause)) => Err(OpenError::file(&path, cause)),
    }
}

fn is_ours(database: &Path) -> Result<bool, OpenError> {
    let metadata = database
        .metadata()
        .map_err(|cause| OpenError::file(database, cause))?;
    Ok(metadata.uid() == rustix::process::geteuid().as_raw())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{House, mark, open};
    use super::*;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;
    use tempfile::TempDir;

    fn sound() -> Database {
        Database::Read {
            schema: schema::NEWEST,
            newest: schema::NEWEST,
            findings: Vec::new(),
            demonstration: false,
            peppers: Vec::new(),
        }
    }

    fn names(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    }

    #[test]
    fn what_is_not_there_is_not_made() {
        let above = TempDir::new().unwrap();
        let directory = above.path().join("a/data");
        let seen = inspect(&directory).unwrap();
        assert_eq!((seen.in_use, seen.database), (false, Database::Absent));
        assert!(seen.free > 0 && !above.path().join("a").exists());
    }

    #[tokio::test]
    async fn a_service_at_work_is_seen_and_goes_on() {
        let house = House::new();
        house.write(|work| mark(work, "a")).await.unwrap();
        let seen = inspect(&house.directory).unwrap();
        assert_eq!((seen.in_use, seen.database), (true, sound()));
        house.write(|work| mark(work, "b")).await.unwrap();
    }

    #[test]
    fn a_closed_database_is_read_and_left_as_it_is() {
        let above = TempDir::new().unwrap();
        let directory = above.path().join("data %20?#");
        drop(open(&directory).unwrap());
        let before = names(&directory);
        let seen = inspect(&directory).unwrap();
        assert_eq!((seen.in_use, seen.database), (false, sound()));
        assert_eq!(names(&directory), before);
    }

    #[tokio::test]
    async fn what_a_killed_service_left_is_read_with_its_last_writes() {
        let house = House::new();
        house.write(|work| mark(work, "a")).await.unwrap();
        let crashed = house.crashed();
        assert_eq!(inspect(crashed.path()).unwrap().database, sound());
        assert!(crashed.path().join("relatch.db-wal").exists());
        drop(open(crashed.path()).unwrap());
    }

    #[test]
    fn damage_is_told_in_sqlites_words() {
        let above = TempDir::new().unwrap();
        let directory = above.path().join("data");
        drop(open(&directory).unwrap());
        let database = directory.join("relatch.db");
        let mut bytes = fs::read(&database).unwrap();
        let end = bytes.len() - 100;
        bytes[8_192..end].fill(0x5a);
        fs::write(&database, bytes).unwrap();
        match inspect(&directory) {
            Ok(Inspection {
                database: Database::Read { findings, .. },
                ..
            }) => assert!((1..=5).contains(&findings.len()), "{findings:?}"),
            other => assert!(matches!(other, Err(OpenError::Damaged { .. })), "{other:?}"),
        }
    }

    #[test]
    fn what_others_can_reach_is_refused() {
        let above = TempDir::new().unwrap();
        let directory = above.path().join("data");
        drop(open(&directory).unwrap());
        fs::set_permissions(&directory, Permissions::from_mode(0o755)).unwrap();
        let refused = inspect(&directory).unwrap_err();
        assert!(refused.to_string().contains("chmod 0700"), "{refused}");
    }
}
