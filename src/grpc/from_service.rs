//! Why a use case refused, as callers are told.

use super::refusal::{BrokenRule, Refusal};
use crate::domain::message::ChannelKind;
use crate::domain::password::Judgement;
use crate::grpc::read::FieldViolations;
use crate::service::error::{LinkInvalid, ServiceError};
use crate::service::hasher::HashError;
use crate::store::DeadLink;

impl From<ServiceError> for Refusal {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::RequestIdUnreadable(why) => FieldViolations::of("request_id", why).into(),
            ServiceError::RequestIdReused => Self::RequestIdReused,
            ServiceError::Limited {
                bucket,
                retry_after,
            } => Self::RateLimited {
                limit: bucket.name(),
                retry_after,
            },
            ServiceError::IntakeFull => Self::IntakeFull,
            ServiceError::LinkInvalid(why) => Self::ResetLinkInvalid {
                why: why.name(),
                reused: why == LinkInvalid::Dead(DeadLink::Used),
            },
            ServiceError::PasswordRejected(judgement) => {
                Self::PasswordRejected(broken_rules(judgement))
            }
            ServiceError::SecondFactorRequired(factor) => Self::SecondFactorRequired(factor),
            ServiceError::CredentialsWrong => Self::CredentialsWrong,
            ServiceError::SecondFactorWrong => Self::SecondFactorWrong,
            ServiceError::ChallengeInvalid => Self::ChallengeInvalid,
            ServiceError::ProofInvalid => Self::ProofInvalid,
            ServiceError::NoVerifiedPhone => {
                FieldViolations::of("second_factor", "SMS needs a verified phone").into()
            }
            ServiceError::NoApp => {
                FieldViolations::of("second_factor", "TOTP needs an enrolled app").into()
            }
            ServiceError::NoUseForRecoveryCodes => {
                let why = "must be of an account whose second factor is SMS or TOTP";
                FieldViolations::of("account_id", why).into()
            }
            ServiceError::NoFactorToRemove => {
                let why = "must be of an account whose second factor is not EMAIL already";
                FieldViolations::of("account_id", why).into()
            }
            ServiceError::Unseal(_) => Self::Internal(error.to_string()),
            ServiceError::NoAccount => Self::AccountNotFound,
            ServiceError::EmailTaken => Self::EmailTaken,
            ServiceError::EtagMismatch => Self::EtagMismatch,
            ServiceError::NoVerifiedAddress => Self::NoVerifiedAddress,
            ServiceError::ChannelMissing(channel) => Self::Unimplemented(channel_missing(channel)),
            ServiceError::HasPassword => {
                FieldViolations::of("account_id", "must be an account without a password").into()
            }
            ServiceError::Disabled => Self::AccountDisabled,
            ServiceError::Hash(why) => why.into(),
            ServiceError::Store(why) => why.into(),
            ServiceError::NoEntropy(why) => why.into(),
        }
    }
}

impl From<HashError> for Refusal {
    fn from(error: HashError) -> Self {
        match error {
            HashError::Saturated { retry_after } => Self::HashingSaturated { retry_after },
            HashError::DeadlineExceeded => Self::DeadlineExceeded,
            HashError::PepperMissing(_) | HashError::Internal => Self::Internal(error.to_string()),
        }
    }
}

fn broken_rules(judgement: Judgement) -> Vec<BrokenRule> {
    let broken = judgement
        .violations
        .into_iter()
        .map(|violation| BrokenRule {
            rule: violation.rule.name(),
            description: violation.description.into_owned(),
        });
    broken.collect()
}

const fn channel_missing(channel: ChannelKind) -> &'static str {
    match channel {
        ChannelKind::Email => "this service is not configured to send mails",
        ChannelKind::Sms => "this service is not configured to send text messages",
    }
}
