//! Signing in.

use super::{CodeOrder, Limited, SentCode, Whence};
use crate::domain::account::{CredentialVersion, SecondFactor};
use crate::domain::call::Call;
use crate::domain::email::EmailKey;
use crate::domain::id::{AccountId, ChallengeId, MessageId};
use crate::domain::limit::Limit;
use crate::domain::password::PasswordHash;
use crate::domain::pseudonym::Pseudonym;
use crate::domain::time::Timestamp;
use crate::domain::wrong_passwords::NotTried;

/// Somebody shows an address and a password.
#[derive(Debug, Clone)]
pub struct BeginSignIn {
    /// The address's key.
    pub email: EmailKey,
    /// The limits of the source.
    pub limits: Vec<Limit>,
    /// The pseudonym of the source, from which wrong passwords are counted.
    pub source: Pseudonym,
}

/// What the password is checked against.
#[derive(Debug, Clone)]
pub enum SignInBegun {
    /// Check it: against an account that may sign in, or against nothing.
    Check(Option<SignInAccount>),
    /// The account's password is not looked at: check it against nothing.
    NotTried(AccountId, NotTried),
    /// The source's limit is reached.
    SourceLimited(Limited),
}

/// An enabled account with a password.
#[derive(Debug, Clone)]
pub struct SignInAccount {
    /// Which account.
    pub account_id: AccountId,
    /// Its credentials now.
    pub credential_version: CredentialVersion,
    /// Its password's hash.
    pub password_hash: PasswordHash,
}

/// How a sign-in ended.
#[derive(Debug, Clone)]
pub struct FinishSignIn {
    /// On whose behalf.
    pub call: Call,
    /// The pseudonym of the typed address.
    pub identifier: Pseudonym,
    /// The verdict.
    pub verdict: SignInVerdict,
    /// What counts it if it was wrong.
    pub attempt: PasswordTry,
    /// What a second factor is asked with if it was right.
    pub ask: AskFactor,
}

/// What a second factor is asked with.
#[derive(Debug, Clone)]
pub struct AskFactor {
    /// Names the challenge.
    pub challenge_id: ChallengeId,
    /// Whether accounts without another factor are asked for a code by email.
    pub email_code: bool,
    /// What the message with a code is made with.
    pub code: CodeOrder,
}

/// A password that somebody tried.
#[derive(Debug, Clone)]
pub struct PasswordTry {
    /// The pseudonym of the source that it came from.
    pub source: Pseudonym,
    /// Names the notice to the owner, if one is due.
    pub notice_id: MessageId,
    /// What the notice says about where the try came from.
    pub whence: Whence,
}

/// Whether the password was right.
#[derive(Debug, Clone)]
pub enum SignInVerdict {
    /// It was.
    Right {
        /// Whose.
        account_id: AccountId,
        /// The credentials it was checked under.
        credential_version: CredentialVersion,
        /// A hash with today's parameters to put in the place of an outdated one.
        rehash: Option<Rehash>,
    },
    /// It was not, or there is no such account.
    Wrong {
        /// Whose, if there is one.
        account_id: Option<AccountId>,
    },
    /// It was not looked at.
    NotTried(AccountId, NotTried),
}

/// A new hash for the same password.
#[derive(Debug, Clone)]
pub struct Rehash {
    /// The outdated hash; if it is no longer there, nothing is replaced.
    pub from: PasswordHash,
    /// The new one.
    pub to: PasswordHash,
}

/// Whether the sign-in stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignInFinished {
    /// It does, and nothing more is asked for.
    SignedIn,
    /// It does, and the second factor is due.
    Pending(PendingSignIn),
    /// It does not: wrong, not looked at, or right while the credentials moved or a pause began.
    Refused,
}

/// A sign-in whose second factor is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingSignIn {
    /// The factor.
    pub second_factor: SecondFactor,
    /// The code that was sent, if one could be.
    pub code: Option<SentCode>,
    /// When it is over.
    pub expires_at: Timestamp,
}

/// End every session of an account.
#[derive(Debug, Clone)]
pub struct EndSessions {
    /// On whose behalf.
    pub call: Call,
    /// Whose.
    pub account_id: AccountId,
}

/// How that ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionsEnded {
    /// Sessions begun before this moment are over.
    Ended(Timestamp),
    /// No such account.
    NoAccount,
}
