//! Accounts that another system had: taken in, and given out again.

use crate::domain::account::{Account, Profile};
use crate::domain::call::Call;
use crate::domain::id::AccountId;
use crate::domain::password::PasswordHash;
use crate::domain::pseudonym::Pseudonym;

/// Take in accounts, all of them in one transaction; one that cannot be taken in keeps no other out.
#[derive(Debug, Clone)]
pub struct ImportAccounts {
    /// On whose behalf.
    pub call: Call,
    /// The accounts, in their order.
    pub rows: Vec<ImportedAccount>,
}

/// One account to take in.
#[derive(Debug, Clone)]
pub struct ImportedAccount {
    /// Names the account.
    pub account_id: AccountId,
    /// The pseudonyms of everything the row says, under every key: that of the signing key first. They tell
    /// a row that was taken in before, whatever became of its account.
    pub fingerprints: Vec<Pseudonym>,
    /// What is known about the person.
    pub profile: Profile,
    /// Whether the account is disabled.
    pub disabled: bool,
    /// The hash of its password, if it has one.
    pub password_hash: Option<PasswordHash>,
}

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowTaken {
    /// Its account is there now; of a row that was only judged, it could be.
    Taken,
    /// This very row was taken in before; its account may have been deleted since, and stays so.
    Before,
    /// Another account has the address; it stays as it is.
    EmailTaken,
    /// Another account has the id; it stays as it is.
    AccountIdTaken,
}

/// An account with what its password is verified against.
#[derive(Debug, Clone)]
pub struct ExportedAccount {
    /// The account.
    pub account: Account,
    /// The hash, if the account has a password.
    pub password_hash: Option<PasswordHash>,
}
