//! Which running service a command talks to, and as whom.

mod transport;

use self::transport::{Protection, is_this_machine, unreachable};
use super::Failure;
use crate::bearer::Bearer;
use crate::config::{PrivateFile, Source};
use crate::domain::caller::CallerToken;
use clap::Args;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use zeroize::Zeroizing;

/// Where `relatch dev` keeps its data unless told otherwise.
const DEV_DIR: &str = "relatch-dev";

/// The variable that may hold a token.
const TOKEN: &str = "RELATCH_TOKEN";

/// Which service, and as whom.
#[derive(Debug, Args)]
#[command(next_help_heading = "Which service, and as whom")]
pub(super) struct ServerArgs {
    /// The address of its API. The token is read from --token-file, or from the variable RELATCH_TOKEN
    #[arg(long, value_name = "HOST:PORT")]
    server: Option<String>,
    /// A file, mode 0600, that holds the token of a caller
    #[arg(long, value_name = "PATH")]
    token_file: Option<PathBuf>,
    /// The data directory of a `relatch dev`, whose dev.json has address and token [default: relatch-dev, if there]
    #[arg(long, value_name = "DIR", conflicts_with = "server")]
    dev: Option<PathBuf>,
    /// Trust the authorities in this PEM file and no others; the service's own certificate will do if it signed itself
    #[arg(long, value_name = "PATH", conflicts_with = "plaintext")]
    ca: Option<PathBuf>,
    /// Use TLS, with the authorities that this machine trusts; to other machines it is used anyway
    #[arg(long, conflicts_with = "plaintext")]
    tls: bool,
    /// Send the token without TLS to another machine
    #[arg(long)]
    plaintext: bool,
}

/// What is read of dev.json.
#[derive(Deserialize)]
struct DevJson {
    grpc: String,
    token: Zeroizing<String>,
}

/// A channel that shows the caller's token with every call.
pub(super) type Authorized = InterceptedService<Channel, Bearer>;

/// A service that was reached.
pub(super) struct Server {
    /// Its address, as people know it.
    pub(super) address: String,
    /// The way to it.
    pub(super) channel: Authorized,
}

impl ServerArgs {
    /// Connects to the service.
    pub(super) async fn connect(&self, source: &dyn Source) -> Result<Server, Failure> {
        let (address, token) = self.resolve(source)?;
        let channel = transport::connect(&address, &self.protection(&address)).await?;
        Server::new(address, channel, &token)
    }

    /// The address and the token to use.
    fn resolve(&self, source: &dyn Source) -> Result<(String, CallerToken), Failure> {
        let (address, of_dev) = match (&self.server, self.dev_dir()) {
            (Some(server), _) => (server.clone(), None),
            (None, Some(directory)) => {
                let dev = dev_json(&directory.join("dev.json"))?;
                (dev.grpc, Some(dev.token))
            }
            (None, None) => {
                return Err(Failure::told(
                    "no service is named: give --server HOST:PORT, or --dev with the data directory of a `relatch dev`",
                ));
            }
        };
        let (text, place) = self.token(of_dev, source)?;
        let token = CallerToken::parse(text.trim_end())
            .map_err(|why| Failure::told(format_args!("the token in {place} {why}")))?;
        Ok((address, token))
    }

    /// How the token travels: without TLS only within this machine, unless somebody says otherwise.
    fn protection(&self, address: &str) -> Protection {
        match &self.ca {
            Some(path) => Protection::TlsBy(path.clone()),
            None if self.tls => Protection::Tls,
            None if self.plaintext || is_this_machine(address) => Protection::Plaintext,
            None => Protection::Tls,
        }
    }

    /// The token's text and where it was found. The demo's token goes with the demo's address.
    fn token(
        &self,
        of_dev: Option<Zeroizing<String>>,
        source: &dyn Source,
    ) -> Result<(Zeroizing<String>, String), Failure> {
        if let Some(path) = &self.token_file {
            let text = PrivateFile::new(path, false).read()?;
            return Ok((text, path.display().to_string()));
        }
        if let Some(token) = of_dev {
            return Ok((token, "dev.json".to_owned()));
        }
        match source.variable(TOKEN) {
            Some(token) => Ok((Zeroizing::new(token), TOKEN.to_owned())),
            None => Err(Failure::told(format_args!(
                "there is no token: give --token-file PATH, or set {TOKEN}; `relatch caller new` makes one"
            ))),
        }
    }

    fn dev_dir(&self) -> Option<&Path> {
        let usual = Path::new(DEV_DIR);
        self.dev
            .as_deref()
            .or_else(|| usual.join("dev.json").exists().then_some(usual))
    }
}

fn dev_json(path: &Path) -> Result<DevJson, Failure> {
    let text = PrivateFile::new(path, false).read()?;
    serde_json::from_str(&text).map_err(|_| {
        let path = path.display();
        Failure::told(format_args!(
            "{path} is not what `relatch dev` writes: start it again"
        ))
    })
}

impl Server {
    /// The service at the far end of the channel, to which this token is shown.
    pub(super) fn new(
        address: String,
        channel: Channel,
        token: &CallerToken,
    ) -> Result<Self, Failure> {
        let bearer = Bearer::new(token.expose()).map_err(Failure::told)?;
        let channel = InterceptedService::new(channel, bearer);
        Ok(Self { address, channel })
    }

    /// What to tell somebody whose call was refused so.
    pub(super) fn explain(&self, status: &Status) -> Failure {
        let details = status.get_error_details();
        let Some(info) = details.error_info() else {
            return match status.code() {
                Code::Unavailable => unreachable(&self.address),
                code => Failure::told(format_args!(
                    "{} answered {code:?}: {}",
                    self.address,
                    status.message()
                )),
            };
        };
        let mut told = match info.reason.as_str() {
            "CALLER_UNKNOWN" => format!(
                "{} does not know the token: is its stanza in the configuration, and has the service read it?",
                self.address
            ),
            "SCOPE_MISSING" => "the caller whose token this is lacks the scope for that: \
                                add it to the scopes of its [[callers]] stanza"
                .to_owned(),
            reason => format!("{} refused: {} ({reason})", self.address, status.message()),
        };
        for violation in details
            .bad_request()
            .into_iter()
            .flat_map(|bad| &bad.field_violations)
        {
            told.extend(["\n  ", &violation.field, ": ", &violation.description]);
        }
        Failure::Told(told)
    }
}

#[cfg(test)]
mod tests;
