//! Signed texts: what the tokens of links, challenges and proofs have in common.
//!
//! A prefix that names kind and version, then the unpadded base64url of
//!
//! ```text
//! key id 4 | fields | HMAC-SHA-256 tag 32
//! ```
//!
//! The tag covers the prefix and everything before the tag, under a sub-key of the kind's own. Nothing of a
//! text is believed before its tag is verified (ASVS 9.1.1), and the prefix alone fixes the algorithm (ASVS
//! 9.1.2). Moments among the fields are microseconds since the epoch, big-endian.

use super::keyring::{KeyId, Keyring, Purpose, TAG_LENGTH};
use super::time::Timestamp;
use data_encoding::BASE64URL_NOPAD;
use std::fmt;
use thiserror::Error;
use zeroize::Zeroizing;

const KEY_ID_LENGTH: usize = 4;

/// A text that is worth what it says: it can be handed out, and neither printed nor stored.
#[derive(Clone)]
pub(super) struct SignedText(Zeroizing<String>);

impl SignedText {
    /// Hands the text out.
    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SignedText {
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

impl TokenRefused {
    /// The reason as the audit log spells it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::UnknownKey => "unknown_key",
            Self::Forged => "forged",
            Self::Expired => "expired",
        }
    }
}

/// A kind of signed text, with so many bytes of fields.
#[derive(Debug, Clone, Copy)]
pub(super) struct Form<const FIELDS: usize> {
    prefix: &'static str,
    purpose: Purpose,
}

impl<const FIELDS: usize> Form<FIELDS> {
    pub(super) const fn new(prefix: &'static str, purpose: Purpose) -> Self {
        Self { prefix, purpose }
    }

    /// Length of a text, in characters.
    pub(super) const fn text_length(self) -> usize {
        self.prefix.len() + (Self::LENGTH * 4).div_ceil(3)
    }

    const LENGTH: usize = KEY_ID_LENGTH + FIELDS + TAG_LENGTH;

    /// Signs the fields with the ring's signing key.
    pub(super) fn sign(self, keyring: &Keyring, fields: &[u8; FIELDS]) -> SignedText {
        let key = keyring.signing();
        let mut bytes = Zeroizing::new(Vec::with_capacity(Self::LENGTH));
        bytes.extend_from_slice(key.id().as_bytes());
        bytes.extend_from_slice(fields);
        let tag = Zeroizing::new(key.tag(self.purpose, &self.authenticated(&bytes)));
        bytes.extend_from_slice(tag.as_slice());

        let mut text = Zeroizing::new(String::with_capacity(self.text_length()));
        text.push_str(self.prefix);
        BASE64URL_NOPAD.encode_append(&bytes, &mut text);
        SignedText(text)
    }

    /// The fields, if a usable key of the ring signed them as this kind. Costs one HMAC and touches nothing.
    pub(super) fn verify(
        self,
        keyring: &Keyring,
        text: &str,
    ) -> Result<[u8; FIELDS], TokenRefused> {
        let bytes = self.decode(text).ok_or(TokenRefused::Malformed)?;
        let (signed, tag) = bytes.split_at(KEY_ID_LENGTH + FIELDS);
        let (key_id, fields) = signed
            .split_first_chunk::<KEY_ID_LENGTH>()
            .ok_or(TokenRefused::Malformed)?;
        let fields = fields.first_chunk().ok_or(TokenRefused::Malformed)?;
        let key = keyring
            .verifying(KeyId::from_bytes(*key_id))
            .ok_or(TokenRefused::UnknownKey)?;
        if key.verifies(self.purpose, &self.authenticated(signed), tag) {
            Ok(*fields)
        } else {
            Err(TokenRefused::Forged)
        }
    }

    fn decode(self, text: &str) -> Option<Zeroizing<Vec<u8>>> {
        let encoded = text.strip_prefix(self.prefix)?;
        if BASE64URL_NOPAD.decode_len(encoded.len()) != Ok(Self::LENGTH) {
            return None;
        }
        let bytes = BASE64URL_NOPAD.decode(encoded.as_bytes()).ok()?;
        Some(Zeroizing::new(bytes))
    }

    /// What the tag covers: the prefix, the key's id and every field.
    fn authenticated(self, signed: &[u8]) -> Vec<u8> {
        [self.prefix.as_bytes(), signed].concat()
    }
}

/// The fields of whatever has an identifier and an end.
pub(super) fn id_and_end(id: &[u8; 16], end: Timestamp) -> [u8; 24] {
    let mut fields = [0; 24];
    fields[..16].copy_from_slice(id);
    fields[16..].copy_from_slice(&end.as_micros().to_be_bytes());
    fields
}

/// What those fields say.
pub(super) fn read_id_and_end(fields: &[u8; 24]) -> ([u8; 16], Timestamp) {
    let id = std::array::from_fn(|i| fields[i]);
    let end = i64::from_be_bytes(std::array::from_fn(|i| fields[16 + i]));
    (id, Timestamp::from_micros(end))
}
