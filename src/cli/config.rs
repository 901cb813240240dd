//! `relatch config`: configurations to begin with, and to look things up in.

use super::{Failure, Output};
use crate::config::{EXAMPLE, REFERENCE};
use clap::Subcommand;

/// Print a configuration to begin with, or every setting there is
#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Print the configuration of a service on one machine, for you to fill in
    #[command(after_long_help = "\
Examples:
  relatch config example > relatch.toml")]
    Example,
    /// Print every setting, with its meaning and its default
    #[command(after_long_help = "\
Examples:
  relatch config reference")]
    Reference,
}

impl ConfigCommand {
    pub(super) fn run(self, output: &mut Output<'_>) -> Result<(), Failure> {
        output.line(match self {
            Self::Example => EXAMPLE.trim_end(),
            Self::Reference => REFERENCE.trim_end(),
        })
    }
}
