//! `relatch caller`: credentials for the services that call.

use super::{Failure, Output};
use crate::config::{PrivateFile, caller_name};
use crate::domain::call::CallerName;
use crate::domain::caller::{CallerToken, Scope, Scopes};
use crate::random::{self, Random};
use clap::{Args, Subcommand};
use data_encoding::HEXLOWER;
use std::path::PathBuf;

/// Make credentials for the services that call
#[derive(Debug, Subcommand)]
pub(super) enum CallerCommand {
    New(NewArgs),
}

/// Draw a token and print it, this once, with the stanza that admits it
///
/// The configuration keeps the token's SHA-256 only. Give a caller a new token by adding a stanza under another name,
/// and remove the old one when nobody uses it any more.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Scopes:
  reset           the forgotten password, up to the new one
  profile         what a signed-in person does with their password
  signin          signing in
  factors         second factors and addresses of a signed-in person
  accounts        making, reading, changing and deleting accounts
  import          bulk import of accounts
  export_hashes   password hashes in an export
  remove_factor   taking a lost second factor away
  delivery        looking after messages
  audit           reading the audit log; audit:EVENT_NAME for those events only

Examples:
  relatch caller new web --scopes reset,signin
  relatch caller new web --scopes reset,signin --token-file web.token >> relatch.toml
  relatch caller new siem --scopes audit:authn_password_change,audit:authn_token_reuse")]
pub(super) struct NewArgs {
    /// How logs and the audit log call it: lower-case letters, digits, '-', '_' or '.'
    #[arg(value_parser = caller_name)]
    name: CallerName,
    /// What it may do, separated by commas
    #[arg(long, value_name = "SCOPES", value_delimiter = ',', required = true)]
    scopes: Vec<Scope>,
    /// Write the token to this new file, mode 0600, and print the stanza alone, ready to be appended to a configuration
    #[arg(long, value_name = "PATH")]
    token_file: Option<PathBuf>,
}

impl CallerCommand {
    pub(super) fn run(self, random: &dyn Random, output: &mut Output<'_>) -> Result<(), Failure> {
        let Self::New(args) = self;
        let token = CallerToken::from_bytes(&random::array(random)?);
        if let Some(path) = args.token_file {
            PrivateFile::new(path, false).create(token.expose())?;
            let stanza = stanza(&args.name, &token, args.scopes);
            return output.line(format_args!("\n{stanza}"));
        }
        output.line(format_args!(
            "The token of {}, shown this once; the caller sends it as `authorization: Bearer TOKEN`:\n\n{}\n\n\
             The stanza that admits it, for the configuration; a running service reads it on SIGHUP:\n\n{}",
            args.name,
            token.expose(),
            stanza(&args.name, &token, args.scopes),
        ))
    }
}

/// The `[[callers]]` stanza. Nothing in it needs escaping: names, digests and scopes hold no quotes.
fn stanza(name: &CallerName, token: &CallerToken, scopes: Vec<Scope>) -> String {
    let scopes: Scopes = scopes.into_iter().collect();
    let scopes: Vec<_> = scopes.iter().map(|scope| format!("\"{scope}\"")).collect();
    format!(
        "[[callers]]\nname = \"{name}\"\ntoken_sha256 = \"{}\"\nscopes = [{}]",
        HEXLOWER.encode(&token.sha256()),
        scopes.join(", "),
    )
}
