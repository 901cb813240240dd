//! Accounts that another system had, imported into a running server and given out again.

mod command;
mod crowd;
mod foreign;
mod stream;

use crate::support::server::TestServer;
use relatch::pb;
use relatch::pb::import_accounts_request::Item;
use std::fs;
use std::path::Path;
use tonic::Status;

/// An account with this address, and nothing else known about it.
fn row(line: i64, email: &str) -> pb::ImportRow {
    pb::ImportRow {
        line,
        account: Some(pb::Account {
            email: email.to_owned(),
            email_verified: true,
            ..pb::Account::default()
        }),
        password_hash: None,
    }
}

/// A row with the hash of a password.
fn row_with(line: i64, email: &str, format: &str, encoded: &str) -> pb::ImportRow {
    pb::ImportRow {
        password_hash: Some(pb::PasswordHash {
            format: format.to_owned(),
            encoded: encoded.to_owned(),
        }),
        ..row(line, email)
    }
}

/// What an import came to.
#[derive(Debug, PartialEq, Eq)]
struct Imported {
    through: i64,
    errors: Vec<(i64, String)>,
}

fn items(rows: Vec<pb::ImportRow>) -> Vec<pb::ImportAccountsRequest> {
    let item = |row| pb::ImportAccountsRequest {
        item: Some(Item::Row(row)),
    };
    rows.into_iter().map(item).collect()
}

/// What was reported: the lines and why.
fn reported(directory: &Path) -> Vec<(u32, String)> {
    let report = fs::read_to_string(directory.join("report.tsv")).unwrap();
    let line = |line: &str| {
        let (number, why) = line.split_once('\t').unwrap();
        (number.parse().unwrap(), why.to_owned())
    };
    report.lines().map(line).collect()
}

/// The line that an import with `--resume mark` has come to.
fn marked(directory: &Path) -> Option<u32> {
    let mark = fs::read(directory.join("mark")).ok()?;
    let mark: serde_json::Value = serde_json::from_slice(&mark).ok()?;
    u32::try_from(mark["line"].as_u64()?).ok()
}

impl TestServer {
    /// Imports these rows.
    async fn import(&self, rows: Vec<pb::ImportRow>) -> Imported {
        self.import_items(items(rows)).await.unwrap()
    }

    /// Sends these messages to an import.
    async fn import_items(
        &self,
        items: Vec<pb::ImportAccountsRequest>,
    ) -> Result<Imported, Status> {
        let mut accounts = self.accounts();
        let answers = accounts.import_accounts(tokio_stream::iter(items)).await?;
        let mut answers = answers.into_inner();
        let mut imported = Imported {
            through: 0,
            errors: Vec::new(),
        };
        while let Some(answer) = answers.message().await? {
            imported.through = answer.acknowledged_through_line;
            let errors = answer.errors.into_iter();
            imported
                .errors
                .extend(errors.map(|error| (error.line, error.reason)));
        }
        Ok(imported)
    }

    /// Every account, as this caller is given them.
    async fn exported_to(
        &self,
        caller: &str,
        with_hashes: bool,
    ) -> Result<Vec<pb::ExportAccountsResponse>, Status> {
        let request = pb::ExportAccountsRequest { with_hashes };
        let answers = self.accounts_as(caller).export_accounts(request).await?;
        let mut answers = answers.into_inner();
        let mut exported = Vec::new();
        while let Some(answer) = answers.message().await? {
            exported.push(answer);
        }
        Ok(exported)
    }
}
