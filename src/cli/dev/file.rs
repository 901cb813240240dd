//! `dev.json`: where a demonstration tells programs how to reach it.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What `DATA/dev.json` says. It holds passwords, though only of made-up people.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct DevFile {
    /// `host:port` of the gRPC API.
    pub(super) grpc: String,
    /// URL of the pages for people.
    pub(super) console: String,
    /// URL of the inbox.
    pub(super) inbox: String,
    /// URL of health.
    pub(super) ops: String,
    /// The bearer token of a caller that may do everything.
    pub(super) token: String,
    /// The demo accounts.
    pub(super) accounts: Vec<DemoAccount>,
}

/// A demo account.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct DemoAccount {
    /// Its id.
    pub(super) account_id: String,
    /// Its address.
    pub(super) email: String,
    /// Its phone, if it has one.
    pub(super) phone: Option<String>,
    /// Its password, which a restart gives back to it.
    pub(super) password: String,
    /// `EMAIL`, `SMS` or `TOTP`.
    pub(super) second_factor: String,
    /// The secret of its authenticator app, in base32, if it has one.
    pub(super) totp_secret: Option<String>,
}

impl fmt::Debug for DevFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DevFile")
            .field("grpc", &self.grpc)
            .finish_non_exhaustive()
    }
}

impl DevFile {
    /// Reads the text of a `dev.json`; a damaged one counts as none and is written anew.
    #[must_use]
    pub(super) fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// The account of this address.
    #[must_use]
    pub(super) fn account(&self, email: &str) -> Option<&DemoAccount> {
        self.accounts.iter().find(|account| account.email == email)
    }

    /// The text of the file.
    pub(super) fn to_text(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }
}
