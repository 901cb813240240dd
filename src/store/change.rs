//! Changing a password that is known.

use super::{Confirmation, Limited, PasswordTry};
use crate::domain::account::{Account, CredentialVersion};
use crate::domain::call::Call;
use crate::domain::id::AccountId;
use crate::domain::idempotency::Repeatable;
use crate::domain::limit::Limit;
use crate::domain::password::PasswordHash;
use crate::domain::pseudonym::Pseudonym;
use crate::domain::wrong_passwords::NotTried;

/// A signed-in person is about to change their password.
#[derive(Debug, Clone)]
pub struct OpenChange {
    /// Whose.
    pub account_id: AccountId,
    /// The limits of the source.
    pub limits: Vec<Limit>,
    /// The pseudonym of the source, from which wrong passwords are counted.
    pub source: Pseudonym,
    /// The repeatable change that this call may be a repetition of.
    pub repeatable: Option<Repeatable>,
}

/// What that found.
#[derive(Debug, Clone)]
pub enum OpenedChange {
    /// The account: check the present password.
    Present(ChangingAccount),
    /// The same call was answered so before: check that the present password is the one that it set.
    Repeated(ChangingAccount, Confirmation),
    /// The request id was used for another account.
    RequestIdReused,
    /// No such account.
    NoAccount,
    /// The source's limit is reached.
    SourceLimited(Limited),
}

/// An account, and what its present password is checked against.
#[derive(Debug, Clone)]
pub struct ChangingAccount {
    /// The account.
    pub account: Account,
    /// Its hash, unless the password is not looked at: then check it against nothing.
    pub against: Result<PasswordHash, NotTried>,
}

/// Write down what the check of the present password gave.
#[derive(Debug, Clone)]
pub struct CheckPresent {
    /// On whose behalf.
    pub call: Call,
    /// Whose.
    pub account_id: AccountId,
    /// The credentials it was checked under.
    pub credential_version: CredentialVersion,
    /// What it gave.
    pub verdict: PresentVerdict,
    /// What counts it if it was wrong.
    pub attempt: PasswordTry,
}

/// Whether the present password was right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PresentVerdict {
    /// It was.
    Right,
    /// It was not.
    Wrong,
    /// It was not looked at.
    NotTried(NotTried),
}

/// Whether the verdict lets a person go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PresentChecked {
    /// It does.
    Stands,
    /// It does not: wrong, not looked at, or right while a pause began.
    Refused,
    /// It was right, and the credentials moved meanwhile.
    Moved,
}

/// Replace a password that was shown.
#[derive(Debug, Clone)]
pub struct ChangePassword {
    /// On whose behalf.
    pub call: Call,
    /// Makes the call safe to repeat.
    pub repeatable: Option<Repeatable>,
    /// Whose.
    pub account_id: AccountId,
    /// The credentials that the present password was checked under.
    pub credential_version: CredentialVersion,
    /// The hash of the new password.
    pub to: PasswordHash,
    /// Names the notice, and says where the change came from.
    pub attempt: PasswordTry,
}

/// How a change ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordChanged {
    /// The password is set.
    Changed(Confirmation),
    /// The credentials moved between check and change, and nothing is changed.
    Moved,
}
