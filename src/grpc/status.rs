//! What a caller is told when a call is refused: the only maker of [`tonic::Status`].
//!
//! Public texts are fixed. What went wrong inside is written to the log, once, when the status is
//! made, and never leaves the process. Every status carries the [`Refused`] it was made from as its
//! source, which the layers read and the transport does not send.

use super::read::FieldViolations;
use super::refusal::{BrokenRule, Refusal};
use super::refused::{Refused, Summary};
use crate::domain::audit::EventName;
use crate::store::{Doubt, StoreError};
use http::{HeaderMap, Response};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tonic::body::Body;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt as _};

/// The `domain` of every `google.rpc.ErrorInfo`.
pub const DOMAIN: &str = "relatch";

/// The field that a refused password is reported on.
const NEW_PASSWORD: &str = "new_password";

/// When a full intake is worth another try: it is worked off in less.
const INTAKE_PAUSE: Duration = Duration::from_mins(1);

/// Everything that follows from a refusal.
struct Terms {
    code: Code,
    reason: &'static str,
    /// For developers.
    text: &'static str,
    /// For the person, in English, where a person can do something about it.
    told: Option<&'static str>,
    metadata: Option<(&'static str, &'static str)>,
    violations: Vec<FieldViolation>,
    retry_after: Option<Duration>,
    summary: Option<Summary>,
}

const fn terms(code: Code, reason: &'static str, text: &'static str) -> Terms {
    Terms {
        code,
        reason,
        text,
        told: None,
        metadata: None,
        violations: Vec::new(),
        retry_after: None,
        summary: None,
    }
}

impl Terms {
    fn tell(self, text: &'static str) -> Self {
        Self {
            told: Some(text),
            ..self
        }
    }

    fn with(self, key: &'static str, value: &'static str) -> Self {
        Self {
            metadata: Some((key, value)),
            ..self
        }
    }

    fn on(self, violations: Vec<FieldViolation>) -> Self {
        Self { violations, ..self }
    }

    fn again_after(self, pause: Duration) -> Self {
        Self {
            retry_after: Some(coarse(pause)),
            ..self
        }
    }

    /// Counts in the audit log, under the reason that callers are told.
    fn counted(self, event: EventName) -> Self {
        let reason = self.reason;
        self.counted_because(event, reason)
    }

    /// Counts in the audit log, under a closer reason than callers are told.
    fn counted_because(self, event: EventName, reason: &'static str) -> Self {
        Self {
            summary: Some(Summary { event, reason }),
            ..self
        }
    }

    fn details(&mut self) -> ErrorDetails {
        let metadata = self
            .metadata
            .map(|(key, value)| (key.to_owned(), value.to_owned()));
        let metadata = metadata.into_iter().collect::<HashMap<_, _>>();
        let mut details = ErrorDetails::with_error_info(self.reason, DOMAIN, metadata);
        if !self.violations.is_empty() {
            details.set_bad_request(std::mem::take(&mut self.violations));
        }
        if let Some(pause) = self.retry_after {
            details.set_retry_info(Some(pause));
        }
        if let Some(text) = self.told {
            details.set_localized_message("en", text);
        }
        details
    }
}

