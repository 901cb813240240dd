//! Documents say what is: each table in one is held against its subject.

use crate::support::database;
use crate::support::server::TestServer;
use std::collections::BTreeSet;

/// The first cells of a document's table, without their quotes.
fn first_cells(document: &str) -> BTreeSet<String> {
    let rows = document.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.filter_map(|row| Some(row.split_once('`')?.0.to_owned()))
        .collect()
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
