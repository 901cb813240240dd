//! Why a use case did not do what it was asked.

use crate::domain::account::SecondFactor;
use crate::domain::idempotency::RequestIdUnreadable;
use crate::domain::limit::Bucket;
use crate::domain::message::ChannelKind;
use crate::domain::password::Judgement;
use crate::domain::seal::UnsealRefused;
use crate::domain::token::TokenRefused;
use crate::random::NoEntropy;
use crate::service::hasher::HashError;
use crate::store::{DeadLink, Limited, StoreError};
use std::time::Duration;
use thiserror::Error;

/// Why a use case did not do what it was asked.
#[derive(Debug, Error)]
pub enum ServiceError {
    /// The request id cannot be read.
    #[error("request_id {0}")]
    RequestIdUnreadable(#[from] RequestIdUnreadable),
    /// The request id was used with other content.
    #[error("the request id was used with other content")]
    RequestIdReused,
    /// A limit was reached.
    #[error("the limit {} is reached", bucket.name())]
    Limited {
        /// Which limit; never told to callers.
        bucket: Bucket,
        /// When to ask again.
        retry_after: Duration,
    },
    /// The intake is full.
    #[error("the intake is full")]
    IntakeFull,
    /// The link does not work; callers never learn why.
    #[error("the link does not work: {}", .0.name())]
    LinkInvalid(LinkInvalid),
    /// The policy refuses the new password.
    #[error("the policy refuses the new password")]
    PasswordRejected(Judgement),
    /// A code of this factor is asked for.
    #[error("a code of the second factor {} is asked for", .0.name())]
    SecondFactorRequired(SecondFactor),
    /// The address and password are not those of an account that may sign in.
    #[error("address or password is wrong")]
    CredentialsWrong,
    /// The code is wrong, or was used.
    #[error("the code is wrong or was used")]
    SecondFactorWrong,
    /// What the code would be for has ended.
    #[error("there is nothing that a code could be for")]
    ChallengeInvalid,
    /// The proof is none, or does not stand.
    #[error("the proof does not stand")]
    ProofInvalid,
    /// The second factor would be SMS, and there is no verified phone.
    #[error("the account has no verified phone")]
    NoVerifiedPhone,
    /// The second factor would be TOTP, and no app is enrolled.
    #[error("the account has no authenticator app")]
    NoApp,
    /// The second factor is EMAIL, which no recovery code stands in for.
    #[error("the account has no use for recovery codes")]
    NoUseForRecoveryCodes,
    /// The second factor is EMAIL already.
    #[error("the account has no second factor to remove")]
    NoFactorToRemove,
    /// What was sealed cannot be opened.
    #[error("a sealed secret cannot be opened: {0}")]
    Unseal(#[from] UnsealRefused),
    /// No such account.
    #[error("no such account")]
    NoAccount,
    /// The address has an account.
    #[error("the address has an account")]
    EmailTaken,
    /// The account changed since it was read.
    #[error("the account changed since it was read")]
    EtagMismatch,
    /// The account has no verified address to send to.
    #[error("the account has no verified address")]
    NoVerifiedAddress,
    /// The account would have to be reached by a channel that this service has not got.
    #[error("this service sends nothing by {}", .0.name())]
    ChannelMissing(ChannelKind),
    /// The account has a password already.
    #[error("the account has a password")]
    HasPassword,
    /// The account is disabled.
    #[error("the account is disabled")]
    Disabled,
    /// The hashing threads have no room, or no time.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The store could not.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no entropy.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
}

/// Why a link does not work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkInvalid {
    /// Its token is not one of ours, or its time is over.
    Token(TokenRefused),
    /// Its reset is not live.
    Dead(DeadLink),
}

impl LinkInvalid {
    /// The reason as the audit log spells it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Token(why) => why.name(),
            Self::Dead(why) => why.name(),
        }
    }
}

impl ServiceError {
    /// The limit of this bucket is reached.
    #[must_use]
    pub fn limited(bucket: Bucket, limited: Limited) -> Self {
        Self::Limited {
            bucket,
            retry_after: limited.retry_after,
        }
    }
}

impl From<TokenRefused> for ServiceError {
    fn from(why: TokenRefused) -> Self {
        Self::LinkInvalid(LinkInvalid::Token(why))
    }
}

impl From<DeadLink> for ServiceError {
    fn from(why: DeadLink) -> Self {
        Self::LinkInvalid(LinkInvalid::Dead(why))
    }
}
