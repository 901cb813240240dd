//! Reading a whole database to see whether it is what it should be.

use super::row::{Columns, all, one};
use crate::domain::audit::{Leaf, Root, Tree, commitment};
use crate::domain::time::Timestamp;
use crate::store::StoreError;
use prost::Message as _;
use rusqlite::Connection;

/// What a database holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// How many accounts.
    pub accounts: i64,
    /// The audit log's origin.
    pub log_origin: String,
    /// How many events the log has.
    pub log_size: u64,
    /// The root of the Merkle tree over their leaves (RFC 9162 §2.1).
    pub log_root: Root,
    /// When the latest of them happened.
    pub latest_event: Timestamp,
}

/// Reads everything: SQLite's own structure, its references, and the audit log, whose sequence must be
/// dense and whose openings must be those that the leaves commit to.
pub(super) fn verify(connection: &Connection) -> Result<Contents, StoreError> {
    let findings = all(connection, "PRAGMA integrity_check(3)", [], |row| {
        Ok(row.get::<_, String>(0)?)
    })?;
    if findings != ["ok"] {
        return Err(StoreError::corrupt(findings.join("; ")));
    }
    let dangling = one(connection, "PRAGMA foreign_key_check", [], |row| {
        Ok(row.get::<_, String>(0)?)
    })?;
    if let Some(table) = dangling {
        let what = format_args!("a row of {table} refers to one that is not there");
        return Err(StoreError::corrupt(what));
    }
    let accounts = one(connection, "SELECT count(*) FROM accounts", [], |row| {
        Ok(row.get(0)?)
    })?;
    let log_origin = one(
        connection,
        "SELECT log_origin FROM installation",
        [],
        |row| row.text("log_origin"),
    )?;
    let log_origin =
        log_origin.ok_or_else(|| StoreError::corrupt("it is nobody's installation"))?;
    let (tree, latest_event) = log(connection, &log_origin)?;
    Ok(Contents {
        accounts: accounts.unwrap_or(0),
        log_origin,
        log_size: tree.size(),
        log_root: tree.root(),
        latest_event,
    })
}

/// The tree over the log, and the latest time in it: a clock that was set back may have come after.
fn log(connection: &Connection, origin: &str) -> Result<(Tree, Timestamp), StoreError> {
    let mut statement = connection.prepare(
        "SELECT sequence, leaf, opening FROM audit_leaves LEFT JOIN audit_openings USING (sequence)
         ORDER BY sequence",
    )?;
    let mut rows = statement.query([])?;
    let mut tree = Tree::default();
    let mut latest = Timestamp::from_micros(0);
    while let Some(row) = rows.next()? {
        let sequence: i64 = row.get(0)?;
        let altered =
            || StoreError::corrupt(format_args!("event {sequence} of the audit log is altered"));
        let encoded: Vec<u8> = row.get(1)?;
        let leaf = Leaf::decode(encoded.as_slice()).map_err(|_| altered())?;
        let opening: Option<Vec<u8>> = row.get(2)?;
        let is_opened = opening.is_none_or(|opening| leaf.commitment == commitment(&opening));
        let in_place = u64::try_from(sequence) == Ok(tree.size() + 1);
        if !in_place || leaf.sequence != sequence || leaf.origin != origin || !is_opened {
            return Err(altered());
        }
        tree.push(&encoded);
        latest = latest.max(leaf.time.unwrap_or_default().into());
    }
    Ok((tree, latest))
}
