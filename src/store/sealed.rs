//! Sealed secrets, and how they come under another key.

use crate::domain::id::AccountId;
use crate::domain::keyring::KeyId;
use crate::domain::seal::Sealed;

/// A page of the secrets that are sealed with a key.
#[derive(Debug, Clone, Copy)]
pub struct SealedSecrets {
    /// The key.
    pub with: KeyId,
    /// Starts behind this account's.
    pub after: Option<AccountId>,
    /// How many at the most.
    pub at_most: u32,
}

/// The secret that an account shares with its authenticator app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedSecret {
    /// Whose.
    pub account_id: AccountId,
    /// The secret.
    pub sealed: Sealed,
}

/// The same secret, sealed anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resealed {
    /// As it was read.
    pub before: SealedSecret,
    /// As it is to be.
    pub after: Sealed,
}
