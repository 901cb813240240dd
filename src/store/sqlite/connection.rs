//! How connections are opened, and what each is told before its first statement.

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, ffi};
use std::path::Path;
use std::time::Duration;

/// How long a statement waits for a lock. Within the process nobody contends for one; a backup or a
/// curious operator's `sqlite3` may.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// More than the store has statements, so that each is compiled once.
const STATEMENTS: usize = 256;

/// The write-ahead log is folded into the database once it has this many pages of 4 KiB. SQLite's own
/// 1,000 are two or three groups of a flood, and each time whole pages, scattered over the file, are
/// written and synced while callers wait. A start after a crash reads that much more, 16 MiB in all.
const CHECKPOINT_PAGES: u32 = 4_000;

/// Memory for pages of the writer's connection, in KiB; SQLite's own 2,000 do not hold the inner pages
/// of the indices that a flood of requests touches at random. It is taken as pages are used, so that an
/// idle service does not have it.
const WRITER_CACHE_KIB: i32 = 8_000;

/// The write-ahead log is cut back to this many bytes after a checkpoint. Smaller would give back
/// space that the next commits take again; larger lets one slow reader's backlog stay for good.
const WAL_LIMIT: u32 = 64 * 1024 * 1024;

/// Opens the file to look at what it is; nothing is written yet.
pub(super) fn open(database: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(database, flags)?;
    prepare(&connection)?;
    Ok(connection)
}

/// Makes a connection to a file that is ours the writer's.
pub(super) fn make_writer(connection: &Connection) -> rusqlite::Result<()> {
    let journal: String =
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    if journal != "wal" {
        // SQLite answers so, without an error, where it cannot share memory between connections.
        let cannot = ffi::Error::new(ffi::SQLITE_CANTOPEN);
        let why = "a write-ahead log is not possible here".to_owned();
        return Err(rusqlite::Error::SqliteFailure(cannot, Some(why)));
    }
    // A commit is on the disk before it is answered, unless it is of what may pass; on macOS an fsync alone
    // stops at the disk's cache.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "fullfsync", true)?;
    connection.pragma_update(None, "checkpoint_fullfsync", true)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // Erased addresses are overwritten with zeros, also where their pages become free: FAST would
    // leave them standing on the free list.
    connection.pragma_update(None, "secure_delete", true)?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    // Negative for KiB instead of pages.
    connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
    connection.pragma_update(None, "journal_size_limit", WAL_LIMIT)
}

/// Opens a connection that cannot write: the file must be there and in order.
pub(super) fn open_reader(database: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(database, flags)?;
    prepare(&connection)?;
    Ok(connection)
}

/// Opens a file that nobody writes, without making the companions that others would need to.
pub(super) fn open_untouched(database: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_URI;
    let path = database.to_string_lossy();
    let path = path
        .replace('%', "%25")
        .replace('?', "%3f")
        .replace('#', "%23");
    let connection = Connection::open_with_flags(format!("file:{path}?immutable=1"), flags)?;
    prepare(&connection)?;
    Ok(connection)
}

fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // A file that somebody tampered with must not run functions of theirs from its schema.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    // A misspelt column in double quotes is an error, not a text.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
    // A plan is made once and not again for each value that is bound: with the statistics that the
    // bundled SQLite is built for it would compile most statements anew at every use.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // What a savepoint may have to put back, addresses among it, stays out of temporary files.
    connection.pragma_update(None, "temp_store", "MEMORY")
}

#[cfg(test)]
mod tests {
    use super::super::testing::{House, holds, jot};
    use super::*;
    use rusqlite::StatementStatus;

    #[tokio::test]
    async fn the_writer_is_told_to_keep_what_it_answers() {
        let house = House::new();
        let settings = house.write(|work| {
            let text = |pragma| {
                work.sql()
                    .pragma_query_value(None, pragma, |row| row.get(0))
            };
            let number = |pragma| {
                work.sql()
                    .pragma_query_value(None, pragma, |row| row.get::<_, i64>(0))
            };
            let mode: String = text("journal_mode")?;
            let others = [
                "synchronous",
                "foreign_keys",
                "secure_delete",
                "trusted_schema",
            ];
            Ok((mode, others.map(|pragma| number(pragma).unwrap())))
        });
        let (mode, others) = settings.await.unwrap();
        assert_eq!(mode, "wal");
        assert_eq!(others, [2, 1, 1, 0]);
    }

    #[test]
    fn a_database_without_a_write_ahead_log_is_refused() {
        let in_memory = Connection::open_in_memory().unwrap();
        let error = make_writer(&in_memory).unwrap_err().to_string();
        assert!(error.contains("write-ahead log"), "{error}");
    }

    #[tokio::test]
    async fn an_erased_address_does_not_linger_in_the_file() {
        const ADDRESS: &str = "erased@example.com";
        let house = House::new();
        let database = house.directory.join("relatch.db");
        // Long enough to fill pages of its own, which become free with it.
        let long = ADDRESS.repeat(1_000);
        house.write(move |work| jot(work, &long)).await.unwrap();
        let house = house.reopened();
        assert!(holds(&database, ADDRESS));
        let erased = house.write(|work| Ok(work.sql().execute("DELETE FROM limits", [])?));
        assert_eq!(erased.await.unwrap(), 1);
        let _house = house.reopened();
        assert!(!holds(&database, ADDRESS));
    }

    #[tokio::test]
    async fn a_statement_is_compiled_once_whatever_is_bound() {
        let house = House::new();
        let compiled_again = house.write(|work| {
            let query = "SELECT limit_key FROM limits LIMIT ?1";
            let mut statement = work.sql().prepare_cached(query)?;
            for rows in 0..3 {
                statement.exists([rows])?;
            }
            Ok(statement.get_status(StatementStatus::RePrepare))
        });
        assert_eq!(compiled_again.await.unwrap(), 0);
    }

    #[tokio::test]
    async fn a_misspelt_column_is_an_error() {
        let house = House::new();
        let misspelt = house.write(|work| {
            let query = "SELECT count(*) FROM limits WHERE \"limit_kee\" = ''";
            Ok(work
                .sql()
                .query_row(query, [], |row| row.get::<_, i64>(0))?)
        });
        misspelt.await.unwrap_err();
    }
}
