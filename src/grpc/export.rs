//! `ExportAccounts`: every account, page by page.

use super::account::to_pb;
use super::refusal::Refusal;
use crate::domain::id::AccountId;
use crate::pb;
use crate::pulled::Pages;
use crate::service::Service;
use crate::store::{AccountPage, ExportedAccount};
use std::sync::Arc;
use tonic::Status;

/// Accounts that are read at a time.
const PAGE: u32 = 500;

/// An export that is under way.
pub(super) struct Export {
    service: Arc<Service>,
    with_hashes: bool,
    after: Option<AccountId>,
    ended: bool,
}

impl Export {
    /// Exports from the first account on.
    pub(super) fn new(service: Arc<Service>, with_hashes: bool) -> Self {
        Self {
            service,
            with_hashes,
            after: None,
            ended: false,
        }
    }
}

impl Pages for Export {
    type Item = pb::ExportAccountsResponse;
    type Error = Status;

    async fn next(&mut self) -> Result<Option<Vec<Self::Item>>, Status> {
        if self.ended {
            return Ok(None);
        }
        let page = AccountPage {
            after: self.after,
            at_most: PAGE,
        };
        let accounts = self
            .service
            .export_accounts(page)
            .await
            .map_err(Refusal::from)?;
        self.after = accounts.last().map(|last| last.account.account_id);
        self.ended = accounts.len() < PAGE as usize;
        let exported = |exported: ExportedAccount| pb::ExportAccountsResponse {
            account: Some(to_pb(&exported.account)),
            password_hash: exported
                .password_hash
                .filter(|_| self.with_hashes)
                .map(|hash| {
                    let (format, encoded) = hash.exported();
                    pb::PasswordHash {
                        format: format.to_owned(),
                        encoded: encoded.to_owned(),
                    }
                }),
        };
        Ok(Some(accounts.into_iter().map(exported).collect()))
    }
}
