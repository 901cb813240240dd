//! Making a breach file of a list, in one pass and in memory that does not grow with the list, its index
//! apart: eight bytes for some thousand hashes.

use super::block::Draft;
use super::header::{self, Header};
use super::list::{List, ListRefused};
use super::{Key, block};
use crate::domain::time::Timestamp;
use sha2::{Digest as _, Sha256};
use std::io::{self, BufRead, Seek, SeekFrom, Write};
use thiserror::Error;

/// After so many lines somebody may want to hear of it.
const TELL_EVERY: u64 = 100_000_000;

/// Why no breach file was made.
#[derive(Debug, Error)]
pub enum BuildRefused {
    /// The list cannot be used.
    #[error(transparent)]
    List(#[from] ListRefused),
    /// There is nothing in the list that is wanted.
    #[error("the list has no hash that is wanted, and a file without any would refuse nothing")]
    Empty,
    /// Too many for the promise that the file makes.
    #[error(
        "the list has more than {most} hashes, with which too many passwords would be taken for listed: choose a higher --at-least",
        most = Key::MOST
    )]
    TooMany,
    /// The system refused to write.
    #[error(transparent)]
    Unwritable(#[from] io::Error),
}

/// Writes the breach file of a list, and tells now and then how many lines were read.
pub fn build(
    list: impl BufRead,
    at_least: u64,
    built_at: Timestamp,
    mut to: impl Write + Seek,
    told: &mut dyn FnMut(u64),
) -> Result<Header, BuildRefused> {
    let mut list = List::new(list, at_least);
    // The header stands first and is known last.
    to.write_all(&[0; header::SIZE])?;
    let mut blocks = Blocks {
        to: &mut to,
        draft: None,
        keys: 0,
        index: Vec::new(),
    };
    while let Some(wanted) = list.next()? {
        if let Some(sha1) = wanted {
            blocks.push(Key::of(&sha1))?;
        }
        if list.lines().is_multiple_of(TELL_EVERY) {
            told(list.lines());
        }
    }
    let (keys, index) = blocks.finish()?;
    to.write_all(&index)?;
    let header = Header {
        keys,
        blocks: index.len() as u64 / header::ENTRY,
        at_least,
        built_at,
        index_sha256: Sha256::digest(&index).into(),
    };
    to.seek(SeekFrom::Start(0))?;
    to.write_all(&header.to_bytes())?;
    to.flush()?;
    Ok(header)
}

/// Fills blocks and writes them.
struct Blocks<W> {
    to: W,
    draft: Option<Draft>,
    keys: u64,
    index: Vec<u8>,
}

impl<W: Write> Blocks<W> {
    /// Adds a key that is not less than the last; one that is there already is not added again.
    fn push(&mut self, key: Key) -> Result<(), BuildRefused> {
        if let Some(draft) = &mut self.draft {
            if draft.last() == key {
                return Ok(());
            }
            if draft.push(key) {
                return self.count();
            }
        }
        let next = Draft::begin(key, self.draft.as_ref());
        self.write()?;
        self.draft = Some(next);
        self.count()
    }

    fn count(&mut self) -> Result<(), BuildRefused> {
        self.keys += 1;
        if self.keys > Key::MOST {
            return Err(BuildRefused::TooMany);
        }
        Ok(())
    }

    /// Writes the block that is full.
    fn write(&mut self) -> io::Result<()> {
        if let Some(draft) = &self.draft {
            let bytes: [u8; block::SIZE] = draft.finish();
            self.to.write_all(&bytes)?;
            self.index.extend(draft.first().to_bytes());
        }
        Ok(())
    }

    /// Writes the last block, and gives the number of keys and the index.
    fn finish(mut self) -> Result<(u64, Vec<u8>), BuildRefused> {
        self.write()?;
        if self.keys == 0 {
            return Err(BuildRefused::Empty);
        }
        Ok((self.keys, self.index))
    }
}
