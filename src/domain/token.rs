//! The tokens of links: derived from the keyring, never stored.
//!
//! `rlt1_` (a reset link) or `rlc1_` (a "this was not me" link), then the unpadded base64url of
//!
//! ```text
//! key id 4 | reset id 16 | expiry 8 | HMAC-SHA-256 tag 32
//! ```
//!
//! The expiry is in microseconds since the epoch, big-endian. The tag covers the prefix and all
//! fields before it, under a sub-key of the token's kind. Nothing of a token is believed before its
//! tag is verified (ASVS 9.1.1), and the prefix alone fixes the algorithm (ASVS 9.1.2).

use super::id::ResetId;
use super::keyring::{KeyId, Keyring, Purpose, TAG_LENGTH};
use super::time::Timestamp;
use data_encoding::BASE64URL_NOPAD;
use std::fmt;
use thiserror::Error;
use zeroize::Zeroizing;

const FIELDS_LENGTH: usize = 4 + 16 + 8;
const TOKEN_LENGTH: usize = FIELDS_LENGTH + TAG_LENGTH;
const PREFIX_LENGTH: usize = 5;
/// Length of a token's text, in characters.
pub const TEXT_LENGTH: usize = PREFIX_LENGTH + TOKEN_LENGTH / 3 * 4;

/// Which link a token opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkKind {
    /// Lets its holder choose a new password, once.
    Reset,
    /// Lets its holder kill every live link of the account.
    Cancel,
}

impl LinkKind {
    const fn prefix(self) -> &'static str {
        match self {
            Self::Reset => "rlt1_",
            Self::Cancel => "rlc1_",
        }
    }

    const fn purpose(self) -> Purpose {
        match self {
            Self::Reset => Purpose::ResetLink,
            Self::Cancel => Purpose::CancelLink,
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

/// A token's text. It opens somebody's account: it can be sent, and neither printed nor stored.
#[derive(Clone)]
pub struct LinkToken(Zeroizing<String>);

impl LinkToken {
    /// Hands the text out, for the one who sends it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for LinkToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Why a token was refused. Callers see one reply for all; the log and the audit trail may differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TokenRefused {
    /// Not the shape of a token of this kind.
    #[error("malformed")]
    Malformed,
    /// Minted by a key that the ring does not have or has revoked.
    #[error("unknown key")]
    UnknownKey,
    /// The tag does not hold.
    #[error("forged")]
    Forged,
    /// The tag holds and the time is over.
    #[error("expired")]
    Expired,
}

/// Mints the token of a link with the ring's signing key.
#[must_use]
pub fn mint(keyring: &Keyring, kind: LinkKind, link: Link) -> LinkToken {
    let key = keyring.signing();
    let mut token = Zeroizing::new([0; TOKEN_LENGTH]);
    token[..4].copy_from_slice(key.id().as_bytes());
    token[4..20].copy_from_slice(link.reset_id.as_bytes());
    token[20..28].copy_from_slice(&link.expires_at.as_micros().to_be_bytes());
    let tag = Zeroizing::new(key.tag(
        kind.purpose(),
        &authenticated(kind, &token[..FIELDS_LENGTH]),
    ));
    token[FIELDS_LENGTH..].copy_from_slice(tag.as_slice());

    let mut text = Zeroizing::new(String::with_capacity(TEXT_LENGTH));
    text.push_str(kind.prefix());
    BASE64URL_NOPAD.encode_append(token.as_slice(), &mut text);
    LinkToken(text)
}

/// What the token says, if a usable key of the ring minted it for this kind of link and its time is
/// not over. Costs one HMAC and touches nothing.
pub fn verify(
    keyring: &Keyring,
    kind: LinkKind,
    text: &str,
    now: Timestamp,
) -> Result<Link, TokenRefused> {
    let link = authenticate(keyring, kind, text)?;
    if link.expires_at <= now {
        return Err(TokenRefused::Expired);
    }
    Ok(link)
}

/// What the token says, if a usable key of the ring minted it for this kind of link, whether or not its
/// time is over.
pub fn authenticate(keyring: &Keyring, kind: LinkKind, text: &str) -> Result<Link, TokenRefused> {
    let token = decode(kind, text).ok_or(TokenRefused::Malformed)?;
    let (fields, tag) = token.split_at(FIELDS_LENGTH);
    let (key_id, reset_id, expiry) = split(fields).ok_or(TokenRefused::Malformed)?;
    let key = keyring
        .verifying(KeyId::from_bytes(key_id))
        .ok_or(TokenRefused::UnknownKey)?;
    if !key.verifies(kind.purpose(), &authenticated(kind, fields), tag) {
        return Err(TokenRefused::Forged);
    }
    Ok(Link {
        reset_id: ResetId::from_bytes(reset_id),
        expires_at: Timestamp::from_micros(i64::from_be_bytes(expiry)),
    })
}

fn decode(kind: LinkKind, text: &str) -> Option<Zeroizing<[u8; TOKEN_LENGTH]>> {
    let encoded = text.strip_prefix(kind.prefix())?;
    let mut token = Zeroizing::new([0; TOKEN_LENGTH]);
    if BASE64URL_NOPAD.decode_len(encoded.len()) != Ok(TOKEN_LENGTH) {
        return None;
    }
    BASE64URL_NOPAD
        .decode_mut(encoded.as_bytes(), token.as_mut_slice())
        .ok()?;
    Some(token)
}

fn split(fields: &[u8]) -> Option<([u8; 4], [u8; 16], [u8; 8])> {
    let (key_id, rest) = fields.split_first_chunk()?;
    let (reset_id, rest) = rest.split_first_chunk()?;
    let (expiry, _) = rest.split_first_chunk()?;
    Some((*key_id, *reset_id, *expiry))
}

/// What the tag covers: the prefix, which names kind and version, and every field.
fn authenticated(kind: LinkKind, fields: &[u8]) -> [u8; PREFIX_LENGTH + FIELDS_LENGTH] {
    let mut message = [0; PREFIX_LENGTH + FIELDS_LENGTH];
    message[..PREFIX_LENGTH].copy_from_slice(kind.prefix().as_bytes());
    message[PREFIX_LENGTH..].copy_from_slice(fields);
    message
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::Duration;

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
