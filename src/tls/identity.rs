//! A certificate with its key, and the authorities that clients' certificates are held against.

use crate::clock::Clock;
use crate::config::{PrivateFile, PrivateFileError, Tls};
use crate::domain::time::Timestamp;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::time_provider::TimeProvider;
use rustls::version::{TLS12, TLS13};
use rustls::{InconsistentKeys, RootCertStore, ServerConfig};
use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use x509_parser::time::ASN1Time;

/// Longest file of certificates, in bytes: several times what a system's own authorities take.
const LONGEST: u64 = 1024 * 1024;

/// Why files do not make an identity. The messages say how to mend it.
#[derive(Debug, Error)]
pub enum IdentityRefused {
    /// A file of certificates cannot be read.
    #[error("{0} cannot be read: {1}")]
    Unreadable(PathBuf, #[source] io::Error),
    /// A file has no certificate that can be read.
    #[error("{0} holds no certificate in PEM, which begins with -----BEGIN CERTIFICATE-----")]
    NoCertificate(PathBuf),
    /// The key's file cannot be read, or others can.
    #[error(transparent)]
    Key(#[from] PrivateFileError),
    /// The key's file has no key.
    #[error("{0} holds no private key in PEM, which begins with -----BEGIN PRIVATE KEY-----")]
    NoKey(PathBuf),
    /// Key and certificate do not belong together.
    #[error(
        "the key in {key} is not that of the certificate in {certificate}: renew both together"
    )]
    Mismatch {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// The certificate's time is over.
    #[error("the certificate in {0} ended at {1}: renew it")]
    Ended(PathBuf, Timestamp),
    /// The certificate's time has not begun.
    #[error("the certificate in {0} begins at {1}: is the clock of this machine right?")]
    NotBegun(PathBuf, Timestamp),
    /// rustls refuses them.
    #[error("the certificate in {0} cannot be used: {1}")]
    Refused(PathBuf, #[source] rustls::Error),
    /// The clients' authorities cannot be used.
    #[error("the authorities in {0} cannot be used: {1}")]
    Authorities(PathBuf, String),
}

/// What is spoken within TLS, by its name in ALPN (RFC 7301).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// gRPC, which is HTTP/2.
    Grpc,
    /// HTTP/1.1.
    Web,
}

/// What a listener shows and asks for.
#[derive(Debug)]
pub struct Identity {
    grpc: Arc<ServerConfig>,
    web: Arc<ServerConfig>,
    ends_at: Timestamp,
}

impl Identity {
    /// Reads the files. The key must be private as the keyring must.
    pub fn read(
        files: &Tls,
        allow_group_read: bool,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, IdentityRefused> {
        let chain = certificates(&files.cert_file)?;
        let ends_at = in_time(&files.cert_file, chain.first(), clock.now())?;
        let key = PrivateFile::new(&files.key_file, allow_group_read).read()?;
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes())
            .map_err(|_| IdentityRefused::NoKey(files.key_file.clone()))?;
        let provider = Arc::new(ring::default_provider());
        let verifier = match &files.client_ca_file {
            Some(path) => Some(verifier(path, &provider)?),
            None => None,
        };
        let refused = |why| match why {
            rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                IdentityRefused::Mismatch {
                    certificate: files.cert_file.clone(),
                    key: files.key_file.clone(),
                }
            }
            why => IdentityRefused::Refused(files.cert_file.clone(), why),
        };
        let time = Arc::new(Time(Arc::clone(clock)));
        let builder = ServerConfig::builder_with_details(provider, time)
            .with_protocol_versions(&[&TLS13, &TLS12])
            .map_err(refused)?;
        let builder = match verifier {
            Some(verifier) => builder.with_client_cert_verifier(verifier),
            None => builder.with_no_client_auth(),
        };
        let config = builder.with_single_cert(chain, key).map_err(refused)?;
        let speaking = |protocol: &[u8]| {
            let mut config = config.clone();
            config.alpn_protocols = vec![protocol.to_vec()];
            Arc::new(config)
        };
        Ok(Self {
            grpc: speaking(b"h2"),
            web: speaking(b"http/1.1"),
            ends_at,
        })
    }

    /// How a handshake for this protocol goes.
    #[must_use]
    pub fn config(&self, protocol: Protocol) -> Arc<ServerConfig> {
        Arc::clone(match protocol {
            Protocol::Grpc => &self.grpc,
            Protocol::Web => &self.web,
        })
    }

    /// When the certificate ends.
    #[must_use]
    pub const fn ends_at(&self) -> Timestamp {
        self.ends_at
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, IdentityRefused> {
    let mut pem = Vec::new();
    File::open(path)
        .and_then(|file| file.take(LONGEST).read_to_end(&mut pem))
        .map_err(|why| IdentityRefused::Unreadable(path.to_owned(), why))?;
    match CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>() {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) | Err(_) => Err(IdentityRefused::NoCertificate(path.to_owned())),
    }
}

/// When the certificate ends, which must not have come.
fn in_time(
    path: &Path,
    certificate: Option<&CertificateDer<'_>>,
    now: Timestamp,
) -> Result<Timestamp, IdentityRefused> {
    let (_, certificate) = certificate
        .and_then(|der| x509_parser::parse_x509_certificate(der).ok())
        .ok_or_else(|| IdentityRefused::NoCertificate(path.to_owned()))?;
    let moment =
        |time: ASN1Time| Timestamp::from_micros(time.timestamp().saturating_mul(1_000_000));
    let validity = certificate.validity();
    let (begins, ends) = (moment(validity.not_before), moment(validity.not_after));
    if now < begins {
        Err(IdentityRefused::NotBegun(path.to_owned(), begins))
    } else if ends < now {
        Err(IdentityRefused::Ended(path.to_owned(), ends))
    } else {
        Ok(ends)
    }
}

/// Verifies the certificates of clients that show one. Callers with tokens show none, and nor do probes.
fn verifier(
    path: &Path,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, IdentityRefused> {
    let refused = |why: String| IdentityRefused::Authorities(path.to_owned(), why);
    let mut roots = RootCertStore::empty();
    for authority in certificates(path)? {
        roots
            .add(authority)
            .map_err(|why| refused(why.to_string()))?;
    }
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
        .allow_unauthenticated()
        .build()
        .map_err(|why| refused(why.to_string()))
}

/// The clock by which certificates end.
struct Time(Arc<dyn Clock>);

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Time")
    }
}

impl TimeProvider for Time {
    fn current_time(&self) -> Option<UnixTime> {
        let micros = u64::try_from(self.0.now().as_micros()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_micros(micros)))
    }
}
