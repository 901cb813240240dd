//! Tries at a second factor: how many a link or a sign-in bears, how many a factor does, and how often a code
//! is sent.
//!
//! A try counts as wrong before it is looked at, and a right one takes that back. Five end the link or the
//! sign-in; a hundred in a row, over any number of them, stop the factor of the account (SP 800-63B-4 §3.2.2).
//! What is sent anew gives no new tries (§3.1.3.2).

use super::account::SecondFactor;
use super::message::ChannelKind;
use super::time::Timestamp;
use std::time::Duration;

/// The wrong code after which a link or a challenge is dead.
pub const TRIES: u32 = 5;

/// The wrong code in a row after which a factor takes none any more.
pub const FACTOR_STOPPED_AFTER: u32 = 100;

/// How many codes are sent for a link or a challenge.
pub const SENDINGS: u32 = 3;

/// How long after a sending the next one may follow.
pub const BETWEEN_SENDINGS: Duration = Duration::from_mins(1);

/// The factor that a sign-in asks for beside the password. `email_code` says whether one by email is.
#[must_use]
pub const fn asked_at_sign_in(factor: SecondFactor, email_code: bool) -> Option<SecondFactor> {
    match factor {
        SecondFactor::Email if !email_code => None,
        SecondFactor::Email | SecondFactor::Sms | SecondFactor::Totp => Some(factor),
    }
}

/// The way by which a factor's codes are sent; an app makes its own.
#[must_use]
pub const fn channel_of(factor: SecondFactor) -> Option<ChannelKind> {
    match factor {
        SecondFactor::Email => Some(ChannelKind::Email),
        SecondFactor::Sms => Some(ChannelKind::Sms),
        SecondFactor::Totp => None,
    }
}

/// Whether a factor with so many wrong codes in a row takes none any more.
#[must_use]
pub const fn stopped(in_a_row: u32) -> bool {
    in_a_row >= FACTOR_STOPPED_AFTER
}

/// Whether the owner is told of the wrong codes when there are so many in a row: at the first five, and when
/// they stop the factor.
#[must_use]
pub const fn worth_telling(in_a_row: u32) -> bool {
    in_a_row == TRIES || in_a_row == FACTOR_STOPPED_AFTER
}

/// A sending of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sending {
    /// Which one for its link or challenge, counted from 1.
    pub number: u32,
    /// When.
    pub at: Timestamp,
}

/// Why no code is sent now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotSent {
    /// The last one is too recent; this is what is left to wait.
    TooSoon(Duration),
    /// There were as many as there are.
    NoMore,
}

/// The sending after `last`.
pub fn next_sending(last: Option<Sending>, now: Timestamp) -> Result<Sending, NotSent> {
    let number = match last {
        None => 1,
        Some(last) if last.number >= SENDINGS => return Err(NotSent::NoMore),
        Some(last) => {
            let left = last.at.plus(BETWEEN_SENDINGS).since(now);
            if left > Duration::ZERO {
                return Err(NotSent::TooSoon(left));
            }
            last.number.saturating_add(1)
        }
    };
    Ok(Sending { number, at: now })
}

/// How long after this sending another one may be asked for: until `end`, where none is left.
#[must_use]
pub fn resend_after(sent: Sending, end: Timestamp) -> Duration {
    if sent.number >= SENDINGS {
        end.since(sent.at)
    } else {
        BETWEEN_SENDINGS
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);

    #[test]
    fn a_sign_in_asks_everybody_unless_codes_by_email_are_off() {
        for factor in [SecondFactor::Sms, SecondFactor::Totp] {
            for email_code in [false, true] {
                assert_eq!(asked_at_sign_in(factor, email_code), Some(factor));
            }
        }
        let email = SecondFactor::Email;
        assert_eq!(asked_at_sign_in(email, true), Some(email));
        assert_eq!(asked_at_sign_in(email, false), None);
    }

    #[test]
    fn the_hundredth_in_a_row_stops_a_factor() {
        assert!(!stopped(99));
        assert!(stopped(100));
        let told: Vec<_> = (0..200).filter(|n| worth_telling(*n)).collect();
        assert_eq!(told, [5, 100]);
    }

    #[test]
    fn three_are_sent_a_minute_apart() {
        let first = next_sending(None, NOW).unwrap();
        assert_eq!(first, Sending { number: 1, at: NOW });
        let early = NOW.plus(Duration::from_secs(59));
        let left = Duration::from_secs(1);
        assert_eq!(
            next_sending(Some(first), early),
            Err(NotSent::TooSoon(left))
        );
        let second = next_sending(Some(first), NOW.plus(BETWEEN_SENDINGS)).unwrap();
        let third = next_sending(Some(second), second.at.plus(BETWEEN_SENDINGS)).unwrap();
        assert_eq!(third.number, 3);
        let years_later = NOW.plus(Duration::from_hours(100_000));
        assert_eq!(next_sending(Some(third), years_later), Err(NotSent::NoMore));
        let end = NOW.plus(Duration::from_mins(10));
        assert_eq!(resend_after(second, end), BETWEEN_SENDINGS);
        assert_eq!(resend_after(third, end), Duration::from_mins(8));
    }

    proptest! {
        #[test]
        fn no_clock_gets_more_than_three(steps in proptest::collection::vec(-100_i64..100, 0..50)) {
            let (mut now, mut last, mut sent) = (NOW, None, 0);
            for seconds in steps {
                now = Timestamp::from_micros(now.as_micros() + seconds * 1_000_000);
                if let Ok(next) = next_sending(last, now) {
                    last = Some(next);
                    sent += 1;
                }
            }
            prop_assert!(sent <= SENDINGS);
        }
    }
}
