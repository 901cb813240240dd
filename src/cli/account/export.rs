//! `relatch account export`: every account, a line each.

use super::rows::{Format, head, line};
use crate::cli::server::{Server, ServerArgs};
use crate::cli::{Failure, Output};
use crate::pb::ExportAccountsRequest;
use crate::pb::account_service_client::AccountServiceClient;
use clap::Args;

/// Print every account in a form that can be imported
///
/// A line for each, in the order of their ids. JSON Lines also tell `has_password`, `password_changed_at`,
/// `credential_version` and `created_at`, which an import does not read. Needs the scope `accounts`. An end before the
/// last account is a failure. An authenticator app stays behind, and so does SMS to a phone that is not verified: see
/// `relatch account import --fall-back-to-email`. Hashes with `keyid` were made with a pepper: they verify only where its
/// secret is known, and cannot be imported.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  relatch account export > accounts.jsonl
  (umask 077 && relatch account export --with-hashes --format csv > accounts.csv)")]
pub(crate) struct ExportArgs {
    /// Add each account's password hash; needs the scope `export_hashes` as well
    #[arg(long)]
    with_hashes: bool,
    /// How to write them
    #[arg(long, value_enum, default_value = "jsonl")]
    format: Format,
    #[command(flatten)]
    pub(super) server: ServerArgs,
}

impl ExportArgs {
    pub(super) async fn run(
        &self,
        server: &Server,
        output: &mut Output<'_>,
    ) -> Result<(), Failure> {
        let mut client = AccountServiceClient::new(server.channel.clone());
        let request = ExportAccountsRequest {
            with_hashes: self.with_hashes,
        };
        let explain = |status| server.explain(&status);
        let answers = client.export_accounts(request).await.map_err(explain)?;
        let mut answers = answers.into_inner();
        if let Some(head) = head(self.format) {
            output.line(head)?;
        }
        while let Some(exported) = answers.message().await.map_err(explain)? {
            output.line(line(self.format, &exported))?;
        }
        Ok(())
    }
}
