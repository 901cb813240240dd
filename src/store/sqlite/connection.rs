//! How connections are opened, and what each is told before its first statement.

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use std::path::Path;
use std::time::Duration;

/// How long a statement waits for a lock. Within the process nobody contends for one; a backup or a
/// curious operator's `sqlite3` may.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// More than the store has statements, so that each is compiled once.
const STATEMENTS: usize = 256;

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
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // Every commit is on the disk before it is answered; on macOS an fsync alone stops at the
    // disk's cache.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "fullfsync", true)?;
    connection.pragma_update(None, "checkpoint_fullfsync", true)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // Erased addresses are overwritten with zeros, also where their pages become free: FAST would
    // leave them standing on the free list.
    connection.pragma_update(None, "secure_delete", true)?;
    connection.pragma_update(None, "journal_size_limit", WAL_LIMIT)
}

/// Opens a connection that cannot write: the file must be there and in order.
pub(super) fn open_reader(database: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(database, flags)?;
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
    // What a savepoint may have to put back, addresses among it, stays out of temporary files.
    connection.pragma_update(None, "temp_store", "MEMORY")
}
