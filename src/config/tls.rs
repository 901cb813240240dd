//! `[tls]`: how listeners prove who they are, and who may prove it to them.

use super::reader::Reader;
use std::path::PathBuf;
use std::str::FromStr as _;

/// `[tls]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// The certificate, and those that lead to its root.
    pub cert_file: PathBuf,
    /// Its private key.
    pub key_file: PathBuf,
    /// The authorities whose client certificates prove who a caller is.
    pub client_ca_file: Option<PathBuf>,
}

impl Reader {
    /// Reads `[tls]`.
    #[expect(
        clippy::option_option,
        reason = "faulty, and well but absent, are different things"
    )]
    pub(super) fn tls(&mut self) -> Option<Option<Tls>> {
        const CERT: &str = "tls.cert_file";
        const KEY: &str = "tls.key_file";
        const CLIENT_CA: &str = "tls.client_ca_file";
        let cert_file = self.optional(CERT, PathBuf::from_str);
        let key_file = self.optional(KEY, PathBuf::from_str);
        let client_ca_file = self.optional(CLIENT_CA, PathBuf::from_str);
        match (cert_file?, key_file?, client_ca_file?) {
            (Some(cert_file), Some(key_file), client_ca_file) => Some(Some(Tls {
                cert_file,
                key_file,
                client_ca_file,
            })),
            (Some(_), None, _) => self.refuse(KEY, "must be set: the certificate's private key"),
            (None, Some(_), _) => self.refuse(CERT, "must be set: the certificate of the key"),
            (None, None, Some(_)) => self.refuse(
                CERT,
                "must be set: clients show certificates only to a server that has one",
            ),
            (None, None, None) => Some(None),
        }
    }
}
