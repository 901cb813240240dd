//! Why a call is refused, by every name that the API has for it.

use super::read::FieldViolations;
use crate::domain::account::SecondFactor;
use crate::random::NoEntropy;
use crate::store::{Doubt, StoreError};
use std::sync::Arc;
use std::time::Duration;

/// Why a call was refused.
#[derive(Debug)]
pub enum Refusal {
    /// Fields that cannot be read.
    InvalidField(FieldViolations),
    /// The policy refuses the new password; one entry for each rule that it breaks.
    PasswordRejected(Vec<BrokenRule>),
    /// The request id was used with other content.
    RequestIdReused,
    /// The account changed since it was read.
    EtagMismatch,
    /// The link does not work. Callers never learn why.
    ResetLinkInvalid {
        /// Why, for the audit log.
        why: &'static str,
        /// Whether it had been used before: somebody else may have the mail.
        reused: bool,
    },
    /// A code of this factor is needed.
    SecondFactorRequired(SecondFactor),
    /// The code is wrong or was used.
    SecondFactorWrong,
    /// Address and password are not those of an account that may sign in.
    CredentialsWrong,
    /// The challenge is not live.
    ChallengeInvalid,
    /// The proof does not hold.
    ProofInvalid,
    /// The caller may not do this.
    ScopeMissing,
    /// The caller showed no valid credential.
    CallerUnknown,
    /// No account of this id or address.
    AccountNotFound,
    /// No message of this id.
    MessageNotFound,
    /// No checkpoint of this size or above is kept.
    CheckpointNotKept,
    /// The address has an account.
    EmailTaken,
    /// A limit was reached.
    RateLimited {
        /// Which limit, for the audit log; callers never learn it.
        limit: &'static str,
        /// When to ask again.
        retry_after: Duration,
    },
    /// Every hashing thread is busy and the queue is full.
    HashingSaturated {
        /// When to ask again.
        retry_after: Duration,
    },
    /// Too many requests for links wait to be resolved.
    IntakeFull,
    /// Events behind the place asked for are no longer kept.
    EventsPruned,
    /// The place asked for is beyond the log's head.
    SequenceAhead,
    /// The log has another origin than the one asked for.
    LogReplaced,
    /// The message's link or code is dead.
    MessageExpired,
    /// The account has no verified address to send a link to.
    NoVerifiedAddress,
    /// The account is disabled.
    AccountDisabled,
    /// The call took too long.
    DeadlineExceeded,
    /// A fault of the service; the cause is for the log.
    Internal(String),
    /// The store could not.
    StoreUnavailable {
        /// Whether the change may have been made all the same.
        doubt: Doubt,
        /// For the log.
        cause: Arc<str>,
    },
    /// The stream ran for as long as a stream may, or the service is about to end.
    StreamExpired,
    /// This version cannot do it; the text says what is missing.
    Unimplemented(&'static str),
}

/// A rule of the password policy that a password breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenRule {
    /// The rule's name, such as `TOO_SHORT`.
    pub rule: &'static str,
    /// The rule in words, for the person.
    pub description: String,
}

impl From<FieldViolations> for Refusal {
    fn from(fields: FieldViolations) -> Self {
        Self::InvalidField(fields)
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable { doubt, cause } => Self::StoreUnavailable { doubt, cause },
            StoreError::Corrupt(_) | StoreError::Damaged(_) => Self::Internal(error.to_string()),
        }
    }
}

impl From<NoEntropy> for Refusal {
    fn from(error: NoEntropy) -> Self {
        Self::Internal(error.to_string())
    }
}
