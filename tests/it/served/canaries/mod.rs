//! Both journeys with values that nothing else has, and the search for them in everything that is left behind.

mod people;
mod values;

use super::Premises;
use super::journeys::{clients, lead_to};
use crate::documents::section;
use crate::mail::server::MailServer;
use crate::support::canaries::Canaries;
use crate::support::collector::Collector;
use crate::support::{database, eventually, ops};
use people::{IP, USER_AGENT, both_journeys, knock};
use relatch::config::{PepperFile, SmtpSecurity};
use relatch::domain::password::{PepperId, Peppers};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use values::Values;

/// Every file in a directory, and what it holds.
fn files(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(directory).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .map(|path| (path.display().to_string(), fs::read(&path).unwrap()))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_people_type_and_are_sent_is_left_behind_nowhere() {
    let (mut post, collector) = (
        MailServer::start(SmtpSecurity::Tls).await,
        Collector::start().await,
    );
    let (premises, mut values) = (Premises::new(), Values::new());
    let peppers = PepperFile::new(premises.path("pepper.toml"), false);
    let pepper = Peppers::of(PepperId([1; 4]), values.pepper);
    peppers.create(&pepper).unwrap();
    premises.configure_with(
        &lead_to(&post.settings()),
        &format!(
            "traces.endpoint = \"http://{}\"\nops.plaintext = true\npassword.pepper_file = \"{}\"\n",
            collector.address,
            peppers.path().display()
        ),
    );
    premises.grant("\"reset\", \"profile\", \"signin\", \"accounts\"");
    let mut command = premises.command();
    command.env("RELATCH_LOG", "trace");
    let mut served = premises.serve_by(command).await;
    let mut clients = clients(&premises, &served).await;
    both_journeys(&mut values, &mut post, &mut clients).await;
    knock(&premises, &served, &values).await;
    let data = premises.path("data");
    eventually(async || {
        database::count(&data, "messages", "due_at IS NOT NULL") == 0
            && database::count(&data, "intake", "true") == 0
    })
    .await;

    // As it stands while the service runs, the write-ahead log included.
    let backup = premises.path("data/backup.db");
    relatch::store::sqlite::backup(&data, &backup).unwrap();
    let mut left = files(&data);
    assert!(
        left.iter()
            .any(|(file, _)| file.ends_with("relatch.db-wal"))
    );
    let metrics = ops::get(served.ops, "/metrics").await.text;
    // A second later nobody's address is anywhere.
    let nobodys = values.addresses_of_nobody();
    eventually(async || {
        let files = files(&data);
        files
            .iter()
            .all(|(_, bytes)| nobodys.found_in(bytes).is_empty())
    })
    .await;
    rows_hold_addresses_where_they_may(&data, &values);
    drop(clients);
    assert!(served.end().await.success());
    left.extend(files(&data));

    let (secrets, of_accounts) = (values.secrets(), values.of_accounts());
    let (log, spans) = (served.text(), collector.bytes());
    let others = Canaries::default()
        .value("the person's address in the network", IP)
        .value("the person's browser", USER_AGENT)
        .value("the account's id", &values.account_id);
    for (place, told) in [
        ("the log", log.as_bytes()),
        ("a span", spans.as_slice()),
        ("a metric", metrics.as_bytes()),
    ] {
        for canaries in [&secrets, &of_accounts, &nobodys, &others] {
            canaries.are_not_in(place, told);
        }
    }
    for (file, bytes) in &left {
        secrets.are_not_in(file, bytes);
    }

    // The search finds, and there was something to search.
    assert!(database::count(&data, "accounts", "pepper = 'AQEBAQ'") > 0);
    let mails: String = post
        .mails()
        .iter()
        .map(|mail| mail.text().to_owned())
        .collect();
    assert!(!secrets.found_in(mails.as_bytes()).is_empty());
    let accounts = left
        .iter()
        .filter(|(_, bytes)| !of_accounts.found_in(bytes).is_empty());
    assert!(accounts.count() >= 2, "the database and its backup");
    for expected in ["is unknown here", "greylisted", "[address]"] {
        assert!(database::count(&data, "attempts", &format!("error LIKE '%{expected}%'")) > 0);
    }
    assert!(log.contains("\"level\":\"TRACE\"") && log.contains("a message was not sent"));
    assert!(
        metrics.contains("relatch_messages_ended_total{state=\"FAILED\"} 1"),
        "{metrics}"
    );
    assert_eq!(
        collector
            .named("relatch.v1.PasswordService/ConfirmReset")
            .len(),
        5
    );
    assert!(collector.named("delivery.attempt").len() >= 7);
    let names = collector.spans().into_iter().map(|span| span.name);
    let names: BTreeSet<_> = names.filter(|name| !name.contains('/')).collect();
    assert_eq!(names, documented_spans());
}

/// After everything is delivered that is in the accounts alone.
fn rows_hold_addresses_where_they_may(data: &Path, values: &Values) {
    let (of_accounts, nobodys) = (values.of_accounts(), values.addresses_of_nobody());
    let mut found = 0;
    for (table, rows) in database::rows(data) {
        for row in rows {
            let text = format!("{row:?}");
            if table == "accounts" {
                found += of_accounts.found_in(text.as_bytes()).len();
            } else {
                of_accounts.are_not_in(&table, &text);
            }
            nobodys.are_not_in(&table, &text);
        }
    }
    assert!(found > 0, "the search finds");
}

/// The names of spans that docs/traces.md has, methods apart.
fn documented_spans() -> BTreeSet<String> {
    let document = section(include_str!("../../../../docs/traces.md"), "What is traced");
    let rows = document.lines().filter_map(|line| line.strip_prefix("| `"));
    let cells = rows.filter_map(|row| row.split_once(" | "));
    cells
        .flat_map(|(names, _)| {
            names
                .split('`')
                .step_by(2)
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .filter(|name| !name.is_empty())
        .collect()
}
