//! Values that one run has and nothing else.

use crate::mail::server;
use crate::served::TOKEN;
use crate::support::canaries::Canaries;
use crate::support::fixture::{self, fresh};
use data_encoding::HEXLOWER;
use relatch::domain::caller::CallerToken;
use std::collections::BTreeMap;

/// A value of one run.
fn unique(what: &str) -> String {
    format!("canary-{what}-{}", HEXLOWER.encode(&fresh::<6>()))
}

/// What people typed and were sent.
pub(super) struct Values {
    /// Who has an account.
    pub(super) email: String,
    /// Who has one, and whose mail server does not know it.
    pub(super) unreachable: String,
    /// Who has none, and asks for a link.
    pub(super) absent: String,
    /// Who has none, and tries to sign in.
    pub(super) stranger: String,
    pub(super) display_name: String,
    pub(super) old_password: String,
    pub(super) new_password: String,
    pub(super) wrong_password: String,
    pub(super) rejected_password: String,
    /// What goes into every hash.
    pub(super) pepper: [u8; 32],
    /// What the account is called, once there is one.
    pub(super) account_id: String,
    /// Links, cancel links, challenges and proofs, by what they are told by.
    tokens: BTreeMap<String, String>,
    /// The token of a caller whom nobody knows.
    pub(super) unknown_caller: CallerToken,
}

impl Values {
    pub(super) fn new() -> Self {
        Self {
            email: format!("{}@example.com", unique("person")),
            unreachable: format!("{}@example.com", unique("unreachable")),
            absent: format!("{}@example.com", unique("absent")),
            stranger: format!("{}@example.com", unique("stranger")),
            display_name: unique("name"),
            old_password: unique("old otters"),
            new_password: unique("new lanterns"),
            wrong_password: unique("wrong umbrella"),
            rejected_password: HEXLOWER.encode(&fresh::<5>()),
            pepper: fresh(),
            account_id: String::new(),
            tokens: BTreeMap::new(),
            unknown_caller: CallerToken::from_bytes(&fresh()),
        }
    }

    pub(super) fn keep(&mut self, name: &str, token: String) {
        self.tokens.insert(name.to_owned(), token);
    }

    /// What stands in no file that Relatch writes, and is told nobody.
    pub(super) fn secrets(&self) -> Canaries {
        let secrets = Canaries::default()
            .value("the old password", &self.old_password)
            .value("the new password", &self.new_password)
            .value("the wrong password", &self.wrong_password)
            .value("the rejected password", &self.rejected_password)
            .value("the mail server's password", server::PASSWORD)
            .value("the root of the keyring", fixture::root())
            .value("the pepper", self.pepper)
            .value("the caller's token", TOKEN)
            .value("an unknown caller's token", self.unknown_caller.expose());
        let tokens = self.tokens.iter();
        tokens.fold(secrets, |secrets, (name, token)| secrets.token(name, token))
    }

    /// What those who have no account typed; it is erased once nothing has to be done with it.
    pub(super) fn addresses_of_nobody(&self) -> Canaries {
        Canaries::default()
            .value("an absent address", &self.absent)
            .value("a stranger's address", &self.stranger)
    }

    /// What the accounts alone know in full.
    pub(super) fn of_accounts(&self) -> Canaries {
        Canaries::default()
            .value("the address", &self.email)
            .value("the unreachable address", &self.unreachable)
            .value("the display name", &self.display_name)
    }
}
