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
mod tests {
    use super::*;
    use crate::domain::account::SecondFactor;
    use crate::grpc::reasons::known;

    fn error_info(status: &Status) -> tonic_types::ErrorInfo {
        status.get_details_error_info().unwrap()
    }

    /// Everything of a status that reaches the caller.
    fn sent(status: &Status) -> String {
        let details = String::from_utf8_lossy(status.details());
        format!("{} {details} {:?}", status.message(), status.metadata())
    }

    fn store_lost(doubt: Doubt) -> Refusal {
        Refusal::from(StoreError::Unavailable {
            doubt,
            cause: "canary-7f3a".into(),
        })
    }

    #[test]
    fn a_status_says_its_reason_and_the_layers_can_read_it() {
        let status = Status::from(Refusal::EtagMismatch);
        assert_eq!(status.code(), Code::Aborted);
        let info = error_info(&status);
        assert_eq!(
            (info.domain.as_str(), info.reason.as_str()),
            ("relatch", "ETAG_MISMATCH")
        );
        let refused = Refused::of(&status).unwrap();
        assert_eq!((refused.reason, refused.summary), ("ETAG_MISMATCH", None));
        assert_eq!(Refused::of(&Status::not_found("made elsewhere")), None);
    }

    #[test]
    fn every_refusal_has_the_code_and_the_reason_of_the_api() {
        let pause = Duration::from_secs(1);
        let refusals = [
            (
                Refusal::InvalidField(FieldViolations::of("email", "wrong")),
                "InvalidArgument INVALID_FIELD",
            ),
            (
                Refusal::PasswordRejected(Vec::new()),
                "InvalidArgument PASSWORD_REJECTED",
            ),
            (
                Refusal::RequestIdReused,
                "InvalidArgument REQUEST_ID_REUSED",
            ),
            (Refusal::EtagMismatch, "Aborted ETAG_MISMATCH"),
            (
                Refusal::ResetLinkInvalid {
                    why: "used",
                    reused: true,
                },
                "FailedPrecondition RESET_LINK_INVALID",
            ),
            (
                Refusal::SecondFactorRequired(SecondFactor::Sms),
                "FailedPrecondition SECOND_FACTOR_REQUIRED",
            ),
            (
                Refusal::SecondFactorWrong,
                "PermissionDenied SECOND_FACTOR_WRONG",
            ),
            (
                Refusal::CredentialsWrong,
                "PermissionDenied CREDENTIALS_WRONG",
            ),
            (
                Refusal::ChallengeInvalid,
                "PermissionDenied CHALLENGE_INVALID",
            ),
            (Refusal::ProofInvalid, "PermissionDenied PROOF_INVALID"),
            (Refusal::ScopeMissing, "PermissionDenied SCOPE_MISSING"),
            (Refusal::CallerUnknown, "Unauthenticated CALLER_UNKNOWN"),
            (Refusal::AccountNotFound, "NotFound ACCOUNT_NOT_FOUND"),
            (Refusal::MessageNotFound, "NotFound MESSAGE_NOT_FOUND"),
            (Refusal::CheckpointNotKept, "NotFound CHECKPOINT_NOT_KEPT"),
            (Refusal::EmailTaken, "AlreadyExists EMAIL_TAKEN"),
            (
                Refusal::RateLimited {
                    limit: "identifier",
                    retry_after: pause,
                },
                "ResourceExhausted RATE_LIMITED",
            ),
            (
                Refusal::HashingSaturated { retry_after: pause },
                "ResourceExhausted HASHING_SATURATED",
            ),
            (Refusal::IntakeFull, "ResourceExhausted INTAKE_FULL"),
            (Refusal::EventsPruned, "OutOfRange EVENTS_PRUNED"),
            (Refusal::SequenceAhead, "OutOfRange SEQUENCE_AHEAD"),
            (Refusal::LogReplaced, "FailedPrecondition LOG_REPLACED"),
            (
                Refusal::MessageExpired,
                "FailedPrecondition MESSAGE_EXPIRED",
            ),
            (
                Refusal::NoVerifiedAddress,
                "FailedPrecondition NO_VERIFIED_ADDRESS",
            ),
            (
                Refusal::AccountDisabled,
                "FailedPrecondition ACCOUNT_DISABLED",
            ),
            (
                Refusal::DeadlineExceeded,
                "DeadlineExceeded DEADLINE_EXCEEDED",
            ),
            (Refusal::Internal(String::new()), "Internal INTERNAL"),
            (store_lost(Doubt::None), "Unavailable STORE_UNAVAILABLE"),
            (Refusal::StreamExpired, "Unavailable STREAM_EXPIRED"),
            (
                Refusal::Unimplemented("not yet"),
                "Unimplemented UNIMPLEMENTED",
            ),
        ];
        for (refusal, told) in refusals {
            let status = Status::from(refusal);
            let reason = error_info(&status).reason;
            assert_eq!(format!("{:?} {reason}", status.code()), told);
            assert_eq!(known(&reason), reason, "the list of reasons lacks it");
            let retries = status.get_details_retry_info().is_some();
            assert_eq!(retries, status.code() == Code::ResourceExhausted, "{told}");
        }
    }