impl Refusal {
    /// The table of refusals.
    ///
    /// Those that changed something have an audit event of their own, written with the change; answers
    /// that callers meet in good faith (no such account, the log's end) need none. The others count.
    #[expect(clippy::too_many_lines, reason = "one row for each refusal")]
    fn terms(&self) -> Terms {
        use Code::{
            Aborted, AlreadyExists, DeadlineExceeded, FailedPrecondition, Internal,
            InvalidArgument, NotFound, OutOfRange, PermissionDenied, ResourceExhausted,
            Unauthenticated, Unavailable, Unimplemented,
        };
        match self {
            Self::InvalidField(fields) => {
                terms(InvalidArgument, "INVALID_FIELD", "a field cannot be read")
                    .on(unreadable(fields))
                    .counted(EventName::InputRefused)
            }
            Self::PasswordRejected(rules) => terms(
                InvalidArgument,
                "PASSWORD_REJECTED",
                "the policy refuses the new password",
            )
            .tell("This password does not meet the rules. Please choose another one.")
            .on(broken(rules))
            .counted(EventName::PasswordRefused),
            Self::RequestIdReused => terms(
                InvalidArgument,
                "REQUEST_ID_REUSED",
                "the request_id was used with other content",
            )
            .counted(EventName::InputRefused),
            Self::EtagMismatch => terms(
                Aborted,
                "ETAG_MISMATCH",
                "the account changed since it was read",
            ),
            Self::ResetLinkInvalid { why, reused } => {
                let event = if *reused {
                    EventName::TokenReuse
                } else {
                    EventName::TokenRefused
                };
                terms(
                    FailedPrecondition,
                    "RESET_LINK_INVALID",
                    "the link is invalid or has expired",
                )
                .tell("This link is invalid or has expired. Please ask for a new one.")
                .counted_because(event, why)
            }
            Self::SecondFactorRequired(factor) => terms(
                FailedPrecondition,
                "SECOND_FACTOR_REQUIRED",
                "a code of the second factor is required",
            )
            .tell("Please enter your code as well.")
            .with("factor", factor.name()),
            Self::SecondFactorWrong => terms(
                PermissionDenied,
                "SECOND_FACTOR_WRONG",
                "the code is wrong or was used",
            )
            .tell("This code is wrong or was used before."),
            Self::CredentialsWrong => terms(
                PermissionDenied,
                "CREDENTIALS_WRONG",
                "email or password is wrong",
            )
            .tell("Email or password is wrong."),
            Self::ChallengeInvalid => terms(
                PermissionDenied,
                "CHALLENGE_INVALID",
                "the challenge is invalid or has ended",
            )
            .tell("Please sign in again.")
            .counted(EventName::SignInFailed),
            Self::ProofInvalid => terms(
                PermissionDenied,
                "PROOF_INVALID",
                "the proof is invalid or has expired",
            )
            .tell("Please sign in again.")
            .counted(EventName::SignInFailed),
            Self::ScopeMissing => terms(
                PermissionDenied,
                "SCOPE_MISSING",
                "the caller lacks the scope for this",
            )
            .counted(EventName::ScopeMissing),
            Self::CallerUnknown => terms(
                Unauthenticated,
                "CALLER_UNKNOWN",
                "the caller showed no valid credential",
            )
            .counted(EventName::CallerUnknown),
            Self::AccountNotFound => {
                terms(NotFound, "ACCOUNT_NOT_FOUND", "there is no such account")
            }
            Self::MessageNotFound => {
                terms(NotFound, "MESSAGE_NOT_FOUND", "there is no such message")
            }
            Self::CheckpointNotKept => terms(
                NotFound,
                "CHECKPOINT_NOT_KEPT",
                "no checkpoint of that size or above is kept",
            ),
            Self::EmailTaken => terms(
                AlreadyExists,
                "EMAIL_TAKEN",
                "another account has this email",
            ),
            Self::RateLimited { limit, retry_after } => {
                terms(ResourceExhausted, "RATE_LIMITED", "too many requests")
                    .tell("Too many attempts. Please try again later.")
                    .again_after(*retry_after)
                    .counted_because(EventName::RateLimited, limit)
            }
            Self::HashingSaturated { retry_after } => terms(
                ResourceExhausted,
                "HASHING_SATURATED",
                "too many passwords wait to be hashed",
            )
            .tell("The service is busy. Please try again in a moment.")
            .again_after(*retry_after)
            .counted(EventName::Overloaded),
            Self::IntakeFull => terms(
                ResourceExhausted,
                "INTAKE_FULL",
                "too many requests wait to be worked off",
            )
            .tell("The service is busy. Please try again in a moment.")
            .again_after(INTAKE_PAUSE)
            .counted(EventName::Overloaded),
            Self::EventsPruned => terms(
                OutOfRange,
                "EVENTS_PRUNED",
                "events after that sequence are no longer kept",
            ),
            Self::SequenceAhead => terms(
                OutOfRange,
                "SEQUENCE_AHEAD",
                "the log does not reach that far",
            ),
            Self::LogReplaced => terms(
                FailedPrecondition,
                "LOG_REPLACED",
                "the log has another origin: start over from 0",
            ),
            Self::MessageExpired => terms(
                FailedPrecondition,
                "MESSAGE_EXPIRED",
                "the message's link or code is dead",
            ),
            Self::NoVerifiedAddress => terms(
                FailedPrecondition,
                "NO_VERIFIED_ADDRESS",
                "the account has no verified address for a link",
            ),
            Self::AccountDisabled => terms(
                FailedPrecondition,
                "ACCOUNT_DISABLED",
                "the account is disabled",
            ),
            Self::DeadlineExceeded => terms(
                DeadlineExceeded,
                "DEADLINE_EXCEEDED",
                "the call took longer than it may",
            ),
            Self::Internal(_) => terms(Internal, "INTERNAL", "a fault of the service"),
            Self::StoreUnavailable { doubt, .. } => {
                let outcome = match doubt {
                    Doubt::None => "none",
                    Doubt::Unknown => "unknown",
                };
                terms(Unavailable, "STORE_UNAVAILABLE", "the store is unavailable")
                    .tell("The service is not available. Please try again in a moment.")
                    .with("outcome", outcome)
            }
            Self::StreamExpired => terms(
                Unavailable,
                "STREAM_EXPIRED",
                "the stream has ended: resume it",
            ),
            Self::Unimplemented(text) => terms(Unimplemented, "UNIMPLEMENTED", text),
        }
    }

