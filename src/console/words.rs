//! Times and ways, as people read them.

use super::language::Language;
use crate::pb::{Channel, DeliveryState, SecondFactor};
use prost_types::Timestamp;

/// The whole seconds of a moment; of none, the beginning of time.
pub(super) fn seconds(moment: Option<&Timestamp>) -> i64 {
    moment.map_or(0, |moment| moment.seconds)
}

/// The time of day, in UTC.
pub(super) fn clock_time(seconds: i64) -> String {
    formatted(seconds, "%H:%M UTC")
}

/// Day and time, in UTC.
pub(super) fn day_and_time(seconds: i64, t: Language) -> String {
    formatted(
        seconds,
        t.say("%-d %b %Y, %H:%M UTC", "%d.%m.%Y, %H:%M UTC"),
    )
}

fn formatted(seconds: i64, format: &str) -> String {
    jiff::Timestamp::from_second(seconds).map_or_else(
        |_| String::new(),
        |moment| moment.strftime(format).to_string(),
    )
}

/// The way a message goes.
pub(super) const fn by(channel: Channel, t: Language) -> &'static str {
    match channel {
        Channel::Email => t.say("by email", "per E-Mail"),
        Channel::Sms => t.say("by SMS", "per SMS"),
        Channel::Unspecified => "",
    }
}

/// A second factor.
pub(super) const fn factor(factor: SecondFactor, t: Language) -> &'static str {
    match factor {
        SecondFactor::Email => t.say("Email", "E-Mail"),
        SecondFactor::Sms => "SMS",
        SecondFactor::Totp => t.say("Authenticator app", "Authenticator-App"),
        SecondFactor::Unspecified => t.say("None", "Keine"),
    }
}

/// What has become of a message.
pub(super) const fn state(state: DeliveryState, t: Language) -> &'static str {
    match state {
        DeliveryState::Queued => t.say("on its way", "unterwegs"),
        DeliveryState::Sent => t.say("sent", "gesendet"),
        DeliveryState::Failed => t.say("could not be delivered", "nicht zustellbar"),
        DeliveryState::Expired => t.say("expired", "abgelaufen"),
        DeliveryState::Suppressed => t.say("not sent", "nicht gesendet"),
        DeliveryState::Unspecified => "",
    }
}
