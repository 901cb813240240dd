//! The way to a running service: TLS, unless nobody can listen on the way.

use crate::cli::Failure;
use http::uri::Authority;
use std::error::Error as _;
use std::fs;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Error};

/// How long a connection may take to stand, and an answer to begin.
const PATIENCE: Duration = Duration::from_secs(10);

/// How the way is protected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Protection {
    /// Not at all.
    Plaintext,
    /// By a certificate that an authority of this machine signed.
    Tls,
    /// By a certificate that one of the authorities in this file signed, or that is in it.
    TlsBy(PathBuf),
}

/// Connects to the API at this address.
pub(super) async fn connect(address: &str, protection: &Protection) -> Result<Channel, Failure> {
    let unreadable = || {
        Failure::told(format_args!(
            "{address:?} is not an address such as 127.0.0.1:50051"
        ))
    };
    let authority: Authority = address.parse().map_err(|_| unreadable())?;
    authority.port().ok_or_else(unreadable)?;
    let scheme = match protection {
        Protection::Plaintext => "http",
        Protection::Tls | Protection::TlsBy(_) => "https",
    };
    let endpoint = Endpoint::from_shared(format!("{scheme}://{authority}"))
        .map_err(|_| unreadable())?
        .connect_timeout(PATIENCE)
        .timeout(PATIENCE);
    let unusable = |error: Error| Failure::told(format_args!("TLS is not possible: {error}"));
    let endpoint = match protection {
        Protection::Plaintext => endpoint,
        Protection::Tls => endpoint
            .tls_config(ClientTlsConfig::new().with_native_roots())
            .map_err(unusable)?,
        Protection::TlsBy(path) => {
            let pem = fs::read(path).map_err(|why| {
                Failure::told(format_args!("{} cannot be read: {why}", path.display()))
            })?;
            let trusted = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(pem));
            endpoint.tls_config(trusted).map_err(unusable)?
        }
    };
    endpoint
        .connect()
        .await
        .map_err(|error| not_reached(address, protection, &error))
}

/// What to tell somebody whose service does not answer.
pub(super) fn unreachable(address: &str) -> Failure {
    Failure::told(format_args!(
        "nothing answers at {address}: is the service running, and is that the address of its API?"
    ))
}

/// A refused certificate is told with its reason, which is the last of the causes.
fn not_reached(address: &str, protection: &Protection, error: &Error) -> Failure {
    let mut cause = error.source();
    while let Some(deeper) = cause.and_then(std::error::Error::source) {
        cause = Some(deeper);
    }
    let told = cause.map(ToString::to_string).unwrap_or_default();
    if *protection == Protection::Plaintext || told.contains("refused") {
        return unreachable(address);
    }
    Failure::told(format_args!(
        "no TLS connection to {address} stands: {told}; --ca names the file of the authority that signed its \
         certificate, --plaintext does without TLS"
    ))
}

/// Whether the address is of this machine alone.
pub(super) fn is_this_machine(address: &str) -> bool {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    let ip = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || ip.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}