    fn log_cause(&self) {
        if let Self::Internal(cause) = self {
            tracing::error!(cause, "a call failed inside the service");
        }
        if let Self::StoreUnavailable { doubt, cause } = self {
            tracing::error!(?doubt, %cause, "a call failed in the store");
        }
    }
}

fn unreadable(fields: &FieldViolations) -> Vec<FieldViolation> {
    let violation =
        |each: &super::read::FieldViolation| FieldViolation::new(each.field, &each.description);
    fields.iter().map(violation).collect()
}

fn broken(rules: &[BrokenRule]) -> Vec<FieldViolation> {
    let violation = |each: &BrokenRule| FieldViolation {
        reason: each.rule.to_owned(),
        ..FieldViolation::new(NEW_PASSWORD, &each.description)
    };
    rules.iter().map(violation).collect()
}

/// The pause rounded up to one of few, so that it tells when to come back and nothing else.
fn coarse(pause: Duration) -> Duration {
    const STEPS: [Duration; 6] = [
        Duration::from_secs(1),
        Duration::from_secs(10),
        Duration::from_mins(1),
        Duration::from_mins(5),
        Duration::from_mins(15),
        Duration::from_hours(1),
    ];
    let step = STEPS.into_iter().find(|step| pause <= *step);
    step.unwrap_or_else(|| Duration::from_hours(pause.as_secs().div_ceil(3_600)))
}

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        refusal.log_cause();
        let mut terms = refusal.terms();
        let mut status = Self::with_error_details(terms.code, terms.text, terms.details());
        let Terms {
            reason, summary, ..
        } = terms;
        status.set_source(Arc::new(Refused { reason, summary }));
        status
    }
}

impl Refusal {
    /// The answer to a call that is refused before, or instead of, being handled.
    pub(super) fn into_response(self) -> Response<Body> {
        Status::from(self).into_http()
    }

    /// The end of a stream.
    pub(super) fn into_trailers(self) -> Result<HeaderMap, Status> {
        let mut trailers = HeaderMap::new();
        Status::from(self).add_header(&mut trailers)?;
        Ok(trailers)
    }
}

/// How a stream ended: the code and reason that its trailers tell.
pub(super) fn end_of_stream(trailers: &HeaderMap) -> Option<(Code, String)> {
    let status = Status::from_header_map(trailers)?;
    let info = status.get_details_error_info();
    Some((
        status.code(),
        info.map_or_else(String::new, |info| info.reason),
    ))
}

impl From<FieldViolations> for Status {
    fn from(fields: FieldViolations) -> Self {
        Refusal::from(fields).into()
    }
}

impl From<StoreError> for Status {
    fn from(error: StoreError) -> Self {
        Refusal::from(error).into()
    }
}

#[cfg(test)]
mod tests;
