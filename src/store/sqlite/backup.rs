//! A copy of the database as it is at one moment, also while a service is at work with it.

use super::beside::has_log;
use super::draft::FileDraft;
use super::refusal::OpenError;
use super::verify::{Contents, verify};
use super::{connection, copy, inspect, schema};
use crate::store::StoreError;
use rusqlite::{Connection, ErrorCode};
use std::io;
use std::path::{self, Path, PathBuf};
use thiserror::Error;

/// Why there is no backup. The message says what to do about it.
#[derive(Debug, Error)]
pub enum BackupRefused {
    /// There is no database.
    #[error("there is no database in {0}: is that the directory that store.directory names?")]
    NoDatabase(PathBuf),
    /// The database cannot be read.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// What should be a backup is a service's database.
    #[error(
        "{database} is no backup but the database of a service that runs or was killed, and what that wrote last may be beside it: make a backup with `relatch store backup --directory {directory} FILE` and use that"
    )]
    NotAtRest {
        /// The database.
        database: PathBuf,
        /// Where it is.
        directory: PathBuf,
    },
    /// The backup's file exists already.
    #[error("{0} exists already and is left as it is: name another file")]
    Exists(PathBuf),
    /// It cannot be written.
    #[error("{0} cannot be written: {1}")]
    Unwritable(PathBuf, io::Error),
    /// SQLite cannot copy.
    #[error("{0} cannot be written: {1}")]
    NotCopied(PathBuf, rusqlite::Error),
    /// What was copied is not in order, so the database is not.
    #[error(
        "the database is damaged, so there is no backup of it ({}): restore an earlier one with `relatch store restore`",
        .0.cause()
    )]
    Damaged(StoreError),
    /// What was backed up is not in order any more.
    #[error("{0} is damaged or is not a backup ({cause}): use another one", cause = .1.cause())]
    Unsound(PathBuf, StoreError),
}

/// Copies the database of `directory` into the new file `to`, which nobody but its owner can read, and reads
/// the copy through. A service at work in the directory is not held up; the copy is of one moment.
///
/// Keys are not in it, and nor is anything that they protect in clear.
pub fn backup(directory: &Path, to: &Path) -> Result<Contents, BackupRefused> {
    let absolute = |path: &Path| path::absolute(path).map_err(|cause| OpenError::file(path, cause));
    let (directory, to) = (absolute(directory)?, absolute(to)?);
    let database = directory.join("relatch.db");
    if !database.exists() {
        return Err(BackupRefused::NoDatabase(directory));
    }
    if to.symlink_metadata().is_ok() {
        return Err(BackupRefused::Exists(to));
    }
    let draft = FileDraft::of(&to)?;
    let not_copied = |error| BackupRefused::NotCopied(to.clone(), error);
    let source =
        connection::open(&database).map_err(|error| OpenError::sqlite(&database, error))?;
    if schema::version(&source, &database)? == 0 {
        return Err(BackupRefused::NoDatabase(directory));
    }
    let mut made = connection::open(draft.path()).map_err(not_copied)?;
    copy::whole(&source, &mut made).map_err(|error| match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy) => OpenError::sqlite(&database, error).into(),
        _ => not_copied(error),
    })?;
    let contents = verify(&made).map_err(BackupRefused::Damaged)?;
    made.close().map_err(|(_, error)| not_copied(error))?;
    draft
        .publish()
        .map_err(|cause| BackupRefused::Unwritable(to, cause))?;
    Ok(contents)
}

/// Opens a backup and reads it through, without changing it. `path` is absolute.
pub(super) fn read(path: &Path) -> Result<(Connection, Contents), BackupRefused> {
    let directory = path.parent().unwrap_or(path);
    // The file alone is read, as if nobody wrote it and nothing belonged to it.
    let at_work = path.ends_with("relatch.db") && inspect::in_use(directory)?;
    if at_work || has_log(path) {
        return Err(BackupRefused::NotAtRest {
            database: path.to_owned(),
            directory: directory.to_owned(),
        });
    }
    let unsound = |refused| match refused {
        OpenError::Damaged { path, cause } => BackupRefused::Unsound(path, cause.into()),
        other => other.into(),
    };
    let connection = connection::open_untouched(path)
        .map_err(|error| unsound(OpenError::sqlite(path, error)))?;
    if schema::version(&connection, path).map_err(unsound)? == 0 {
        let path = path.to_owned();
        return Err(OpenError::Foreign { path }.into());
    }
    let contents =
        verify(&connection).map_err(|why| BackupRefused::Unsound(path.to_owned(), why))?;
    Ok((connection, contents))
}

#[cfg(test)]
mod tests {
    use super::super::restore::RestoreRefused;
    use super::super::testing::{House, mark, marks, open, restored};
    use super::*;
    use tempfile::TempDir;

    #[tokio::test]
    async fn what_a_killed_service_wrote_last_is_not_left_out() {
        let house = House::new();
        house.write(|work| mark(work, "answered")).await.unwrap();
        let crashed = house.crashed();
        let elsewhere = TempDir::new().unwrap();
        let (file, data) = (elsewhere.path().join("a"), elsewhere.path().join("data"));

        let refused = restored(&crashed.path().join("relatch.db"), &data).unwrap_err();
        let RestoreRefused::Backup(BackupRefused::NotAtRest { .. }) = &refused else {
            panic!("{refused}");
        };
        let way_out = format!(
            "relatch store backup --directory {} FILE",
            crashed.path().display()
        );
        assert!(refused.to_string().contains(&way_out), "{refused}");
        assert!(!data.exists());

        backup(crashed.path(), &file).unwrap();
        restored(&file, &data).unwrap();
        assert_eq!(marks(&open(&data).unwrap()).await, ["answered"]);
    }

    #[tokio::test]
    async fn the_database_of_a_service_at_work_is_no_backup() {
        let house = House::new();
        let connection = Connection::open(house.directory.join("relatch.db")).unwrap();
        let fold = "PRAGMA wal_checkpoint(TRUNCATE)";
        connection.query_row(fold, [], |_| Ok(())).unwrap();
        let data = house.directory.with_file_name("other");
        let refused = restored(&house.directory.join("relatch.db"), &data).unwrap_err();
        assert!(refused.to_string().contains("is no backup"), "{refused}");
    }
}
