//! What a file is, and how it becomes what this version works with.

use super::open::OpenError;
use rusqlite::{Connection, TransactionBehavior};
use std::path::Path;

/// Marks a file as Relatch's in its header: "RLTC".
const APPLICATION_ID: i64 = 0x524C_5443;

/// The schema's versions, in order, each with what leads to it from the one before.
const MIGRATIONS: &[(i64, &str)] = &[(
    1,
    include_str!("../../../migrations/sqlite/0001_initial.sql"),
)];

/// The newest version of the schema that this program knows.
const NEWEST: i64 = MIGRATIONS[MIGRATIONS.len() - 1].0;

/// The version of the schema in a file; 0 is an empty file.
///
/// Refuses files of other programs and of newer versions, and leaves them as they are.
pub(super) fn version(connection: &Connection, database: &Path) -> Result<i64, OpenError> {
    let number = |query| {
        connection
            .query_row(query, [], |row| row.get(0))
            .map_err(|error| OpenError::sqlite(database, error))
    };
    let application_id = number("PRAGMA application_id")?;
    let version = number("PRAGMA user_version")?;
    let objects = number("SELECT count(*) FROM sqlite_schema")?;
    match (application_id, version) {
        (0, 0) if objects == 0 => Ok(0),
        (APPLICATION_ID, 1..=NEWEST) => Ok(version),
        (APPLICATION_ID, found) if found > NEWEST => Err(OpenError::Newer {
            path: database.to_owned(),
            found,
            known: NEWEST,
        }),
        _ => Err(OpenError::Foreign {
            path: database.to_owned(),
        }),
    }
}

/// Brings the schema from `version` to the newest, each step in a transaction of its own.
pub(super) fn migrate(connection: &mut Connection, version: i64) -> rusqlite::Result<()> {
    for (next, migration) in MIGRATIONS.iter().filter(|(next, _)| *next > version) {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(migration)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", next)?;
        transaction.commit()?;
    }
    Ok(())
}
