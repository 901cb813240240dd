//! Challenges: sign-ins whose password was right and whose second factor is due.
//!
//! `rlq1_`, a signed text with the fields
//!
//! ```text
//! challenge id 16 | expiry 8
//! ```
//!
//! It names no account: whoever holds it learns whose it is by passing the factor.

use super::id::ChallengeId;
use super::keyring::{Keyring, Purpose};
use super::signed::{Form, SignedText, TokenRefused, id_and_end, read_id_and_end};
use super::time::Timestamp;
use std::fmt;
use std::time::Duration;

/// How long a challenge lives.
pub const CHALLENGE_LIFETIME: Duration = Duration::from_mins(10);

const FORM: Form<24> = Form::new("rlq1_", Purpose::Challenge);

/// What a challenge says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Challenge {
    /// Names the sign-in.
    pub challenge_id: ChallengeId,
    /// From this moment on it is over.
    pub expires_at: Timestamp,
}

/// A challenge's text: half of a sign-in, so it is neither printed nor stored.
#[derive(Clone)]
pub struct ChallengeText(SignedText);

impl ChallengeText {
    /// Hands the text out, for the caller who signs the person in.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl fmt::Debug for ChallengeText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Signs a challenge with the ring's signing key.
#[must_use]
pub fn sign(keyring: &Keyring, challenge: Challenge) -> ChallengeText {
    let fields = id_and_end(challenge.challenge_id.as_bytes(), challenge.expires_at);
    ChallengeText(FORM.sign(keyring, &fields))
}

/// What the text says, if a usable key of the ring signed it and its time is not over. Costs one HMAC and
/// touches nothing.
pub fn verify(keyring: &Keyring, text: &str, now: Timestamp) -> Result<Challenge, TokenRefused> {
    let (challenge_id, expires_at) = read_id_and_end(&FORM.verify(keyring, text)?);
    if expires_at <= now {
        return Err(TokenRefused::Expired);
    }
    Ok(Challenge {
        challenge_id: ChallengeId::from_bytes(challenge_id),
        expires_at,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::ResetId;
    use crate::domain::keyring::KeyId;
    use crate::domain::token::{self, Link, LinkKind};
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);

    fn ring() -> Keyring {
        Keyring::of(KeyId::from_bytes([1; 4]), [7; 32])
    }

    fn challenge() -> Challenge {
        Challenge {
            challenge_id: ChallengeId::from_bytes([3; 16]),
            expires_at: NOW.plus(CHALLENGE_LIFETIME),
        }
    }

    #[test]
    fn a_challenge_holds_until_its_last_microsecond() {
        let text = sign(&ring(), challenge());
        assert!(text.expose().starts_with("rlq1_"));
        let end = challenge().expires_at;
        let last = end.minus(Duration::from_micros(1));
        assert_eq!(verify(&ring(), text.expose(), last), Ok(challenge()));
        let over = verify(&ring(), text.expose(), end);
        assert_eq!(over, Err(TokenRefused::Expired));
    }

    #[test]
    fn every_changed_character_is_refused() {
        let text = sign(&ring(), challenge());
        for position in 0..text.expose().len() {
            let mut changed = text.expose().as_bytes().to_vec();
            changed[position] ^= 1;
            let changed = String::from_utf8(changed).unwrap();
            let refused = verify(&ring(), &changed, NOW);
            assert!(refused.is_err(), "character {position}");
        }
    }

    #[test]
    fn a_link_of_the_same_fields_is_no_challenge() {
        let link = Link {
            reset_id: ResetId::from_bytes([3; 16]),
            expires_at: challenge().expires_at,
        };
        let token = token::mint(&ring(), LinkKind::Reset, link);
        let renamed = token.expose().replacen("rlt1_", "rlq1_", 1);
        assert_eq!(verify(&ring(), &renamed, NOW), Err(TokenRefused::Forged));
    }

    #[test]
    fn a_challenge_is_not_printed() {
        assert_eq!(format!("{:?}", sign(&ring(), challenge())), "[redacted]");
    }

    proptest! {
        #[test]
        fn no_text_panics_or_passes(text in "(rlq1_)?[A-Za-z0-9_-]{0,90}|.*") {
            prop_assert!(verify(&ring(), &text, NOW).is_err());
        }
    }
}
