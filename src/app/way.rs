//! The way to a Relatch elsewhere, from the configuration and the files that it names.

use crate::bearer::{Bearer, BearerUnusable};
use crate::config::{PrivateFile, PrivateFileError, Remote};
use crate::domain::caller::{CallerToken, CallerTokenUnreadable};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use thiserror::Error;
use tonic::transport::{
    Certificate, Channel, ClientTlsConfig, Endpoint, Error as TransportError, Identity,
};

/// How long a connection may take to stand: a page waits for it.
const CONNECT_TIME: Duration = Duration::from_secs(3);

/// How often a silent connection is asked whether it still stands, and how long its answer may take: what a machine
/// that is gone has taken is sent again to the one in its place.
const PING_EVERY: Duration = Duration::from_secs(10);
const PING_TIME: Duration = Duration::from_secs(5);

/// Why there is no way. The messages say how to mend it.
#[derive(Debug, Error)]
pub enum WayRefused {
    /// The file with the token.
    #[error("[console] relatch_token_file: {0}")]
    TokenFile(PrivateFileError),
    /// What it holds.
    #[error("[console] relatch_token_file: {0} {1}")]
    Token(PathBuf, CallerTokenUnreadable),
    /// The token cannot be sent.
    #[error("[console] relatch_token_file: {0}")]
    Bearer(#[from] BearerUnusable),
    /// A file of certificates.
    #[error("[console] {key}: {path} cannot be read: {cause}")]
    Certificates {
        /// The setting.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        cause: io::Error,
    },
    /// The key of the certificate.
    #[error("[console] relatch_key_file: {0}")]
    Key(PrivateFileError),
    /// TLS is not possible with them.
    #[error("[console] relatch_url: TLS is not possible: {0}")]
    Tls(#[from] TransportError),
}

/// A channel to it, and the token to show there if there is one. The group may read the files with secrets only if
/// `allow_group_read`. Reads files; connects when it is first used, and again whenever it has to.
pub(super) fn way(
    relatch: &Remote,
    allow_group_read: bool,
) -> Result<(Channel, Option<Bearer>), WayRefused> {
    let private = |path: &Path| PrivateFile::new(path, allow_group_read);
    let bearer = match &relatch.token_file {
        None => None,
        Some(path) => {
            let text = private(path).read_line().map_err(WayRefused::TokenFile)?;
            let token = CallerToken::parse(&text);
            let token = token.map_err(|why| WayRefused::Token(path.clone(), why))?;
            Some(Bearer::new(token.expose())?)
        }
    };
    let endpoint = Endpoint::from(relatch.url.clone())
        .connect_timeout(CONNECT_TIME)
        .tcp_nodelay(true)
        .http2_keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PING_TIME)
        .keep_alive_while_idle(true);
    if relatch.url.scheme_str() == Some("http") {
        return Ok((endpoint.connect_lazy(), bearer));
    }
    let mut tls = match &relatch.ca_file {
        None => ClientTlsConfig::new().with_native_roots(),
        Some(path) => {
            let authorities = certificates("relatch_ca_file", path)?;
            ClientTlsConfig::new().ca_certificate(Certificate::from_pem(authorities))
        }
    };
    if let Some(shown) = &relatch.certificate {
        let chain = certificates("relatch_cert_file", &shown.cert_file)?;
        let key = private(&shown.key_file).read().map_err(WayRefused::Key)?;
        tls = tls.identity(Identity::from_pem(chain, key.as_bytes()));
    }
    Ok((endpoint.tls_config(tls)?.connect_lazy(), bearer))
}

fn certificates(key: &'static str, path: &Path) -> Result<Vec<u8>, WayRefused> {
    std::fs::read(path).map_err(|cause| WayRefused::Certificates {
        key,
        path: path.to_owned(),
        cause,
    })
}
