//! The audit log in SQLite.

use super::work::Work;
use crate::domain::audit::{Draft, Entry, Sequence};
use crate::store::{EventStretch, EventsRead, RecordedEvent, StoreError, StoredEvent};
use rusqlite::{Connection, ToSql, params, params_from_iter};

/// Writes events that stand for nothing but themselves.
pub(super) fn record(work: &mut Work<'_>, events: &[RecordedEvent]) -> Result<(), StoreError> {
    for event in events {
        work.record(Draft {
            facts: event.facts.clone(),
            ..Draft::success(work.now(), event.name, &event.call)
                .because(event.outcome, event.reason)
        })?;
    }
    Ok(())
}

/// The last place in the log.
pub(super) fn head(connection: &Connection) -> Result<Sequence, StoreError> {
    let head = connection
        .prepare_cached("SELECT coalesce(max(sequence), 0) FROM audit_leaves")?
        .query_row([], |row| row.get(0))?;
    Ok(Sequence::new(head))
}

/// Writes entries behind the head.
pub(super) fn append(connection: &Connection, entries: &[Entry]) -> Result<(), StoreError> {
    let mut leaf = connection
        .prepare_cached("INSERT INTO audit_leaves (sequence, name, leaf) VALUES (?1, ?2, ?3)")?;
    let mut opening = connection.prepare_cached(
        "INSERT INTO audit_openings (sequence, account_id, opening) VALUES (?1, ?2, ?3)",
    )?;
    for entry in entries {
        let sequence = entry.sequence.get();
        let account_id = entry.account_id.as_ref().map(|id| id.as_bytes().as_slice());
        leaf.execute(params![sequence, entry.name.as_str(), entry.leaf])?;
        opening.execute(params![sequence, account_id, entry.opening])?;
    }
    Ok(())
}

/// Reads the events of a stretch that pass its filters.
pub(super) fn read_events(
    connection: &Connection,
    stretch: &EventStretch,
) -> Result<EventsRead, StoreError> {
    let after = stretch.after.get();
    let through = after
        .saturating_add(stretch.at_most.into())
        .min(stretch.through.get())
        .min(head(connection)?.get())
        .max(after);
    let account_id = stretch.account_id.map(|id| id.as_bytes().to_vec());
    let names: Vec<&str> = stretch.names.iter().map(|name| name.as_str()).collect();
    let mut bound: Vec<&dyn ToSql> = vec![&after, &through];
    bound.extend(account_id.iter().map(|id| id as &dyn ToSql));
    bound.extend(names.iter().map(|name| name as &dyn ToSql));

    let query = stretch_query(account_id.is_some(), names.len());
    let mut statement = connection.prepare_cached(&query)?;
    let events = statement.query_map(params_from_iter(bound), |row| {
        Ok(StoredEvent {
            sequence: Sequence::new(row.get(0)?),
            leaf: row.get(1)?,
            opening: row.get::<_, Option<Vec<u8>>>(2)?.unwrap_or_default(),
        })
    })?;
    Ok(EventsRead {
        events: events.collect::<Result<_, _>>()?,
        through: Sequence::new(through),
    })
}

/// The query of a stretch; binds the place before the first, the last place, the account if one is
/// asked for, and the names.
fn stretch_query(of_account: bool, names: usize) -> String {
    let account = if of_account { "AND account_id = ?" } else { "" };
    let names = match names {
        0 => String::new(),
        count => format!("AND name IN ({})", vec!["?"; count].join(", ")),
    };
    format!(
        "SELECT sequence, leaf, opening
         FROM audit_leaves LEFT JOIN audit_openings USING (sequence)
         WHERE sequence > ? AND sequence <= ? {account} {names}
         ORDER BY sequence"
    )
}
