//! Why Relatch did not do what it was asked: the reasons of the API, read once.

use std::time::Duration;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

/// A refusal, as far as a page has something of its own to say about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refused {
    /// The link is malformed, forged, unknown, expired, used or cancelled.
    LinkInvalid,
    /// The sign-in or the enrolment is out of time or tries.
    ChallengeInvalid,
    /// Email or password is wrong.
    CredentialsWrong,
    /// The proof of the present factor does not hold any more.
    ProofInvalid,
    /// A code is needed.
    FactorRequired,
    /// The code is wrong.
    FactorWrong,
    /// The policy refuses the password: the rules that it breaks.
    PasswordRejected(Vec<String>),
    /// A field cannot be read.
    Unreadable,
    /// Too often; how long to wait.
    TooOften(Duration),
    /// The account is not there, or disabled.
    NoAccount,
    /// There is no verified address, or no way to it.
    NoWay,
    /// The email is another account's.
    EmailTaken,
    /// Relatch cannot answer at the moment.
    Unavailable,
    /// Relatch, or the way the console calls it, is at fault.
    Fault,
}

impl From<Status> for Refused {
    fn from(status: Status) -> Self {
        let details = status.get_error_details();
        let reason = details.error_info().map(|info| info.reason.as_str());
        match (reason.unwrap_or_default(), status.code()) {
            ("RESET_LINK_INVALID", _) => Self::LinkInvalid,
            ("CHALLENGE_INVALID", _) => Self::ChallengeInvalid,
            ("CREDENTIALS_WRONG", _) => Self::CredentialsWrong,
            ("PROOF_INVALID", _) => Self::ProofInvalid,
            ("SECOND_FACTOR_REQUIRED", _) => Self::FactorRequired,
            ("SECOND_FACTOR_WRONG", _) => Self::FactorWrong,
            ("PASSWORD_REJECTED", _) => {
                let violations = details.bad_request().map(|bad| &bad.field_violations);
                let rules = violations.into_iter().flatten();
                Self::PasswordRejected(rules.map(|rule| rule.reason.clone()).collect())
            }
            ("INVALID_FIELD", _) => Self::Unreadable,
            ("RATE_LIMITED", _) => {
                let delay = details.retry_info().and_then(|info| info.retry_delay);
                Self::TooOften(delay.unwrap_or(Duration::from_mins(1)))
            }
            ("ACCOUNT_NOT_FOUND" | "ACCOUNT_DISABLED", _) => Self::NoAccount,
            ("EMAIL_TAKEN", _) => Self::EmailTaken,
            ("NO_VERIFIED_ADDRESS", _) | (_, Code::Unimplemented) => Self::NoWay,
            (
                _,
                Code::Unavailable
                | Code::ResourceExhausted
                | Code::DeadlineExceeded
                | Code::Cancelled
                | Code::Aborted,
            ) => Self::Unavailable,
            (reason, code) => {
                tracing::error!(reason, ?code, "a call of the console was refused");
                Self::Fault
            }
        }
    }
}
