//! `ImportAccounts`: rows in batches, each acknowledged when it is durable.

use super::account::profile;
use super::read::{self, FieldViolations, Read, Together as _};
use super::refusal::Refusal;
use crate::domain::call::Call;
use crate::domain::password::{ForeignHash, PasswordHash};
use crate::pb;
use crate::pb::import_accounts_request::Item;
use crate::pulled::Pages;
use crate::service::Service;
use crate::service::import::ImportRow;
use crate::store::RowTaken;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio_stream::{Stream, StreamExt as _};
use tonic::{Status, Streaming};

/// Rows of one transaction: enough to share the cost of a commit, and few enough that callers who want to
/// write meanwhile hardly wait.
const BATCH: usize = 256;

/// How long a batch waits to be filled.
const PATIENCE: Duration = Duration::from_millis(20);

type Batches = Pin<Box<dyn Stream<Item = Vec<Result<pb::ImportAccountsRequest, Status>>> + Send>>;

/// An import that is under way. The next batch is read when the one before is committed and its answer
/// taken, so a caller who sends faster waits.
pub(super) struct Import {
    service: Arc<Service>,
    call: Call,
    batches: Batches,
    begun: bool,
    dry_run: bool,
    last_line: i64,
}

impl Import {
    /// Imports what comes.
    pub(super) fn new(
        service: Arc<Service>,
        call: Call,
        requests: Streaming<pb::ImportAccountsRequest>,
    ) -> Self {
        Self {
            service,
            call,
            batches: Box::pin(requests.chunks_timeout(BATCH, PATIENCE)),
            begun: false,
            dry_run: false,
            last_line: 0,
        }
    }

    async fn take(&mut self, rows: Vec<pb::ImportRow>) -> Result<Vec<pb::ImportError>, Status> {
        let (mut lines, mut readable, mut errors) = (Vec::new(), Vec::new(), Vec::new());
        for row in rows {
            let line = row.line;
            match import_row(row) {
                Ok(row) => {
                    lines.push(line);
                    readable.push(row);
                }
                Err(violations) => errors.push(pb::ImportError {
                    line,
                    reason: unreadable(&violations),
                }),
            }
        }
        let taken = self
            .service
            .import_accounts(self.call.clone(), readable, self.dry_run)
            .await
            .map_err(Refusal::from)?;
        errors.extend(lines.into_iter().zip(taken).filter_map(|(line, taken)| {
            let reason = match taken {
                RowTaken::Taken | RowTaken::Before => return None,
                RowTaken::EmailTaken => "EMAIL_TAKEN",
                RowTaken::AccountIdTaken => "ACCOUNT_ID_TAKEN",
            };
            Some(pb::ImportError {
                line,
                reason: reason.to_owned(),
            })
        }));
        errors.sort_by_key(|error| error.line);
        Ok(errors)
    }

    /// The rows of a batch, whose lines go on from the batch before.
    fn rows(
        &mut self,
        batch: Vec<Result<pb::ImportAccountsRequest, Status>>,
    ) -> Result<Vec<pb::ImportRow>, Status> {
        let mut rows = Vec::with_capacity(batch.len());
        for request in batch {
            match request?.item {
                Some(Item::Row(row)) if row.line > self.last_line => {
                    self.last_line = row.line;
                    rows.push(row);
                }
                Some(Item::Row(_)) => {
                    let rule = "must be above that of the row before, from 1";
                    return Err(FieldViolations::of("row.line", rule).into());
                }
                Some(Item::Options(options)) if !self.begun => self.dry_run = options.dry_run,
                Some(Item::Options(_)) => {
                    let rule = "must be the first message of the stream";
                    return Err(FieldViolations::of("options", rule).into());
                }
                None => return Err(FieldViolations::of("item", "is required").into()),
            }
            self.begun = true;
        }
        Ok(rows)
    }
}

impl Pages for Import {
    type Item = pb::ImportAccountsResponse;
    type Error = Status;

    async fn next(&mut self) -> Result<Option<Vec<Self::Item>>, Status> {
        let Some(batch) = self.batches.next().await else {
            return Ok(None);
        };
        let rows = self.rows(batch)?;
        if rows.is_empty() {
            return Ok(Some(Vec::new()));
        }
        let errors = self.take(rows).await?;
        Ok(Some(vec![pb::ImportAccountsResponse {
            acknowledged_through_line: self.last_line,
            errors,
        }]))
    }
}

fn import_row(row: pb::ImportRow) -> Read<ImportRow> {
    let account = row
        .account
        .ok_or_else(|| FieldViolations::of("account", "is required"))?;
    let (account_id, password_hash, profile) = (
        read::optional_account_id("account_id", &account.account_id),
        password_hash(row.password_hash),
        profile(&pb::CreateAccountRequest {
            email: account.email,
            email_verified: account.email_verified,
            phone: account.phone,
            phone_verified: account.phone_verified,
            second_factor: account.second_factor,
            locale: account.locale,
            display_name: account.display_name,
            request_id: String::new(),
        }),
    )
        .together()?;
    Ok(ImportRow {
        account_id,
        profile,
        disabled: account.disabled,
        password_hash,
    })
}

fn password_hash(hash: Option<pb::PasswordHash>) -> Read<Option<PasswordHash>> {
    let Some(hash) = hash else { return Ok(None) };
    ForeignHash::import(&hash.format, &hash.encoded)
        .map(|hash| Some(PasswordHash::Foreign(hash)))
        .map_err(|why| FieldViolations::of("password_hash", why))
}

fn unreadable(violations: &FieldViolations) -> String {
    let told: Vec<_> = violations
        .iter()
        .map(|violation| format!("{} {}", violation.field, violation.description))
        .collect();
    format!("INVALID_FIELD: {}", told.join("; "))
}
