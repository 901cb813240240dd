//! The one row that says what this database is.

use super::work::Work;
use crate::domain::time::Timestamp;
use crate::store::StoreError;
use data_encoding::HEXLOWER;
use rusqlite::{Connection, OptionalExtension as _, params};
use std::sync::Arc;

/// The audit log's origin, if the installation has one yet.
pub(super) fn log_origin(connection: &Connection) -> rusqlite::Result<Option<Arc<str>>> {
    connection
        .query_row("SELECT log_origin FROM installation", [], |row| row.get(0))
        .optional()
}

/// Makes this database an installation, whose audit log has an origin that no other log has.
pub(super) fn create(
    connection: &Connection,
    entropy: [u8; 8],
    now: Timestamp,
) -> rusqlite::Result<Arc<str>> {
    let origin = format!("relatch/{}", HEXLOWER.encode(&entropy));
    connection.execute(
        "INSERT INTO installation (one, log_origin, created_at) VALUES (1, ?1, ?2)",
        params![origin, now.as_micros()],
    )?;
    Ok(origin.into())
}

/// Writes without changing anything, so that a store that cannot write says so.
pub(super) fn touch(work: &mut Work<'_>) -> Result<(), StoreError> {
    let touched = work
        .sql()
        .prepare_cached("UPDATE installation SET created_at = created_at")?
        .execute([])?;
    match touched {
        1 => Ok(()),
        rows => Err(StoreError::corrupt(format_args!("{rows} installations"))),
    }
}
