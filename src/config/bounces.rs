//! `[bounces]`: where mails that came back are told.

use super::Profile;
use super::reader::Reader;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr as _;

/// `[bounces]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounces {
    /// Where the mail provider reaches it.
    pub listen: SocketAddr,
    /// Whether TLS is spoken there.
    pub tls: bool,
    /// The file that holds the secrets it may sign with, a line each.
    pub secret_file: PathBuf,
}

impl Reader {
    /// Reads `[bounces]`; no mail of a demonstration comes back.
    #[expect(
        clippy::option_option,
        reason = "faulty, and well but absent, are different things"
    )]
    pub(super) fn bounces(&mut self, profile: Profile<'_>) -> Option<Option<Bounces>> {
        const FILE: &str = "bounces.secret_file";
        if matches!(profile, Profile::Dev { .. }) {
            return Some(None);
        }
        let listener = self.listener("bounces", profile);
        let secret_file = self.optional(FILE, PathBuf::from_str);
        let listener = listener?;
        match (listener.listen, secret_file?) {
            (None, _) => Some(None),
            (Some(listen), Some(secret_file)) => Some(Some(Bounces {
                listen,
                tls: listener.tls,
                secret_file,
            })),
            (Some(_), None) => self.refuse(
                FILE,
                "must be set: the file that holds the secret, such as the whsec_… that the mail provider shows",
            ),
        }
    }
}
