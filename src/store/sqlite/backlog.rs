//! What waits, read beside the writer.

use super::requests;
use super::row::{Columns as _, one};
use crate::domain::time::Timestamp;
use crate::store::{Backlog, StoreError};
use rusqlite::Connection;
use std::fs;

/// These columns stand in the index of what is due, so no message is looked at.
const UNSETTLED: &str = "
    SELECT count(*) FILTER (WHERE due_at <= ?1) AS due, count(*) AS unsettled, min(requested_at) AS oldest
    FROM messages WHERE due_at IS NOT NULL";

/// Counts what waits. `unresolved` is what the writer knows, which spares a look at every row of a full
/// intake; `operations` wait for it.
pub(super) fn backlog(
    connection: &Connection,
    operations: usize,
    unresolved: Option<u32>,
    now: Timestamp,
) -> Result<Backlog, StoreError> {
    let unresolved = match unresolved {
        Some(unresolved) => unresolved,
        None => requests::unresolved(connection)?,
    };
    let outbox = one(connection, UNSETTLED, [now.as_micros()], |row| {
        let (due, unsettled) = (row.number("due")?, row.number("unsettled")?);
        Ok((due, unsettled, row.maybe_moment("oldest")?))
    })?;
    let (due, unsettled, oldest) = outbox.unwrap_or_default();
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let database_bytes = pragma("page_count")?.saturating_mul(pragma("page_size")?);
    // A log that is not there is empty.
    let log = connection.path().map(|path| format!("{path}-wal"));
    let log = log.and_then(|path| fs::metadata(path).ok());
    Ok(Backlog {
        operations: operations as u64,
        unresolved: unresolved.into(),
        due: unsigned(due),
        later: unsigned(unsettled - due),
        oldest,
        database_bytes: unsigned(database_bytes),
        log_bytes: log.map_or(0, |log| log.len()),
    })
}

/// What is counted is never negative.
fn unsigned(count: i64) -> u64 {
    u64::try_from(count).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::super::testing::House;
    use super::*;

    #[tokio::test]
    async fn unsettled_messages_are_counted_in_their_index() {
        let house = House::new();
        let plan = house.write(|work| {
            let query = format!("EXPLAIN QUERY PLAN {UNSETTLED}");
            Ok(work
                .sql()
                .query_row(&query, [0], |row| row.get::<_, String>("detail"))?)
        });
        let plan = plan.await.unwrap();
        assert!(plan.contains("COVERING INDEX messages_due"), "{plan}");
    }
}
