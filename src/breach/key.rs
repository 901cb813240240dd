//! What is kept of a hash.

use crate::domain::password::SHA1_BYTES;

/// The first [`Key::BITS`] bits of a SHA-1 hash, as a number. Keys are in the order of their hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key(u64);

impl Key {
    /// With [`Key::MOST`] keys, one of 2²⁰ passwords that are in no list is taken for listed: fewer than one
    /// in a million.
    pub const BITS: u32 = 52;
    /// The most keys that a file may hold.
    pub const MOST: u64 = 1 << 32;

    /// The key of a hash.
    #[must_use]
    pub fn of(sha1: &[u8; SHA1_BYTES]) -> Self {
        let first = std::array::from_fn(|at| sha1[at]);
        Self(u64::from_be_bytes(first) >> (u64::BITS - Self::BITS))
    }

    /// The key that is `gap` after this one. Only a forged file leads beyond the last; there it goes on
    /// at the first.
    pub(super) const fn plus(self, gap: u64) -> Self {
        Self(self.0.wrapping_add(gap) & (u64::MAX >> (u64::BITS - Self::BITS)))
    }

    /// How far this key is after an earlier one.
    pub(super) const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    pub(super) const fn to_bytes(self) -> [u8; 8] {
        self.0.to_le_bytes()
    }

    /// Reads what [`Key::to_bytes`] wrote.
    pub(super) const fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(u64::from_le_bytes(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_the_first_52_bits_of_its_hash() {
        let mut sha1 = [0; SHA1_BYTES];
        sha1[..8].copy_from_slice(&[0x5b, 0xaa, 0x61, 0xe4, 0xc9, 0xb9, 0x3f, 0xf0]);
        assert_eq!(Key::of(&sha1), Key(0x5_baa6_1e4c_9b93));
    }

    #[test]
    fn fewer_than_one_in_a_million_is_taken_for_listed() {
        // Both powers of two are exact.
        #[expect(clippy::cast_precision_loss, reason = "a power of two")]
        let rate = Key::MOST as f64 / (1_u64 << Key::BITS) as f64;
        assert!(rate < 1e-6);
    }
}
