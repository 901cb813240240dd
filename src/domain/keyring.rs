//! The keyring: the roots that everything secret is derived from.
//!
//! Links, codes, challenges and proofs are never stored; whoever holds the keyring can mint them and
//! whoever holds the database cannot. Each purpose has a sub-key of its own (HKDF-SHA-256, RFC 5869),
//! so that what is valid as one thing is never valid as another.

mod file;

pub use file::KeyringUnreadable;

use data_encoding::HEXLOWER;
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt;
use thiserror::Error;
use zeroize::Zeroizing;

/// Length of a root, in bytes: 256 bits (ASVS 11.2.3 asks for at least 128).
pub const ROOT_LENGTH: usize = 32;

/// Length of a tag: the whole of HMAC-SHA-256 (RFC 2104 §5 allows no less than half).
pub const TAG_LENGTH: usize = 32;

/// Names a key within its ring; travels in every token.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId([u8; 4]);

impl KeyId {
    /// The id made of these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 4]) -> Self {
        Self(bytes)
    }

    /// The four bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 4] {
        &self.0
    }

    /// Reads eight lower-case hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = HEXLOWER.decode(text.as_bytes()).ok()?;
        bytes.try_into().ok().map(Self)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

/// What a key may still do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// Verifies what it minted and mints nothing.
    Verifying,
    /// Mints; exactly one key of a ring does.
    Signing,
    /// Does nothing: what it minted is dead.
    Revoked,
}

impl KeyState {
    /// The state as the keyring file spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Verifying => "verifying",
            Self::Signing => "signing",
            Self::Revoked => "revoked",
        }
    }
}

/// What a sub-key is for. The label is part of the derivation and never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Reset links, `rlt1_`.
    ResetLink,
    /// Invitations, `rlt1_` as well.
    Invitation,
    /// "This was not me" links, `rlc1_`.
    CancelLink,
    /// Challenges of pending sign-ins, `rlq1_`.
    Challenge,
    /// Proofs of a passed sign-in, `rlp1_`.
    Proof,
    /// Codes that ConfirmReset asks for.
    ResetCode,
    /// Codes that VerifySecondFactor asks for.
    SignInCode,
    /// Codes that FinishAddressVerification asks for.
    AddressCode,
    /// Keyed hashes of identifiers and sources.
    Pseudonym,
    /// Fingerprints of repeated requests.
    Fingerprint,
    /// Page tokens of list calls.
    PageToken,
}

impl Purpose {
    const ALL: [Self; 11] = [
        Self::ResetLink,
        Self::Invitation,
        Self::CancelLink,
        Self::Challenge,
        Self::Proof,
        Self::ResetCode,
        Self::SignInCode,
        Self::AddressCode,
        Self::Pseudonym,
        Self::Fingerprint,
        Self::PageToken,
    ];

    const fn label(self) -> &'static [u8] {
        match self {
            Self::ResetLink => b"relatch v1 reset link",
            Self::Invitation => b"relatch v1 invitation",
            Self::CancelLink => b"relatch v1 cancel link",
            Self::Challenge => b"relatch v1 challenge",
            Self::Proof => b"relatch v1 proof",
            Self::ResetCode => b"relatch v1 reset code",
            Self::SignInCode => b"relatch v1 sign-in code",
            Self::AddressCode => b"relatch v1 address code",
            Self::Pseudonym => b"relatch v1 pseudonym",
            Self::Fingerprint => b"relatch v1 fingerprint",
            Self::PageToken => b"relatch v1 page token",
        }
    }
}

/// One key: a root and what may be done with it.
pub struct Key {
    id: KeyId,
    state: KeyState,
    root: Zeroizing<[u8; ROOT_LENGTH]>,
    /// One keyed MAC for each purpose, ready to be cloned.
    macs: Vec<Hmac<Sha256>>,
}

impl Key {
    /// A key with this root, which must come from a CSPRNG.
    #[must_use]
    pub fn new(id: KeyId, state: KeyState, root: [u8; ROOT_LENGTH]) -> Self {
        let root = Zeroizing::new(root);
        let macs = Purpose::ALL
            .iter()
            .map(|purpose| derive(&root, *purpose))
            .collect();
        Self {
            id,
            state,
            root,
            macs,
        }
    }