    #[test]
    fn no_cause_leaves_the_process() {
        for refusal in [
            Refusal::Internal("canary-7f3a".to_owned()),
            store_lost(Doubt::None),
        ] {
            assert!(!sent(&Status::from(refusal)).contains("canary-7f3a"));
        }
    }

    #[test]
    fn a_lost_commit_says_that_the_outcome_is_unknown() {
        for (doubt, outcome) in [(Doubt::None, "none"), (Doubt::Unknown, "unknown")] {
            let status = Status::from(store_lost(doubt));
            assert_eq!(status.code(), Code::Unavailable);
            assert_eq!(error_info(&status).metadata["outcome"], outcome);
        }
    }

    #[test]
    fn a_required_factor_is_named() {
        let status = Status::from(Refusal::SecondFactorRequired(SecondFactor::Totp));
        assert_eq!(error_info(&status).metadata["factor"], "TOTP");
    }

    #[test]
    fn each_broken_rule_is_a_violation_of_the_new_password() {
        let rule = |rule| BrokenRule {
            rule,
            description: "in words".to_owned(),
        };
        let status = Status::from(Refusal::PasswordRejected(vec![
            rule("TOO_SHORT"),
            rule("COMMON"),
        ]));
        let told = status.get_details_bad_request().unwrap().field_violations;
        let told: Vec<_> = told
            .iter()
            .map(|each| (each.field.as_str(), each.reason.as_str()))
            .collect();
        assert_eq!(
            told,
            [("new_password", "TOO_SHORT"), ("new_password", "COMMON")]
        );
    }

    #[test]
    fn every_unreadable_field_is_named() {
        let fields =
            FieldViolations::of("email", "wrong").and(FieldViolations::of("client.ip", "wrong"));
        let told = Status::from(fields)
            .get_details_bad_request()
            .unwrap()
            .field_violations;
        assert_eq!(
            told.iter()
                .map(|each| each.field.as_str())
                .collect::<Vec<_>>(),
            ["email", "client.ip"]
        );
    }

    #[test]
    fn whoever_is_told_to_come_back_is_told_when_and_not_which_limit() {
        let pause = Duration::from_mins(3);
        let limited = Status::from(Refusal::RateLimited {
            limit: "request_source",
            retry_after: pause,
        });
        let delay = |status: &Status| {
            status
                .get_details_retry_info()
                .unwrap()
                .retry_delay
                .unwrap()
        };
        assert_eq!(delay(&limited), Duration::from_mins(5));
        assert!(!sent(&limited).contains("request_source"));
        assert_eq!(
            Refused::of(&limited).unwrap().summary.unwrap().reason,
            "request_source"
        );
        assert_eq!(delay(&Status::from(Refusal::IntakeFull)), INTAKE_PAUSE);
    }

    #[test]
    fn a_pause_is_rounded_up_and_never_down() {
        assert_eq!(coarse(Duration::ZERO), Duration::from_secs(1));
        assert_eq!(
            coarse(Duration::from_millis(1_001)),
            Duration::from_secs(10)
        );
        assert_eq!(coarse(Duration::from_secs(3_601)), Duration::from_hours(2));
        assert_eq!(coarse(Duration::from_hours(2)), Duration::from_hours(2));
    }

    #[test]
    fn a_link_used_before_is_told_like_any_other_and_counts_apart() {
        let status = |reused| {
            Status::from(Refusal::ResetLinkInvalid {
                why: "used",
                reused,
            })
        };
        assert_eq!(status(true).details(), status(false).details());
        let event = |reused| Refused::of(&status(reused)).unwrap().summary.unwrap().event;
        assert_eq!(
            (event(true), event(false)),
            (EventName::TokenReuse, EventName::TokenRefused)
        );
    }
}
