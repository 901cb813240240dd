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