    /// The key's name.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// What the key may do.
    #[must_use]
    pub fn state(&self) -> KeyState {
        self.state
    }

    /// The full HMAC-SHA-256 tag of `message` under the sub-key for `purpose`.
    #[must_use]
    pub fn tag(&self, purpose: Purpose, message: &[u8]) -> [u8; TAG_LENGTH] {
        self.mac(purpose, message).finalize().into_bytes().into()
    }

    /// Whether `tag` is the tag of `message`; compares in constant time (ASVS 11.2.4).
    #[must_use]
    pub fn verifies(&self, purpose: Purpose, message: &[u8], tag: &[u8]) -> bool {
        self.mac(purpose, message).verify_slice(tag).is_ok()
    }

    /// The sub-key that data is sealed with; no tag is made with it.
    pub(super) fn sealing_key(&self) -> Zeroizing<[u8; 32]> {
        sub_key(&self.root, b"relatch v1 sealed data")
    }

    fn mac(&self, purpose: Purpose, message: &[u8]) -> Hmac<Sha256> {
        self.macs[purpose as usize].clone().chain_update(message)
    }
}

/// The root stays out of logs.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("id", &self.id)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

#[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
fn derive(root: &[u8; ROOT_LENGTH], purpose: Purpose) -> Hmac<Sha256> {
    let sub_key = sub_key(root, purpose.label());
    Hmac::new_from_slice(sub_key.as_slice()).expect("any length is a key")
}

#[expect(clippy::expect_used, reason = "HKDF gives up to 8,160 bytes")]
fn sub_key(root: &[u8; ROOT_LENGTH], label: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut sub_key = Zeroizing::new([0; 32]);
    Hkdf::<Sha256>::new(None, root)
        .expand(label, sub_key.as_mut_slice())
        .expect("32 bytes are within HKDF's reach");
    sub_key
}

/// Why a change to a ring was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum KeyringChangeRefused {
    /// The ring has no key of that id.
    #[error("the keyring has no key {0}")]
    Unknown(KeyId),
    /// A new key's id is taken.
    #[error("the keyring already has a key {0}")]
    Taken(KeyId),
    /// Revoked keys never come back.
    #[error("key {0} is revoked and stays so")]
    Revoked(KeyId),
    /// The signing key cannot be revoked, for then nothing could be minted.
    #[error("key {0} is signing: promote another one first")]
    Signing(KeyId),
}

/// All keys of an installation; exactly one of them signs.
#[derive(Debug)]
pub struct Keyring {
    keys: Vec<Key>,
    signing: usize,
    demonstration: bool,
}

impl Keyring {
    /// A ring of one signing key.
    #[must_use]
    pub fn of(id: KeyId, root: [u8; ROOT_LENGTH]) -> Self {
        Self {
            keys: vec![Key::new(id, KeyState::Signing, root)],
            signing: 0,
            demonstration: false,
        }
    }

    /// The same ring, marked for good as one that a demonstration made for itself.
    #[must_use]
    pub fn of_a_demonstration(self) -> Self {
        Self {
            demonstration: true,
            ..self
        }
    }

    /// Whether a demonstration made it.
    #[must_use]
    pub fn is_of_a_demonstration(&self) -> bool {
        self.demonstration
    }

    /// The key that mints.
    #[must_use]
    pub fn signing(&self) -> &Key {
        &self.keys[self.signing]
    }

    /// The key of this id, if it may still verify.
    #[must_use]
    pub fn verifying(&self, id: KeyId) -> Option<&Key> {
        self.usable().find(|key| key.id == id)
    }

    /// Every key that is not revoked, the signing one first.
    pub fn usable(&self) -> impl Iterator<Item = &Key> {
        let others = self
            .keys
            .iter()
            .filter(|key| key.state == KeyState::Verifying);
        std::iter::once(self.signing()).chain(others)
    }

