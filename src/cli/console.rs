//! `relatch console`.

use super::{Failure, ending};
use crate::app::apart::{Apart, ApartError};
use crate::config::{ConsoleConfig, System};
use clap::Args;
use std::path::PathBuf;

/// Serve the web pages for people, before a Relatch on another machine
///
/// The configuration is the same file as that of `serve`, of which it reads the sections console, tls, ops, shutdown, log and
/// traces, and of mail the product_name and the support_contact: it needs neither keys nor a database nor a mail server.
/// console.relatch_url says where Relatch is, console.relatch_token_file as whom it is called; `relatch caller new` makes
/// the token, with the scopes reset, profile, signin and factors. While Relatch is away, pages say so and nobody is let
/// in. SIGHUP reads the certificate again; SIGTERM or Ctrl-C ends in good order, a second one at once.
#[derive(Debug, Clone, Args)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct ConsoleArgs {
    /// The configuration file; environment variables RELATCH_SECTION__KEY go before it
    #[arg(long, value_name = "FILE", env = "RELATCH_CONFIG")]
    config: PathBuf,
}

const EXAMPLES: &str = "\
Examples:
  On the machine of Relatch, make the caller that it is, and put the token into a file on the other:
    relatch caller new pages --scopes reset,profile,signin,factors
  There, with [console] listen, url, directory, relatch_url and relatch_token_file in the file:
    relatch console --config /etc/relatch/console.toml";

impl From<ApartError> for Failure {
    fn from(error: ApartError) -> Self {
        Self::told(error)
    }
}

impl ConsoleArgs {
    /// Runs until it is told to end.
    pub(super) fn run(&self) -> Result<(), Failure> {
        let config = ConsoleConfig::read(&self.config, &System)?;
        let (log, traces, grace) = (
            config.log.clone(),
            config.traces.clone(),
            config.shutdown.grace,
        );
        ending::run_until_told(&log, traces.as_ref(), grace, async |telemetry, shutdown| {
            let console = Apart {
                config,
                metrics: telemetry.metrics.clone(),
            };
            let running = console.run(shutdown, |reached| {
                let ops = reached.ops.map(tracing::field::display);
                tracing::info!(console = %reached.console, ops, "serving pages");
            });
            Ok(Box::pin(running).await?)
        })
    }
}
