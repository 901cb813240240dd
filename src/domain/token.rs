//! The tokens of links: derived from the keyring, never stored.
//!
//! `rlt1_` (a reset link, or an invitation) or `rlc1_` (a "this was not me" link), a signed text with the fields
//!
//! ```text
//! reset id 16 | expiry 8
//! ```
//!
//! A reset link and an invitation open the same page and look the same; each has a sub-key of its own.

use super::id::ResetId;
use super::keyring::{Keyring, Purpose};
use super::signed::{Form, SignedText, id_and_end, read_id_and_end};
use super::time::Timestamp;
use std::fmt;

pub use super::signed::TokenRefused;

/// Length of a token's text, in characters.
pub const TEXT_LENGTH: usize = LinkKind::Reset.form().text_length();

/// Which link a token opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkKind {
    /// Lets its holder choose a new password, once.
    Reset,
    /// Lets its holder choose a first password, once.
    Invitation,
    /// Lets its holder kill every live link of the account.
    Cancel,
}

impl LinkKind {
    const fn form(self) -> Form<24> {
        match self {
            Self::Reset => Form::new("rlt1_", Purpose::ResetLink),
            Self::Invitation => Form::new("rlt1_", Purpose::Invitation),
            Self::Cancel => Form::new("rlc1_", Purpose::CancelLink),
        }
    }
}

/// What a verified token says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// The reset that the link belongs to.
    pub reset_id: ResetId,
    /// From this moment on the link is dead.
    pub expires_at: Timestamp,
}

impl Link {
    /// The link, unless its time is over.
    pub fn unless_over(self, now: Timestamp) -> Result<Self, TokenRefused> {
        if self.expires_at <= now {
            return Err(TokenRefused::Expired);
        }
        Ok(self)
    }
}

/// A token's text. It opens somebody's account: it can be sent, and neither printed nor stored.
#[derive(Clone)]
pub struct LinkToken(SignedText);

