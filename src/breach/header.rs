//! The header: what the file holds and how long it is.
//!
//! | bytes | what |
//! |---|---|
//! | 0–7 | `RLBREACH` |
//! | 8–11 | the version of the format, 1 |
//! | 12–15 | the bits of a key, 52 |
//! | 16–23 | how many keys there are |
//! | 24–31 | how many blocks there are |
//! | 32–39 | in how many breached accounts a password was seen to be in the file |
//! | 40–47 | when the file was made, in microseconds since 1970 |
//! | 48–79 | SHA-256 of the index |
//! | 80–4063 | 0 |
//! | 4064–4095 | SHA-256 of the bytes before |

use super::Key;
use super::block;
use super::file::Flaw;
use crate::domain::time::Timestamp;
use sha2::{Digest as _, Sha256};

pub(super) const SIZE: usize = 4_096;

const MAGIC: &[u8; 8] = b"RLBREACH";
const VERSION: u32 = 1;
const DIGEST: usize = SIZE - 32;
/// The size of an index entry.
pub(super) const ENTRY: u64 = 8;

/// What a breach file says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// How many keys it holds.
    pub keys: u64,
    /// How many blocks they fill.
    pub blocks: u64,
    /// In how many breached accounts a password was seen, at least.
    pub at_least: u64,
    /// When it was made.
    pub built_at: Timestamp,
    /// SHA-256 of the index.
    pub index_sha256: [u8; 32],
}

impl Header {
    /// How long the whole file is, in bytes. `None` if no file is that long.
    #[must_use]
    pub fn file_length(&self) -> Option<u64> {
        let block = block::SIZE as u64 + ENTRY;
        self.blocks.checked_mul(block)?.checked_add(SIZE as u64)
    }

    /// Of how many passwords that are in no list one is taken for listed.
    #[must_use]
    pub const fn one_wrong_in(&self) -> u64 {
        match (1_u64 << Key::BITS).checked_div(self.keys) {
            Some(passwords) => passwords,
            None => u64::MAX,
        }
    }

    pub(super) fn to_bytes(self) -> [u8; SIZE] {
        let mut bytes = [0; SIZE];
        bytes[..8].copy_from_slice(MAGIC);
        bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
        bytes[12..16].copy_from_slice(&Key::BITS.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.keys.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.blocks.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.at_least.to_le_bytes());
        bytes[40..48].copy_from_slice(&self.built_at.as_micros().to_le_bytes());
        bytes[48..80].copy_from_slice(&self.index_sha256);
        let digest = Sha256::digest(&bytes[..DIGEST]);
        bytes[DIGEST..].copy_from_slice(&digest);
        bytes
    }

    pub(super) fn parse(bytes: &[u8; SIZE]) -> Result<Self, Flaw> {
        if !bytes.starts_with(MAGIC) {
            return Err(Flaw::NotOne);
        }
        let version = u32::from_le_bytes(field(bytes, 8));
        if version != VERSION {
            return Err(Flaw::Version(version));
        }
        let intact = bytes[DIGEST..] == *Sha256::digest(&bytes[..DIGEST]);
        if !intact || u32::from_le_bytes(field(bytes, 12)) != Key::BITS {
            return Err(Flaw::Damaged("its header"));
        }
        Ok(Self {
            keys: u64::from_le_bytes(field(bytes, 16)),
            blocks: u64::from_le_bytes(field(bytes, 24)),
            at_least: u64::from_le_bytes(field(bytes, 32)),
            built_at: Timestamp::from_micros(i64::from_le_bytes(field(bytes, 40))),
            index_sha256: field(bytes, 48),
        })
    }
}

fn field<const N: usize>(bytes: &[u8; SIZE], at: usize) -> [u8; N] {
    std::array::from_fn(|n| bytes[at + n])
}
