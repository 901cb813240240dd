//! `relatch account`: accounts of a running service.

mod broken;
mod export;
mod import;
mod lines;
mod reading;
mod resume;
mod rows;

use self::export::ExportArgs;
use self::import::ImportArgs;
use super::server::{Server, ServerArgs};
use super::{Failure, Output};
use crate::config::Source;
use crate::pb::account_service_client::AccountServiceClient;
use crate::pb::{Account, CreateAccountRequest, ListAccountsRequest, SecondFactor};
use clap::{Args, Subcommand, ValueEnum};

/// Create, list, import and export accounts of a running service
#[derive(Debug, Subcommand)]
pub(super) enum AccountCommand {
    Create(CreateArgs),
    List(ListArgs),
    Import(ImportArgs),
    Export(ExportArgs),
}

/// Create an account without a password
///
/// Prints the account as `relatch account list` does. Needs the scope `accounts`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  relatch account create --email ada@example.com --verified --display-name Ada
  relatch account create --email ada@example.com --verified \\
    --phone +4915112345678 --phone-verified --second-factor sms")]
pub(super) struct CreateArgs {
    /// The address that the person signs in by, and that mail goes to
    #[arg(long)]
    email: String,
    /// The address is known to be the person's: nothing is sent to it otherwise
    #[arg(long)]
    verified: bool,
    /// The phone, as in +4915112345678
    #[arg(long)]
    phone: Option<String>,
    /// The phone is known to be the person's
    #[arg(long, requires = "phone")]
    phone_verified: bool,
    /// What the person is asked for beside the password
    #[arg(long, value_enum, default_value = "email")]
    second_factor: Factor,
    /// How mails address the person
    #[arg(long, default_value = "", hide_default_value = true)]
    display_name: String,
    /// The language of mails, as in de or pt-BR
    #[arg(long, default_value = "", hide_default_value = true)]
    locale: String,
    #[command(flatten)]
    server: ServerArgs,
}

/// List every account
///
/// A line for each, of six fields with a tab between: account id, email, `verified` or `unverified`, second factor,
/// `password` or `no-password`, `enabled` or `disabled`. Needs the scope `accounts`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  relatch account list
  relatch account list --server 127.0.0.1:50051 --token-file backoffice.token")]
pub(super) struct ListArgs {
    #[command(flatten)]
    server: ServerArgs,
}

/// The second factors that an account can be created with; an authenticator app is enrolled by its owner.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Factor {
    Email,
    Sms,
}

impl AccountCommand {
    pub(super) async fn run(
        self,
        source: &dyn Source,
        output: &mut Output<'_>,
    ) -> Result<(), Failure> {
        match self {
            Self::Create(args) => {
                let server = args.server.connect(source).await?;
                create(&server, args, output).await
            }
            Self::List(args) => list(&args.server.connect(source).await?, output).await,
            Self::Import(args) => args.run(&args.server.connect(source).await?, output).await,
            Self::Export(args) => args.run(&args.server.connect(source).await?, output).await,
        }
    }
}

async fn create(server: &Server, args: CreateArgs, output: &mut Output<'_>) -> Result<(), Failure> {
    let request = CreateAccountRequest {
        email: args.email,
        email_verified: args.verified,
        phone: args.phone.unwrap_or_default(),
        phone_verified: args.phone_verified,
        second_factor: match args.second_factor {
            Factor::Email => SecondFactor::Email,
            Factor::Sms => SecondFactor::Sms,
        }
        .into(),
        locale: args.locale,
        display_name: args.display_name,
        request_id: String::new(),
    };
    let answer = AccountServiceClient::new(server.channel.clone())
        .create_account(request)
        .await
        .map_err(|status| server.explain(&status))?;
    output.line(line(&answer.into_inner().account.unwrap_or_default()))
}

async fn list(server: &Server, output: &mut Output<'_>) -> Result<(), Failure> {
    let mut client = AccountServiceClient::new(server.channel.clone());
    let mut page_token = String::new();
    loop {
        let request = ListAccountsRequest {
            page_size: 1_000,
            page_token,
        };
        let page = client
            .list_accounts(request)
            .await
            .map_err(|status| server.explain(&status))?
            .into_inner();
        for account in &page.accounts {
            output.line(line(account))?;
        }
        if page.next_page_token.is_empty() {
            return Ok(());
        }
        page_token = page.next_page_token;
    }
}

fn line(account: &Account) -> String {
    let factor = account.second_factor().as_str_name();
    [
        account.account_id.as_str(),
        account.email.as_str(),
        if account.email_verified {
            "verified"
        } else {
            "unverified"
        },
        factor.strip_prefix("SECOND_FACTOR_").unwrap_or(factor),
        if account.has_password {
            "password"
        } else {
            "no-password"
        },
        if account.disabled {
            "disabled"
        } else {
            "enabled"
        },
    ]
    .join("\t")
}

#[cfg(test)]
mod tests;
