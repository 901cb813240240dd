//! Sealing: what must be read again and may not be readable at rest.
//!
//! A sealed text is
//!
//! ```text
//! key id 4 | nonce 24 | XChaCha20-Poly1305 of the plain text, with its tag 16
//! ```
//!
//! under a sub-key of the named key's root. What it is and whose it is are its associated data: a row that is
//! moved to another account is refused there (ASVS 11.3.3). Nonces are so long that random ones never meet.

use super::id::AccountId;
use super::keyring::{KeyId, Keyring};
use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};
use std::fmt;
use thiserror::Error;
use zeroize::Zeroizing;

/// Length of a nonce, in bytes. Every sealing takes a new one, from a CSPRNG.
pub const NONCE_LENGTH: usize = 24;

/// What is sealed, and whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SealedFor {
    /// The secret that an account shares with its authenticator app.
    Totp(AccountId),
    /// An address that an account's owner is about to prove.
    Address(AccountId),
}

impl SealedFor {
    fn associated_data(self) -> Vec<u8> {
        match self {
            Self::Totp(account_id) => [b"totp".as_slice(), account_id.as_bytes()].concat(),
            Self::Address(account_id) => [b"address".as_slice(), account_id.as_bytes()].concat(),
        }
    }
}

/// A sealed text. It may be stored; without the keyring it says nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(Vec<u8>);

impl Sealed {
    /// The sealed text kept in the store.
    #[must_use]
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({} bytes)", self.0.len())
    }
}

/// Why a sealed text was not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum UnsealRefused {
    /// Too short to be one.
    #[error("it is no sealed text")]
    Malformed,
    /// Sealed with a key that the ring does not have or has revoked.
    #[error("it is sealed with the key {0}, which the keyring does not have or has revoked")]
    UnknownKey(KeyId),
    /// Altered, or of another account or kind.
    #[error("it was altered, or it is another account's")]
    Forged,
}

/// Seals with the ring's signing key.
#[must_use]
#[expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "only texts of more than 256 GiB are refused"
)]
pub fn seal(
    keyring: &Keyring,
    whose: SealedFor,
    plain: &[u8],
    nonce: [u8; NONCE_LENGTH],
) -> Sealed {
    let key = keyring.signing();
    let aad = whose.associated_data();
    let payload = Payload {
        msg: plain,
        aad: &aad,
    };
    let encrypted = XChaCha20Poly1305::new((&*key.sealing_key()).into())
        .encrypt(&XNonce::from(nonce), payload)
        .expect("it is short");
    Sealed([key.id().as_bytes().as_slice(), &nonce, &encrypted].concat())
}

/// Opens what was sealed with a usable key of the ring, for the same account and kind.
pub fn unseal(
    keyring: &Keyring,
    whose: SealedFor,
    sealed: &Sealed,
) -> Result<Zeroizing<Vec<u8>>, UnsealRefused> {
    let (key_id, nonce, encrypted) = split(&sealed.0).ok_or(UnsealRefused::Malformed)?;
    let key = keyring
        .verifying(key_id)
        .ok_or(UnsealRefused::UnknownKey(key_id))?;
    let aad = whose.associated_data();
    let payload = Payload {
        msg: encrypted,
        aad: &aad,
    };
    XChaCha20Poly1305::new((&*key.sealing_key()).into())
        .decrypt(&XNonce::from(nonce), payload)
        .map(Zeroizing::new)
        .map_err(|_| UnsealRefused::Forged)
}

fn split(bytes: &[u8]) -> Option<(KeyId, [u8; NONCE_LENGTH], &[u8])> {
    let (key_id, rest) = bytes.split_first_chunk()?;
    let (nonce, encrypted) = rest.split_first_chunk()?;
    Some((KeyId::from_bytes(*key_id), *nonce, encrypted))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ONE: KeyId = KeyId::from_bytes([1; 4]);
    const TWO: KeyId = KeyId::from_bytes([2; 4]);
    const ADA: SealedFor = SealedFor::Totp(AccountId::from_bytes([3; 16]));
    const BEN: SealedFor = SealedFor::Totp(AccountId::from_bytes([4; 16]));

    fn ring() -> Keyring {
        Keyring::of(ONE, [7; 32])
    }

    fn sealed() -> Sealed {
        seal(&ring(), ADA, b"a shared secret", [5; NONCE_LENGTH])
    }

    #[test]
    fn what_was_sealed_is_read_again_and_stands_nowhere_in_it() {
        assert_eq!(
            **unseal(&ring(), ADA, &sealed()).unwrap(),
            *b"a shared secret"
        );
        let shown = |bytes: &[u8]| bytes.windows(6).any(|part| part == b"shared");
        assert!(!shown(sealed().as_bytes()));
        assert!(!shown(format!("{:?}", sealed()).as_bytes()));
    }

    #[test]
    fn another_account_is_refused() {
        assert_eq!(unseal(&ring(), BEN, &sealed()), Err(UnsealRefused::Forged));
    }

    #[test]
    fn every_flipped_bit_is_refused() {
        for bit in 0..sealed().as_bytes().len() * 8 {
            let mut bytes = sealed().as_bytes().to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(unseal(&ring(), ADA, &Sealed(bytes)).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn two_sealings_of_one_text_have_nothing_in_common_but_the_key() {
        let again = seal(&ring(), ADA, b"a shared secret", [6; NONCE_LENGTH]);
        assert_eq!(sealed().as_bytes()[..4], again.as_bytes()[..4]);
        assert_ne!(sealed().as_bytes()[28..], again.as_bytes()[28..]);
    }

    #[test]
    fn a_retired_key_opens_what_it_sealed_and_a_revoked_one_does_not() {
        let mut ring = ring();
        ring.add(TWO, [8; 32]).unwrap();
        ring.promote(TWO).unwrap();
        assert!(unseal(&ring, ADA, &sealed()).is_ok());
        ring.revoke(ONE).unwrap();
        let refused = unseal(&ring, ADA, &sealed());
        assert_eq!(refused, Err(UnsealRefused::UnknownKey(ONE)));
    }

    proptest! {
        #[test]
        fn no_bytes_panic_or_pass(bytes: Vec<u8>) {
            prop_assert!(unseal(&ring(), ADA, &Sealed(bytes)).is_err());
        }
    }
}