    /// Every key, in the order they were added.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.keys.iter()
    }

    /// Adds a key that verifies; every replica must have it before it is promoted.
    pub fn add(&mut self, id: KeyId, root: [u8; ROOT_LENGTH]) -> Result<(), KeyringChangeRefused> {
        if self.keys.iter().any(|key| key.id == id) {
            return Err(KeyringChangeRefused::Taken(id));
        }
        self.keys.push(Key::new(id, KeyState::Verifying, root));
        Ok(())
    }

    /// Makes a verifying key the one that signs; the one before it goes on verifying.
    pub fn promote(&mut self, id: KeyId) -> Result<(), KeyringChangeRefused> {
        let next = self.position(id)?;
        if self.keys[next].state == KeyState::Revoked {
            return Err(KeyringChangeRefused::Revoked(id));
        }
        self.keys[self.signing].state = KeyState::Verifying;
        self.keys[next].state = KeyState::Signing;
        self.signing = next;
        Ok(())
    }

    /// Kills a key and everything it minted.
    pub fn revoke(&mut self, id: KeyId) -> Result<(), KeyringChangeRefused> {
        let at = self.position(id)?;
        if at == self.signing {
            return Err(KeyringChangeRefused::Signing(id));
        }
        self.keys[at].state = KeyState::Revoked;
        Ok(())
    }

    fn position(&self, id: KeyId) -> Result<usize, KeyringChangeRefused> {
        self.keys
            .iter()
            .position(|key| key.id == id)
            .ok_or(KeyringChangeRefused::Unknown(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: KeyId = KeyId::from_bytes(*b"one\0");
    const TWO: KeyId = KeyId::from_bytes(*b"two\0");

    fn ring() -> Keyring {
        Keyring::of(ONE, [7; 32])
    }

    #[test]
    fn every_purpose_has_a_sub_key_of_its_own() {
        let ring = ring();
        let mut tags: Vec<_> = Purpose::ALL
            .iter()
            .map(|purpose| ring.signing().tag(*purpose, b"message"))
            .collect();
        tags.sort_unstable();
        tags.dedup();
        assert_eq!(tags.len(), Purpose::ALL.len());
        for (position, purpose) in Purpose::ALL.iter().enumerate() {
            assert_eq!(
                *purpose as usize, position,
                "macs are found by the purpose's number"
            );
        }
    }

    #[test]
    fn a_tag_holds_for_its_message_purpose_and_key_only() {
        let ring = ring();
        let key = ring.signing();
        let tag = key.tag(Purpose::ResetLink, b"message");
        assert!(key.verifies(Purpose::ResetLink, b"message", &tag));
        assert!(!key.verifies(Purpose::ResetLink, b"massage", &tag));
        assert!(!key.verifies(Purpose::CancelLink, b"message", &tag));
        assert!(!key.verifies(Purpose::ResetLink, b"message", &tag[..31]));
        assert!(!Key::new(TWO, KeyState::Signing, [8; 32]).verifies(
            Purpose::ResetLink,
            b"message",
            &tag
        ));
    }

    #[test]
    fn a_rotation_keeps_the_old_key_verifying_until_it_is_revoked() {
        let mut ring = ring();
        ring.add(TWO, [8; 32]).unwrap();
        assert_eq!(ring.signing().id(), ONE);
        ring.promote(TWO).unwrap();
        assert_eq!(ring.signing().id(), TWO);
        assert!(ring.verifying(ONE).is_some());
        ring.revoke(ONE).unwrap();
        assert!(ring.verifying(ONE).is_none());
        assert_eq!(ring.usable().map(Key::id).collect::<Vec<_>>(), [TWO]);
    }

    #[test]
    fn a_ring_never_loses_its_signing_key() {
        let mut ring = ring();
        assert_eq!(ring.revoke(ONE), Err(KeyringChangeRefused::Signing(ONE)));
        assert_eq!(ring.promote(TWO), Err(KeyringChangeRefused::Unknown(TWO)));
        assert_eq!(
            ring.add(ONE, [9; 32]),
            Err(KeyringChangeRefused::Taken(ONE))
        );
        ring.add(TWO, [8; 32]).unwrap();
        ring.revoke(TWO).unwrap();
        assert_eq!(ring.promote(TWO), Err(KeyringChangeRefused::Revoked(TWO)));
    }

    #[test]
    fn no_root_is_printed() {
        assert!(!format!("{:?}", ring()).contains('7'));
    }
}
