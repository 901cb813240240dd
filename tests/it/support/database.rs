//! A look into the database that no call allows.

use prost::Message as _;
use relatch::pb::AuditLeaf;
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags};
use std::collections::BTreeMap;
use std::path::Path;

/// A connection of our own to a data directory.
pub(crate) fn open(data: &Path) -> Connection {
    Connection::open_with_flags(data.join("relatch.db"), OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap()
}

/// Every row of every table.
pub(crate) fn rows(data: &Path) -> BTreeMap<String, Vec<Vec<Value>>> {
    let connection = open(data);
    let mut tables = connection
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
        .unwrap();
    let tables: Vec<String> = tables
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    tables
        .into_iter()
        .map(|table| {
            let mut statement = connection
                .prepare(&format!("SELECT * FROM {table}"))
                .unwrap();
            let columns = statement.column_count();
            let rows = statement
                .query_map([], |row| {
                    (0..columns).map(|column| row.get(column)).collect()
                })
                .unwrap()
                .map(Result::unwrap)
                .collect();
            (table, rows)
        })
        .collect()
}

/// The leaves of the events of this name.
pub(crate) fn events_named(data: &Path, name: &str) -> Vec<AuditLeaf> {
    let connection = open(data);
    let mut statement = connection
        .prepare("SELECT leaf FROM audit_leaves WHERE name = ?1 ORDER BY sequence")
        .unwrap();
    let leaves = statement
        .query_map([name], |row| row.get::<_, Vec<u8>>(0))
        .unwrap();
    leaves
        .map(|leaf| AuditLeaf::decode(leaf.unwrap().as_slice()).unwrap())
        .collect()
}

/// An attribute of an event.
pub(crate) fn attribute(leaf: &AuditLeaf, key: &str) -> String {
    leaf.attributes
        .iter()
        .find(|attribute| attribute.key == key)
        .map(|found| found.value.clone())
        .unwrap_or_default()
}

/// How many rows of a table meet a condition.
pub(crate) fn count(data: &Path, table: &str, condition: &str) -> u32 {
    let sql = format!("SELECT count(*) FROM {table} WHERE {condition}");
    open(data).query_row(&sql, [], |row| row.get(0)).unwrap()
}
