//! `relatch serve`.

use super::{Failure, ending};
use crate::app::serve::{ServeError, Serving};
use crate::config::{Config, ConfigRefused, Profile, Source, System};
use clap::Args;
use std::path::PathBuf;

/// Serve, as the configuration says
///
/// It does not make itself ready by halves: what is wrong with the configuration, its files or the database is told, all
/// of the configuration's faults at once, and the exit code is 1. SIGHUP reads callers, keyring, certificate and
/// breach file again; SIGTERM or Ctrl-C ends in good order, a second one at once.
#[derive(Debug, Clone, Args)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct ServeArgs {
    /// The configuration file; environment variables RELATCH_SECTION__KEY go before it
    #[arg(long, value_name = "FILE", env = "RELATCH_CONFIG")]
    config: PathBuf,
}

const EXAMPLES: &str = "\
Examples:
  With the settings of a file, of which relatch.example.toml is one:
    relatch serve --config /etc/relatch/relatch.toml";

impl From<ServeError> for Failure {
    fn from(error: ServeError) -> Self {
        Self::told(error)
    }
}

impl ServeArgs {
    fn configuration(&self, source: &dyn Source) -> Result<Config, ConfigRefused> {
        Config::read(Profile::Serve, Some(&self.config), Vec::new(), source)
    }

    /// Runs until it is told to end.
    pub(super) fn run(self) -> Result<(), Failure> {
        let config = self.configuration(&System)?;
        let (log, traces, grace) = (
            config.log.clone(),
            config.traces.clone(),
            config.shutdown.grace,
        );
        ending::run_until_told(&log, traces.as_ref(), grace, async |telemetry, shutdown| {
            let serving = Serving {
                config,
                metrics: telemetry.metrics.clone(),
                reread: Box::new(move || self.configuration(&System)),
            };
            // On the heap: it is the whole service, too large for a stack that others share.
            let serving = serving.run(shutdown, |reached| {
                let [ops, console, bounces] = [reached.ops, reached.console, reached.bounces]
                    .map(|address| address.map(tracing::field::display));
                tracing::info!(grpc = %reached.grpc, ops, console, bounces, "serving");
            });
            Ok(Box::pin(serving).await?)
        })
    }
}
