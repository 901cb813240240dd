//! Codes and reasons by the names that the API has for them: closed lists, so that they may be labels of
//! metrics.

use tonic::Code;

/// Every reason of the API.
const REASONS: [&str; 30] = [
    "ACCOUNT_DISABLED",
    "ACCOUNT_NOT_FOUND",
    "CALLER_UNKNOWN",
    "CHALLENGE_INVALID",
    "CHECKPOINT_NOT_KEPT",
    "CREDENTIALS_WRONG",
    "DEADLINE_EXCEEDED",
    "EMAIL_TAKEN",
    "ETAG_MISMATCH",
    "EVENTS_PRUNED",
    "HASHING_SATURATED",
    "INTAKE_FULL",
    "INTERNAL",
    "INVALID_FIELD",
    "LOG_REPLACED",
    "MESSAGE_EXPIRED",
    "MESSAGE_NOT_FOUND",
    "NO_VERIFIED_ADDRESS",
    "PASSWORD_REJECTED",
    "PROOF_INVALID",
    "RATE_LIMITED",
    "REQUEST_ID_REUSED",
    "RESET_LINK_INVALID",
    "SCOPE_MISSING",
    "SECOND_FACTOR_REQUIRED",
    "SECOND_FACTOR_WRONG",
    "SEQUENCE_AHEAD",
    "STORE_UNAVAILABLE",
    "STREAM_EXPIRED",
    "UNIMPLEMENTED",
];

/// The reason as it stands in the list; any other is none.
pub(super) fn known(reason: &str) -> &'static str {
    REASONS
        .into_iter()
        .find(|known| *known == reason)
        .unwrap_or("")
}

/// Whether the code says that this side is at fault (OpenTelemetry conventions for RPC, gRPC servers).
pub(super) const fn is_fault(code: Code) -> bool {
    matches!(
        code,
        Code::Unknown
            | Code::DeadlineExceeded
            | Code::Unimplemented
            | Code::Internal
            | Code::Unavailable
            | Code::DataLoss
    )
}

/// The code's name in the gRPC specification.
pub(super) const fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}
