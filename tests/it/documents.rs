//! Documents say what is: each table in one is held against its subject.

use crate::architecture::log_lines;
use crate::support::database;
use crate::support::server::TestServer;
use relatch::domain::password::{ForeignHash, ForeignRefused};
use std::collections::BTreeSet;

/// What a document says under a heading, up to the next one of the same rank.
pub(crate) fn section<'a>(document: &'a str, heading: &str) -> &'a str {
    let (_, below) = document.split_once(&format!("\n## {heading}\n")).unwrap();
    below.split("\n## ").next().unwrap()
}

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

#[test]
fn every_attribute_of_a_span_is_explained() {
    let document = section(include_str!("../../docs/traces.md"), "Attributes");
    let attributes = relatch::traces::ATTRIBUTES.map(str::to_owned);
    assert_eq!(first_cells(document), attributes.into());
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
        3
    );
}

/// The rows of a document's tables: what stands in quotes in the first cell, and the second cell.
fn rows(document: &str) -> BTreeSet<(String, String)> {
    let rows = document.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.map(|row| {
        let (first, rest) = row.split_once("` | ").unwrap();
        let (second, _) = rest.split_once(" | ").unwrap();
        (first.to_owned(), second.to_owned())
    })
    .collect()
}

#[test]
fn every_line_of_the_log_is_explained_and_every_field() {
    let document = include_str!("../../docs/logging.md");
    let (spans, lines): (Vec<_>, Vec<_>) = log_lines().into_iter().partition(|line| line.is_span);
    let fields = spans
        .iter()
        .chain(&lines)
        .flat_map(|line| line.fields.clone());
    assert_eq!(first_cells(section(document, "Fields")), fields.collect());
    let messages = lines.into_iter().map(|line| (line.message, line.level));
    assert_eq!(rows(section(document, "Messages")), messages.collect());
}

/// ASVS 2.1.3 and 6.1.1: every limit is written down, with its default.
#[test]
fn every_limit_is_explained_with_its_default() {
    let settings = include_str!("../../src/config/reference.toml");
    let settings = settings
        .lines()
        .skip_while(|line| *line != "[limits]")
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| line.split_once(" = \""))
        .map(|(key, default)| {
            (
                key.to_owned(),
                format!("`{}`", default.trim_end_matches('"')),
            )
        });
    let document = include_str!("../../docs/limits.md");
    assert_eq!(rows(section(document, "How often")), settings.collect());
}
