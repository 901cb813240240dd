//! A breach file that is open.

use super::block::{self, Block};
use super::header::{self, Header};
use super::{Key, ReadAt};
use crate::domain::password::SHA1_BYTES;
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// A breach file that is open, its index in memory. Whoever writes into it while it is open makes blocks
/// unreadable; whoever puts another in its place does not.
pub struct BreachFile {
    bytes: Box<dyn ReadAt>,
    header: Header,
    index: Box<[Key]>,
}

/// Why a breach file cannot be used.
#[derive(Debug, Error)]
#[error("{} {why}", path.display())]
pub struct BreachFileRefused {
    path: PathBuf,
    why: Flaw,
}

/// What is wrong with a breach file.
#[derive(Debug, Error)]
pub enum Flaw {
    /// The system refused to read it.
    #[error("cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    /// It is something else.
    #[error("is not a breach file: `relatch breach build` makes one")]
    NotOne,
    /// It was made by another version of Relatch.
    #[error("has version {0} of the format, which this Relatch does not read: build it again")]
    Version(u32),
    /// Some of it is missing, or there is more than was written.
    #[error("has {found} bytes and should have {expected}: it was not copied whole")]
    Length {
        /// How many there are.
        found: u64,
        /// How many there should be.
        expected: u64,
    },
    /// Some of it is not what was written.
    #[error("is damaged: {0} is not what was written; copy or build it again")]
    Damaged(&'static str),
}

impl BreachFile {
    /// Opens the file of this path, and checks its length, header and index.
    pub fn open(path: &Path) -> Result<Self, BreachFileRefused> {
        Self::open_and(path, |_| Ok(()))
    }

    /// Opens the file of this path and reads it through, as [`BreachFile::verify`] does.
    pub fn open_verified(path: &Path) -> Result<Self, BreachFileRefused> {
        Self::open_and(path, Self::verify)
    }

    fn open_and(
        path: &Path,
        check: impl FnOnce(&Self) -> Result<(), Flaw>,
    ) -> Result<Self, BreachFileRefused> {
        let open = || {
            let file = Self::read(File::open(path)?)?;
            check(&file)?;
            Ok(file)
        };
        open().map_err(|why| BreachFileRefused {
            path: path.to_owned(),
            why,
        })
    }

    /// Reads a file of these bytes, as far as [`BreachFile::open`] does.
    pub fn read(bytes: impl ReadAt + 'static) -> Result<Self, Flaw> {
        let found = bytes.length()?;
        if found < header::SIZE as u64 {
            return Err(Flaw::NotOne);
        }
        let mut page = [0; header::SIZE];
        bytes.fill(&mut page, 0)?;
        let header = Header::parse(&page)?;
        let expected = header.file_length().unwrap_or(u64::MAX);
        if found != expected {
            return Err(Flaw::Length { found, expected });
        }
        let index = read_index(&bytes, &header, found)?;
        Ok(Self {
            bytes: Box::new(bytes),
            header,
            index,
        })
    }

    /// What it says of itself.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// Whether it has the password of this hash, by reading one block. Of those it has not, fewer than one
    /// in a million is taken for one that it has.
    pub fn has(&self, sha1: &[u8; SHA1_BYTES]) -> Result<bool, Flaw> {
        let key = Key::of(sha1);
        let behind = self.index.partition_point(|first| *first <= key);
        match behind.checked_sub(1) {
            Some(number) => Ok(self.block(number)?.has(key)),
            None => Ok(false),
        }
    }

    /// Reads it through: every block, and whether they hold together.
    pub fn verify(&self) -> Result<(), Flaw> {
        let (mut keys, mut last) = (0, None);
        for number in 0..self.index.len() {
            for key in self.block(number)?.keys() {
                if last >= Some(key) {
                    return Err(Flaw::Damaged("the order of its hashes"));
                }
                last = Some(key);
                keys += 1;
            }
        }
        if keys == self.header.keys {
            Ok(())
        } else {
            Err(Flaw::Damaged("the number of its hashes"))
        }
    }

    fn block(&self, number: usize) -> Result<Block, Flaw> {
        let mut bytes = [0; block::SIZE];
        let position = header::SIZE as u64 + number as u64 * block::SIZE as u64;
        self.bytes.fill(&mut bytes, position)?;
        Block::parse(bytes, self.index[number]).ok_or(Flaw::Damaged("one of its blocks"))
    }
}

impl fmt::Debug for BreachFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BreachFile")
            .field("header", &self.header)
            .finish_non_exhaustive()
    }
}

/// The index, which is what the file ends with.
fn read_index(bytes: &dyn ReadAt, header: &Header, length: u64) -> Result<Box<[Key]>, Flaw> {
    let size = header.blocks * header::ENTRY;
    let mut index = vec![0; usize::try_from(size).map_err(|_| Flaw::Damaged("its header"))?];
    bytes.fill(&mut index, length - size)?;
    if Sha256::digest(&index)[..] != header.index_sha256 {
        return Err(Flaw::Damaged("its index"));
    }
    let (entries, _) = index.as_chunks();
    Ok(entries.iter().copied().map(Key::from_bytes).collect())
}
