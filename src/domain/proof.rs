//! Proofs: signed statements of who passed a sign-in, and by which factor.
//!
//! `rlp1_`, then the unpadded base64url of
//!
//! ```text
//! key id 4 | account id 16 | credential version 8 | factor 1 | expiry 8 | HMAC-SHA-256 tag 32
//! ```

use super::account::{CredentialVersion, SecondFactor};
use super::id::AccountId;
use super::keyring::{KeyId, Keyring, Purpose, TAG_LENGTH};
use super::time::Timestamp;
use data_encoding::BASE64URL_NOPAD;
use std::fmt;
use std::time::Duration;
use thiserror::Error;
use zeroize::Zeroizing;

/// How long a proof holds.
pub const PROOF_LIFETIME: Duration = Duration::from_mins(10);

const PREFIX: &str = "rlp1_";
const FIELDS_LENGTH: usize = 4 + 16 + 8 + 1 + 8;

/// What a proof says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proof {
    /// Who signed in.
    pub account_id: AccountId,
    /// The account's credentials at that time; the proof dies when they move on.
    pub credential_version: CredentialVersion,
    /// The factor that was passed beside the password, if one was asked for.
    pub factor: Option<SecondFactor>,
    /// From this moment on the proof is void.
    pub expires_at: Timestamp,
}

/// A proof's text: a bearer secret for ten minutes.
#[derive(Clone)]
pub struct ProofText(Zeroizing<String>);

impl ProofText {
    /// Hands the text out, for the caller who signed the person in.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ProofText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// The text is no proof, or one whose time is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the proof is malformed, forged or expired")]
pub struct ProofRefused;

/// Signs a proof with the ring's signing key.
#[must_use]
pub fn sign(keyring: &Keyring, proof: &Proof) -> ProofText {
    let key = keyring.signing();
    let mut bytes = Vec::with_capacity(FIELDS_LENGTH + TAG_LENGTH);
    bytes.extend_from_slice(key.id().as_bytes());
    bytes.extend_from_slice(proof.account_id.as_bytes());
    bytes.extend_from_slice(&proof.credential_version.get().to_be_bytes());
    bytes.push(proof.factor.map_or(0, SecondFactor::code));
    bytes.extend_from_slice(&proof.expires_at.as_micros().to_be_bytes());
    let tag = key.tag(Purpose::Proof, &bytes);
    bytes.extend_from_slice(&tag);
    let bytes = Zeroizing::new(bytes);
    let mut text = Zeroizing::new(String::with_capacity(
        PREFIX.len() + bytes.len().div_ceil(3) * 4,
    ));
    text.push_str(PREFIX);
    BASE64URL_NOPAD.encode_append(&bytes, &mut text);
    ProofText(text)
}

/// What the proof says, if a usable key of the ring signed it and its time is not over.
pub fn verify(keyring: &Keyring, text: &str, now: Timestamp) -> Result<Proof, ProofRefused> {
    let encoded = text.strip_prefix(PREFIX).ok_or(ProofRefused)?;
    let bytes = Zeroizing::new(
        BASE64URL_NOPAD
            .decode(encoded.as_bytes())
            .map_err(|_| ProofRefused)?,
    );
    if bytes.len() != FIELDS_LENGTH + TAG_LENGTH {
        return Err(ProofRefused);
    }
    let (fields, tag) = bytes.split_at(FIELDS_LENGTH);
    let (key_id, rest) = fields.split_first_chunk().ok_or(ProofRefused)?;
    let key = keyring
        .verifying(KeyId::from_bytes(*key_id))
        .ok_or(ProofRefused)?;
    if !key.verifies(Purpose::Proof, fields, tag) {
        return Err(ProofRefused);
    }
    let (account_id, rest) = rest.split_first_chunk().ok_or(ProofRefused)?;
    let (version, rest) = rest.split_first_chunk().ok_or(ProofRefused)?;
    let (factor, expiry) = rest.split_first_chunk::<1>().ok_or(ProofRefused)?;
    let expiry = expiry.first_chunk().ok_or(ProofRefused)?;
    let proof = Proof {
        account_id: AccountId::from_bytes(*account_id),
        credential_version: CredentialVersion::new(i64::from_be_bytes(*version)),
        factor: SecondFactor::from_code(factor[0]),
        expires_at: Timestamp::from_micros(i64::from_be_bytes(*expiry)),
    };
    if proof.expires_at <= now {
        Err(ProofRefused)
    } else {
        Ok(proof)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);

    fn ring() -> Keyring {
        Keyring::of(KeyId::from_bytes([1; 4]), [7; 32])
    }

    fn proof() -> Proof {
        Proof {
            account_id: AccountId::from_bytes([3; 16]),
            credential_version: CredentialVersion::new(4),
            factor: Some(SecondFactor::Totp),
            expires_at: NOW.plus(PROOF_LIFETIME),
        }
    }

    #[test]
    fn a_proof_holds_for_ten_minutes() {
        let text = sign(&ring(), &proof());
        assert_eq!(verify(&ring(), text.expose(), NOW), Ok(proof()));
        assert_eq!(
            verify(&ring(), text.expose(), NOW.plus(PROOF_LIFETIME)),
            Err(ProofRefused)
        );
    }

    #[test]
    fn every_changed_character_is_refused() {
        let text = sign(&ring(), &proof());
        for position in 0..text.expose().len() {
            let mut changed = text.expose().as_bytes().to_vec();
            changed[position] = if changed[position] == b'A' {
                b'B'
            } else {
                b'A'
            };
            let changed = String::from_utf8(changed).unwrap();
            if changed != text.expose() {
                assert_eq!(
                    verify(&ring(), &changed, NOW),
                    Err(ProofRefused),
                    "character {position}"
                );
            }
        }
    }

    proptest! {
        #[test]
        fn no_text_panics_or_passes(text in "(rlp1_)?[A-Za-z0-9_-]{0,100}|.*") {
            prop_assert_eq!(verify(&ring(), &text, NOW), Err(ProofRefused));
        }
    }
}
