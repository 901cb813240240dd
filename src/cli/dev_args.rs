//! The flags of `relatch dev`.

use crate::config::{Config, ConfigRefused, Flag, Profile, Source};
use clap::Args;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Run everything on this machine, with demo accounts and a mailbox, to try it out
///
/// Every address is of this machine alone. The demo accounts, their passwords and the addresses in use are written to
/// dev.json in the data directory, where the other commands find them. Delete the directory to start afresh.
#[derive(Debug, Clone, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct DevArgs {
    /// Where everything is kept
    #[arg(long, value_name = "DIR", default_value = "relatch-dev")]
    pub data_dir: PathBuf,
    /// Where the API listens; port 0 takes a free one [default: 127.0.0.1:50051]
    #[arg(long, value_name = "ADDRESS", value_parser = loopback)]
    pub grpc_listen: Option<SocketAddr>,
    /// Where the web pages listen [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS", value_parser = loopback)]
    pub console_listen: Option<SocketAddr>,
    /// Where the mailbox listens
    #[arg(long, value_name = "ADDRESS", value_parser = loopback, default_value = "127.0.0.1:8025")]
    pub inbox_listen: SocketAddr,
    /// Where health listens [default: 127.0.0.1:9090]
    #[arg(long, value_name = "ADDRESS", value_parser = loopback)]
    pub ops_listen: Option<SocketAddr>,
    /// A configuration file; it and the environment go before the demo's defaults
    #[arg(long, value_name = "FILE", env = "RELATCH_CONFIG")]
    pub config: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  Start with everything in ./relatch-dev:
    relatch dev
  A second one beside it, on free ports:
    relatch dev --data-dir /tmp/second --grpc-listen 127.0.0.1:0 --console-listen 127.0.0.1:0 \\
      --inbox-listen 127.0.0.1:0 --ops-listen 127.0.0.1:0
  With settings of your own:
    relatch dev --config relatch.toml";

impl DevArgs {
    /// The configuration that the flags, the file they name and the environment make.
    pub fn configuration(&self, source: &dyn Source) -> Result<Config, ConfigRefused> {
        let listeners = [
            ("--grpc-listen", "grpc.listen", self.grpc_listen),
            ("--console-listen", "console.listen", self.console_listen),
            ("--ops-listen", "ops.listen", self.ops_listen),
        ];
        let flags = listeners.into_iter().filter_map(|(name, key, given)| {
            let value = given?.to_string();
            Some(Flag { name, key, value })
        });
        let profile = Profile::Dev {
            data_dir: &self.data_dir,
        };
        Config::read(profile, self.config.as_deref(), flags.collect(), source)
    }
}

fn loopback(text: &str) -> Result<SocketAddr, &'static str> {
    match text.parse::<SocketAddr>() {
        Ok(address) if address.ip().is_loopback() => Ok(address),
        Ok(_) => Err("dev has demo accounts and stays on this machine: 127.0.0.1 or [::1]"),
        Err(_) => Err("must be an IP address and a port such as 127.0.0.1:0"),
    }
}
