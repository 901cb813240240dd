//! Documents say what is: each table in one is held against its subject.

use crate::support::database;
use crate::support::server::TestServer;
use relatch::domain::password::{ForeignHash, ForeignRefused};
use std::collections::BTreeSet;

/// The first cells of a document's table, without their quotes.
fn first_cells(document: &str) -> BTreeSet<String> {
    let rows = document.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.filter_map(|row| Some(row.split_once('`')?.0.to_owned()))
        .collect()
}

#[test]
fn every_format_that_is_documented_can_be_imported() {
    let document = include_str!("../../docs/import.md");
    let formats = document.split("## Formats of hashes").nth(1).unwrap();
    let rows = formats.lines().filter_map(|line| line.strip_prefix("| `"));
    let names: Vec<_> = rows
        .filter_map(|row| row.split_once(" |"))
        .flat_map(|(names, _)| names.split(", "))
        .map(|name| name.trim_matches('`'))
        .collect();
    assert_eq!(names.len(), 12, "{names:?}");
    for name in names {
        let refused = ForeignHash::import(name, "no hash").unwrap_err();
        assert_eq!(refused, ForeignRefused::Malformed, "{name}");
    }
}

#[tokio::test]
async fn every_table_has_its_retention() {
    let document = include_str!("../../docs/retention.md");
    let server = TestServer::start().await;
    let tables: BTreeSet<_> = database::rows(&server.data()).into_keys().collect();
    assert_eq!(first_cells(document), tables);
    let default = include_str!("../../src/config/reference.toml")
        .lines()
        .skip_while(|line| *line != "[retention]")
        .find_map(|line| line.strip_prefix("messages = "))
        .unwrap();
    assert_eq!(default, "\"720h\"");
    assert_eq!(
        document.matches("`retention.messages` (720 hours)").count(),
        2
    );
}
