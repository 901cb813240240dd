//! Domain types as the API spells them.

use crate::domain::account::SecondFactor;
use crate::domain::audit::WireTime;
use crate::domain::message::{ChannelKind, DeliveryState, MessageKind};
use crate::domain::time::Timestamp;
use crate::pb;
use crate::store::{Attempt, MessageRecord};
use std::time::Duration;

/// A moment.
#[must_use]
pub fn timestamp(moment: Timestamp) -> prost_types::Timestamp {
    let WireTime { seconds, nanos } = moment.into();
    prost_types::Timestamp { seconds, nanos }
}

/// A span; one of over 292 billion years saturates.
#[must_use]
pub fn duration(span: Duration) -> prost_types::Duration {
    let seconds = i64::try_from(span.as_secs()).unwrap_or(i64::MAX);
    // Nanoseconds within a second are below 2^31.
    let nanos = i32::try_from(span.subsec_nanos()).unwrap_or(0);
    prost_types::Duration { seconds, nanos }
}

/// What is asked of a person beside the password.
#[must_use]
pub const fn second_factor(factor: SecondFactor) -> pb::SecondFactor {
    match factor {
        SecondFactor::Email => pb::SecondFactor::Email,
        SecondFactor::Sms => pb::SecondFactor::Sms,
        SecondFactor::Totp => pb::SecondFactor::Totp,
    }
}

/// The way a message travels.
#[must_use]
pub const fn channel(channel: ChannelKind) -> pb::Channel {
    match channel {
        ChannelKind::Email => pb::Channel::Email,
        ChannelKind::Sms => pb::Channel::Sms,
    }
}

/// Where a message stands.
#[must_use]
pub const fn delivery_state(state: DeliveryState) -> pb::DeliveryState {
    match state {
        DeliveryState::Queued => pb::DeliveryState::Queued,
        DeliveryState::Sent => pb::DeliveryState::Sent,
        DeliveryState::Failed => pb::DeliveryState::Failed,
        DeliveryState::Expired => pb::DeliveryState::Expired,
        DeliveryState::Suppressed => pb::DeliveryState::Suppressed,
    }
}

/// What a message is about.
#[must_use]
pub const fn message_kind(kind: MessageKind) -> pb::MessageKind {
    match kind {
        MessageKind::ResetLink => pb::MessageKind::ResetLink,
        MessageKind::Invitation => pb::MessageKind::Invitation,
        MessageKind::PasswordChanged => pb::MessageKind::PasswordChanged,
        MessageKind::AddressChanged => pb::MessageKind::AddressChanged,
        MessageKind::ResetCode => pb::MessageKind::ResetCode,
        MessageKind::AddressCode => pb::MessageKind::AddressCode,
        MessageKind::SignInCode => pb::MessageKind::SignInCode,
        MessageKind::RecoveryCodeUsed => pb::MessageKind::RecoveryCodeUsed,
        MessageKind::SecondFactorChanged => pb::MessageKind::SecondFactorChanged,
        MessageKind::SecondFactorRemoval => pb::MessageKind::SecondFactorRemoval,
        MessageKind::RecoveryCodesRenewed => pb::MessageKind::RecoveryCodesRenewed,
        MessageKind::WrongPasswords => pb::MessageKind::WrongPasswords,
        MessageKind::WrongSecondFactors => pb::MessageKind::WrongSecondFactors,
        MessageKind::PasswordCompromised => pb::MessageKind::PasswordCompromised,
    }
}

/// A message as the support desk sees it.
#[must_use]
pub fn delivery_message(message: MessageRecord) -> pb::DeliveryMessage {
    pb::DeliveryMessage {
        message_id: message.message_id.to_string(),
        kind: message_kind(message.kind).into(),
        channel: channel(message.channel).into(),
        destination: message.destination,
        state: delivery_state(message.state).into(),
        reason: message.reason,
        requested_at: Some(timestamp(message.requested_at)),
        expires_at: Some(timestamp(message.expires_at)),
        attempts: message.attempts.into_iter().map(attempt).collect(),
    }
}

fn attempt(attempt: Attempt) -> pb::Attempt {
    let outcome = match attempt.outcome.as_str() {
        "accepted" => pb::AttemptOutcome::Accepted,
        "retry" => pb::AttemptOutcome::Deferred,
        "gave_up" => pb::AttemptOutcome::Refused,
        "bounced" => pb::AttemptOutcome::Bounced,
        _ => pb::AttemptOutcome::Unspecified,
    };
    pb::Attempt {
        time: Some(timestamp(attempt.time)),
        outcome: outcome.into(),
        error: attempt.error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_moment_before_the_epoch_counts_nanoseconds_upwards() {
        let moment = timestamp(Timestamp::from_micros(-1));
        assert_eq!((moment.seconds, moment.nanos), (-1, 999_999_000));
    }

    #[test]
    fn the_longest_span_saturates() {
        assert_eq!(duration(Duration::MAX).seconds, i64::MAX);
    }

    #[test]
    fn factors_channels_and_states_keep_their_numbers() {
        for code in 1..=3 {
            let factor = SecondFactor::from_code(code).unwrap();
            assert_eq!(second_factor(factor) as i32, i32::from(code));
        }
        for code in 1..=2 {
            let kind = ChannelKind::from_code(code).unwrap();
            assert_eq!(channel(kind) as i32, i32::from(code));
        }
        for code in 1..=5 {
            let state = DeliveryState::from_code(code).unwrap();
            assert_eq!(delivery_state(state) as i32, i32::from(code));
        }
    }

    proptest! {
        #[test]
        fn a_moment_survives_the_wire(micros: i64) {
            let moment = timestamp(Timestamp::from_micros(micros));
            let again = i128::from(moment.seconds) * 1_000_000 + i128::from(moment.nanos) / 1_000;
            prop_assert_eq!(again, i128::from(micros));
        }
    }
}
