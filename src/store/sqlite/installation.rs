//! The one row that says what this database is.

use super::work::Work;
use crate::domain::time::Timestamp;
use crate::store::StoreError;
use data_encoding::HEXLOWER;
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use std::sync::Arc;

/// What a database is.
pub(super) struct Installation {
    /// The audit log's origin.
    pub(super) log_origin: Arc<str>,
    /// Whether a demonstration made it, with accounts that everybody may know.
    pub(super) demonstration: bool,
}

/// What this database is, if it is one yet.
pub(super) fn read(connection: &Connection) -> rusqlite::Result<Option<Installation>> {
    let query = "SELECT log_origin, demonstration FROM installation";
    let read = |row: &Row<'_>| {
        Ok(Installation {
            log_origin: row.get(0)?,
            demonstration: row.get(1)?,
        })
    };
    connection.query_row(query, [], read).optional()
}

/// Makes this database an installation, whose audit log has an origin that no other log has.
pub(super) fn create(
    connection: &Connection,
    entropy: [u8; 8],
    demonstration: bool,
    now: Timestamp,
) -> rusqlite::Result<Installation> {
    let origin = format!("relatch/{}", HEXLOWER.encode(&entropy));
    connection.execute(
        "INSERT INTO installation (one, log_origin, created_at, demonstration) VALUES (1, ?1, ?2, ?3)",
        params![origin, now.as_micros(), demonstration],
    )?;
    Ok(Installation {
        log_origin: origin.into(),
        demonstration,
    })
}

/// Writes without changing anything.
pub(super) const TOUCH: &str = "UPDATE installation SET created_at = created_at";

/// Writes without changing anything, so that a store that cannot write says so.
pub(super) fn touch(work: &mut Work<'_>) -> Result<(), StoreError> {
    let touched = work.sql().prepare_cached(TOUCH)?.execute([])?;
    match touched {
        1 => Ok(()),
        rows => Err(StoreError::Damaged(format!("{rows} installations").into())),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::House;
    use super::*;

    #[tokio::test]
    async fn a_store_that_cannot_write_says_so() {
        let house = House::new();
        house.write(touch).await.unwrap();
        let forbid = house.write(|work| Ok(work.sql().pragma_update(None, "query_only", true)?));
        forbid.await.unwrap();
        house.write(touch).await.unwrap_err();
    }

    #[tokio::test]
    async fn logs_have_origins_of_their_own_and_keep_them() {
        let (one, other) = (House::new(), House::new());
        assert_ne!(one.store.log_origin, other.store.log_origin);
        let origin = Arc::clone(&one.store.log_origin);
        let digits = origin.strip_prefix("relatch/").unwrap();
        assert_eq!(digits.len(), 16);
        assert_eq!(HEXLOWER.decode(digits.as_bytes()).unwrap().len(), 8);
        assert_eq!(one.reopened().store.log_origin, origin);
    }
}
