//! What `PasswordService` answers, from what the use cases give.

use super::wire;
use crate::domain::password::{Judgement, MAX_BYTES, Policy, Violation};
use crate::pb;
use crate::service::sign_in::FirstStep;
use crate::store::{PendingLink, SentCode};

/// What a right password leads to.
pub(super) fn first_step(step: FirstStep) -> pb::verify_password_response::Outcome {
    use pb::verify_password_response::Outcome::{Pending, SignedIn};
    match step {
        FirstStep::SignedIn(signed_in) => SignedIn(pb::SignedIn {
            account_id: signed_in.account_id.to_string(),
            credential_version: signed_in.credential_version.get(),
            proof: signed_in.proof.expose().to_owned(),
        }),
        FirstStep::Pending { challenge, pending } => {
            let (channel, destination, resend_after) = told_of_code(pending.code);
            Pending(pb::SecondFactorPending {
                challenge: challenge.expose().to_owned(),
                second_factor: wire::second_factor(pending.second_factor).into(),
                channel: channel.into(),
                destination,
                resend_after,
                expires_at: Some(wire::timestamp(pending.expires_at)),
            })
        }
    }
}

/// What a caller is told of a code that was sent, if one was: the way, to where, and when the next may be.
pub(super) fn told_of_code(
    sent: Option<SentCode>,
) -> (pb::Channel, String, Option<prost_types::Duration>) {
    sent.map_or((pb::Channel::Unspecified, String::new(), None), |sent| {
        (
            wire::channel(sent.channel),
            sent.destination,
            Some(wire::duration(sent.resend_after)),
        )
    })
}

/// The rules for new passwords.
pub(super) fn password_policy(policy: &Policy) -> pb::PasswordPolicy {
    pb::PasswordPolicy {
        min_length: small(policy.min_length()),
        max_length: small(Policy::MAX_LENGTH),
        max_bytes: small(MAX_BYTES),
        min_strength: policy.min_score().into(),
    }
}

/// What the policy has to say about a password.
pub(super) fn checked(judgement: Judgement) -> pb::CheckPasswordResponse {
    let violation = |violation: Violation| pb::PasswordViolation {
        rule: violation.rule.name().to_owned(),
        description: violation.description.into_owned(),
    };
    pb::CheckPasswordResponse {
        violations: judgement.violations.into_iter().map(violation).collect(),
        score: judgement.score.into(),
        suggestions: judgement
            .suggestions
            .iter()
            .map(|each| each.as_str().to_owned())
            .collect(),
    }
}

/// A link that still lives.
pub(super) fn pending(link: PendingLink) -> pb::PendingMessage {
    pb::PendingMessage {
        message_id: link.message_id.to_string(),
        channel: wire::channel(link.channel).into(),
        destination: link.destination,
        requested_at: Some(wire::timestamp(link.requested_at)),
        expires_at: Some(wire::timestamp(link.expires_at)),
        delivery_state: wire::delivery_state(link.state).into(),
    }
}

/// A length that is far below 2^31.
fn small(length: usize) -> i32 {
    i32::try_from(length).unwrap_or(i32::MAX)
}
