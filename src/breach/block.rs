//! A block: some hundreds or thousands of keys in the bytes of one page.
//!
//! | bytes | what |
//! |---|---|
//! | 0–3 | CRC-32 of the first key, as the index has it, and the bytes from 4 on |
//! | 4–5 | how many keys it has |
//! | 6 | how many low bits of each gap stand as they are |
//! | 7 | 0 |
//! | 8–4095 | for each key but the first: how far it is after the one before, less 1, by Rice's code |

use super::Key;
use super::bits::{Reader, Writer};

/// The size of a block in bytes, which is that of a page of memory.
pub const SIZE: usize = 4_096;

const COUNT: usize = 4;
const LOW: usize = 6;
const CODES: usize = 8;

/// Low bits of the first block's gaps: those of a list of a thousand million hashes.
const FIRST_LOW: u8 = 22;

/// A block that is being filled.
pub(super) struct Draft {
    first: Key,
    last: Key,
    count: u16,
    low: u8,
    bytes: [u8; SIZE],
    end: usize,
}

impl Draft {
    /// A block that begins with this key, after the block `before`, by which the gaps are guessed.
    pub(super) fn begin(first: Key, before: Option<&Self>) -> Self {
        Self {
            first,
            last: first,
            count: 1,
            low: before.map_or(FIRST_LOW, Self::fitting_low),
            bytes: [0; SIZE],
            end: 0,
        }
    }

    /// Its first key.
    pub(super) const fn first(&self) -> Key {
        self.first
    }

    /// Its last key.
    pub(super) const fn last(&self) -> Key {
        self.last
    }

    /// Adds a key that is greater than the last, unless there is no room for it.
    pub(super) fn push(&mut self, key: Key) -> bool {
        let gap = key.since(self.last).saturating_sub(1);
        let writer = Writer::new(&mut self.bytes[CODES..], self.end);
        let Some(end) = writer.write(gap, self.low.into()) else {
            return false;
        };
        self.end = end;
        self.last = key;
        // There are fewer bits than a u16 counts.
        self.count += 1;
        true
    }

    /// Its bytes.
    pub(super) fn finish(&self) -> [u8; SIZE] {
        let mut bytes = self.bytes;
        bytes[COUNT..LOW].copy_from_slice(&self.count.to_le_bytes());
        bytes[LOW] = self.low;
        let sum = checksum(&bytes, self.first);
        bytes[..COUNT].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    /// The low bits with which gaps as here take the least room: the mean gap times ln 2 fits into them.
    fn fitting_low(&self) -> u8 {
        let gaps = u64::from(self.count) - 1;
        let Some(mean) = self.last.since(self.first).checked_div(gaps) else {
            return self.low;
        };
        let scaled = (mean * 177 / 256).max(1);
        u8::try_from(scaled.ilog2()).unwrap_or(self.low)
    }
}

/// A block as it was read from a file.
pub struct Block {
    bytes: [u8; SIZE],
    first: Key,
}

impl Block {
    /// The block of these bytes, whose first key the index has. `None` if it is not what was written.
    #[must_use]
    pub fn parse(bytes: [u8; SIZE], first: Key) -> Option<Self> {
        let sum = checksum(&bytes, first).to_le_bytes();
        bytes.starts_with(&sum).then_some(Self { bytes, first })
    }

    /// The block of any bytes, whatever they are.
    #[must_use]
    pub fn unchecked(bytes: [u8; SIZE], first: Key) -> Self {
        Self { bytes, first }
    }

    /// Whether it has the key.
    #[must_use]
    pub fn has(&self, key: Key) -> bool {
        self.keys().find(|held| *held >= key) == Some(key)
    }

    /// Its keys, which ascend unless the file was forged.
    pub fn keys(&self) -> impl Iterator<Item = Key> {
        let count = u16::from_le_bytes([self.bytes[COUNT], self.bytes[COUNT + 1]]);
        let low = u32::from(self.bytes[LOW]).min(Key::BITS - 1);
        let mut reader = Reader::new(&self.bytes[CODES..]);
        let gaps = (1..count).map(move |_| reader.read(low) + 1);
        let after = gaps.scan(self.first, |key, gap| {
            *key = key.plus(gap);
            Some(*key)
        });
        std::iter::once(self.first).chain(after)
    }
}

fn checksum(bytes: &[u8; SIZE], first: Key) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&first.to_bytes());
    hasher.update(&bytes[COUNT..]);
    hasher.finalize()
}
