//! Pseudonyms: keyed hashes that stand for what must not be written down.

use super::keyring::{Key, Keyring, Purpose};

/// What a pseudonym stands for; the same text of two subjects has two pseudonyms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// An identifier that somebody typed, by its lookup key.
    Identifier,
    /// The network a call came from.
    Source,
    /// An account, in the limits that count for it.
    Account,
    /// A row of an import, by all that it says.
    ImportedRow,
    /// A phone number or the beginning of some, in the budgets of text messages.
    SmsBudget,
}

/// The first 128 bits of a keyed hash. Without the keyring it says nothing, not even to someone who
/// guesses what it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pseudonym([u8; 16]);

impl Pseudonym {
    /// The pseudonym of `value` under the ring's signing key.
    ///
    /// A promotion changes all pseudonyms: limits then count anew.
    #[must_use]
    pub fn of(keyring: &Keyring, subject: Subject, value: &[u8]) -> Self {
        Self::under(keyring.signing(), subject, value)
    }

    /// The pseudonyms of `value` under every usable key, for finding what was written earlier.
    #[must_use]
    pub fn all(keyring: &Keyring, subject: Subject, value: &[u8]) -> Vec<Self> {
        keyring
            .usable()
            .map(|key| Self::under(key, subject, value))
            .collect()
    }

    /// The pseudonym kept in the store.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    fn under(key: &Key, subject: Subject, value: &[u8]) -> Self {
        let mut message = Vec::with_capacity(1 + value.len());
        message.push(match subject {
            Subject::Identifier => 1,
            Subject::Source => 2,
            Subject::Account => 3,
            Subject::ImportedRow => 4,
            Subject::SmsBudget => 5,
        });
        message.extend_from_slice(value);
        let tag = key.tag(Purpose::Pseudonym, &message);
        Self(std::array::from_fn(|i| tag[i]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::keyring::KeyId;

    #[test]
    fn subjects_and_keys_have_pseudonyms_of_their_own() {
        let mut ring = Keyring::of(KeyId::from_bytes([1; 4]), [7; 32]);
        let before = Pseudonym::of(&ring, Subject::Identifier, b"ada@example.com");
        assert_ne!(
            before,
            Pseudonym::of(&ring, Subject::Source, b"ada@example.com")
        );
        ring.add(KeyId::from_bytes([2; 4]), [8; 32]).unwrap();
        ring.promote(KeyId::from_bytes([2; 4])).unwrap();
        assert_ne!(
            before,
            Pseudonym::of(&ring, Subject::Identifier, b"ada@example.com")
        );
        assert!(Pseudonym::all(&ring, Subject::Identifier, b"ada@example.com").contains(&before));
    }
}