impl LinkToken {
    /// Hands the text out, for the one who sends it.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl fmt::Debug for LinkToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Mints the token of a link with the ring's signing key.
#[must_use]
pub fn mint(keyring: &Keyring, kind: LinkKind, link: Link) -> LinkToken {
    let fields = id_and_end(link.reset_id.as_bytes(), link.expires_at);
    LinkToken(kind.form().sign(keyring, &fields))
}

/// What the token says, if a usable key of the ring minted it for this kind of link and its time is
/// not over. Costs one HMAC and touches nothing.
pub fn verify(
    keyring: &Keyring,
    kind: LinkKind,
    text: &str,
    now: Timestamp,
) -> Result<Link, TokenRefused> {
    authenticate(keyring, kind, text)?.unless_over(now)
}

/// What the token says, if a usable key of the ring minted it for this kind of link, whether or not its
/// time is over.
pub fn authenticate(keyring: &Keyring, kind: LinkKind, text: &str) -> Result<Link, TokenRefused> {
    let (reset_id, expires_at) = read_id_and_end(&kind.form().verify(keyring, text)?);
    Ok(Link {
        reset_id: ResetId::from_bytes(reset_id),
        expires_at,
    })
}

/// The same of a link that lets its holder choose a password, be it the first or another one.
pub fn authenticate_choosing(keyring: &Keyring, text: &str) -> Result<Link, TokenRefused> {
    match authenticate(keyring, LinkKind::Reset, text) {
        Err(TokenRefused::Forged) => authenticate(keyring, LinkKind::Invitation, text),
        decided => decided,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::keyring::KeyId;
    use data_encoding::BASE64URL_NOPAD;
    use proptest::prelude::*;
    use std::time::Duration;

    const PREFIX_LENGTH: usize = 5;
    const NOW: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);

    fn ring() -> Keyring {
        Keyring::of(KeyId::from_bytes([1, 2, 3, 4]), [7; 32])
    }

    fn link() -> Link {
        Link {
            reset_id: ResetId::from_bytes([9; 16]),
            expires_at: NOW.plus(Duration::from_mins(30)),
        }
    }

    #[test]
    fn a_reset_link_and_an_invitation_both_let_choose_and_neither_is_the_other() {
        for (kind, other) in [
            (LinkKind::Reset, LinkKind::Invitation),
            (LinkKind::Invitation, LinkKind::Reset),
        ] {
            let token = mint(&ring(), kind, link());
            let text = token.expose();
            assert!(text.starts_with("rlt1_"));
            assert_eq!(authenticate_choosing(&ring(), text), Ok(link()));
            assert_eq!(authenticate(&ring(), kind, text), Ok(link()));
            let as_other = authenticate(&ring(), other, text);
            assert_eq!(as_other, Err(TokenRefused::Forged));
        }
        let cancel = mint(&ring(), LinkKind::Cancel, link());
        let renamed = cancel.expose().replace("rlc1_", "rlt1_");
        for (text, why) in [
            (cancel.expose(), TokenRefused::Malformed),
            (&renamed, TokenRefused::Forged),
        ] {
            assert_eq!(authenticate_choosing(&ring(), text), Err(why));
        }
    }

    #[test]
    fn a_token_says_what_was_minted_until_its_last_microsecond() {
        let token = mint(&ring(), LinkKind::Reset, link());
        assert_eq!(token.expose().len(), TEXT_LENGTH);
        assert!(token.expose().starts_with("rlt1_"));
        let last = link().expires_at.minus(Duration::from_micros(1));
        assert_eq!(
            verify(&ring(), LinkKind::Reset, token.expose(), last),
            Ok(link())
        );
        assert_eq!(
            verify(&ring(), LinkKind::Reset, token.expose(), link().expires_at),
            Err(TokenRefused::Expired)
        );
    }

    #[test]
    fn every_flipped_bit_is_refused() {
        let ring = ring();
        let token = mint(&ring, LinkKind::Reset, link());
        let raw = BASE64URL_NOPAD
            .decode(&token.expose().as_bytes()[PREFIX_LENGTH..])
            .unwrap();
        for bit in 0..raw.len() * 8 {
            let mut flipped = raw.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let text = format!("rlt1_{}", BASE64URL_NOPAD.encode(&flipped));
            assert!(
                verify(&ring, LinkKind::Reset, &text, NOW).is_err(),
                "bit {bit}"
            );
        }
        for position in 0..token.expose().len() {
            let mut text = token.expose().as_bytes().to_vec();
            for bit in 0..7 {
                text[position] ^= 1 << bit;
                let changed = std::str::from_utf8(&text).unwrap();
                assert!(
                    verify(&ring, LinkKind::Reset, changed, NOW).is_err(),
                    "character {position}, bit {bit}"
                );
                text[position] ^= 1 << bit;
            }
        }
    }

    #[test]
    fn one_kind_of_link_is_never_the_other() {
        let token = mint(&ring(), LinkKind::Cancel, link());
        assert_eq!(
            verify(&ring(), LinkKind::Reset, token.expose(), NOW),
            Err(TokenRefused::Malformed)
        );
        let renamed = token.expose().replacen("rlc1_", "rlt1_", 1);
        assert_eq!(
            verify(&ring(), LinkKind::Reset, &renamed, NOW),
            Err(TokenRefused::Forged)
        );
    }

    #[test]
    fn a_revoked_key_takes_its_links_with_it_and_a_retired_one_does_not() {
        let mut ring = ring();
        let token = mint(&ring, LinkKind::Reset, link());
        let next = KeyId::from_bytes([5; 4]);
        ring.add(next, [8; 32]).unwrap();
        ring.promote(next).unwrap();
        assert_eq!(
            verify(&ring, LinkKind::Reset, token.expose(), NOW),
            Ok(link())
        );
        ring.revoke(KeyId::from_bytes([1, 2, 3, 4])).unwrap();
        assert_eq!(
            verify(&ring, LinkKind::Reset, token.expose(), NOW),
            Err(TokenRefused::UnknownKey)
        );
    }

    #[test]
    fn another_length_padding_or_alphabet_is_malformed() {
        let token = mint(&ring(), LinkKind::Reset, link());
        let text = token.expose();
        let wrong = [
            String::new(),
            "rlt1_".to_owned(),
            text[..text.len() - 1].to_owned(),
            format!("{text}A"),
            format!("{text}="),
            format!(" {text}"),
            text.to_uppercase(),
            "rlt1_".to_owned() + &"é".repeat(40),
        ];
        for text in wrong {
            assert_eq!(
                verify(&ring(), LinkKind::Reset, &text, NOW),
                Err(TokenRefused::Malformed),
                "{text}"
            );
        }
    }

    #[test]
    fn a_token_is_not_printed() {
        assert_eq!(
            format!("{:?}", mint(&ring(), LinkKind::Reset, link())),
            "[redacted]"
        );
    }

    proptest! {
        #[test]
        fn any_link_survives_its_token(reset_id: [u8; 16], micros in 0..i64::MAX) {
            let link = Link { reset_id: ResetId::from_bytes(reset_id), expires_at: Timestamp::from_micros(micros) };
            let token = mint(&ring(), LinkKind::Cancel, link);
            let before = Timestamp::from_micros(micros - 1);
            prop_assert_eq!(verify(&ring(), LinkKind::Cancel, token.expose(), before), Ok(link));
        }

        #[test]
        fn no_text_panics_or_passes(text in "(rlt1_)?[A-Za-z0-9_-]{0,90}|.*") {
            prop_assert!(verify(&ring(), LinkKind::Reset, &text, NOW).is_err());
        }
    }
}
