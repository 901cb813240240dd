//! Proofs: signed statements of who passed a sign-in, and by which factor.
//!
//! `rlp1_`, a signed text with the fields
//!
//! ```text
//! account id 16 | credential version 8 | factor 1 | expiry 8
//! ```

use super::account::{CredentialVersion, SecondFactor};
use super::id::AccountId;
use super::keyring::{Keyring, Purpose};
use super::signed::{Form, SignedText};
use super::time::Timestamp;
use std::fmt;
use std::time::Duration;
use thiserror::Error;

/// How long a proof holds.
pub const PROOF_LIFETIME: Duration = Duration::from_mins(10);

const FORM: Form<33> = Form::new("rlp1_", Purpose::Proof);

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
pub struct ProofText(SignedText);

impl ProofText {
    /// Hands the text out, for the caller who signed the person in.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl fmt::Debug for ProofText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The text is no proof, or one whose time is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the proof is malformed, forged or expired")]
pub struct ProofRefused;

/// Signs a proof with the ring's signing key.
#[must_use]
pub fn sign(keyring: &Keyring, proof: &Proof) -> ProofText {
    let mut fields = [0; 33];
    fields[..16].copy_from_slice(proof.account_id.as_bytes());
    fields[16..24].copy_from_slice(&proof.credential_version.get().to_be_bytes());
    fields[24] = proof.factor.map_or(0, SecondFactor::code);
    fields[25..].copy_from_slice(&proof.expires_at.as_micros().to_be_bytes());
    ProofText(FORM.sign(keyring, &fields))
}

/// What the proof says, if a usable key of the ring signed it and its time is not over.
pub fn verify(keyring: &Keyring, text: &str, now: Timestamp) -> Result<Proof, ProofRefused> {
    let fields = FORM.verify(keyring, text).map_err(|_| ProofRefused)?;
    let number = |start: usize| i64::from_be_bytes(std::array::from_fn(|i| fields[start + i]));
    let proof = Proof {
        account_id: AccountId::from_bytes(std::array::from_fn(|i| fields[i])),
        credential_version: CredentialVersion::new(number(16)),
        factor: SecondFactor::from_code(fields[24]),
        expires_at: Timestamp::from_micros(number(25)),
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
    use crate::domain::keyring::KeyId;
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
