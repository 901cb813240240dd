//! The public list, as text: `HASH:COUNT` a line, sorted by the hash.

use crate::domain::password::SHA1_BYTES;
use data_encoding::HEXLOWER_PERMISSIVE;
use std::io::{self, BufRead, Read as _};
use thiserror::Error;

const HEX_DIGITS: usize = SHA1_BYTES * 2;
/// Longest line that is read, its end included: a hash, a colon and the greatest count.
const LONGEST_LINE: u64 = 80;

/// Why a list is refused.
#[derive(Debug, Error)]
pub enum ListRefused {
    /// The system refused to read on.
    #[error("the list cannot be read beyond line {0}: {1}")]
    Unreadable(u64, #[source] io::Error),
    /// A line is not of the list.
    #[error("line {0} of the list {1}")]
    Line(u64, LineRefused),
}

/// What is wrong with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum LineRefused {
    /// It is no hash with a count.
    #[error("is not HASH:COUNT, with a SHA-1 hash of 40 hexadecimal digits")]
    Malformed,
    /// It has no count, and only passwords of some count are wanted.
    #[error("has no count, which --at-least asks for")]
    NoCount,
    /// Its hash is lower than the one before.
    #[error(
        "has a lower hash than the line before, and the list must be sorted: `LC_ALL=C sort` does that"
    )]
    Unsorted,
}

/// Reads a list from its beginning to its end, and keeps nothing of it but the last line.
pub(super) struct List<R> {
    from: R,
    at_least: u64,
    line: Vec<u8>,
    lines: u64,
    last: [u8; SHA1_BYTES],
}

impl<R: BufRead> List<R> {
    /// A list of which only hashes that were seen `at_least` so often are wanted.
    pub(super) fn new(from: R, at_least: u64) -> Self {
        Self {
            from,
            at_least,
            line: Vec::new(),
            lines: 0,
            last: [0; SHA1_BYTES],
        }
    }

    /// How many lines were read.
    pub(super) const fn lines(&self) -> u64 {
        self.lines
    }

    /// The hash of the next line, none if it is not wanted; `None` behind the last line.
    #[expect(
        clippy::option_option,
        reason = "a line that is not wanted is not the end of the list"
    )]
    pub(super) fn next(&mut self) -> Result<Option<Option<[u8; SHA1_BYTES]>>, ListRefused> {
        self.line.clear();
        let read = self
            .from
            .by_ref()
            .take(LONGEST_LINE)
            .read_until(b'\n', &mut self.line)
            .map_err(|why| ListRefused::Unreadable(self.lines, why))?;
        if read == 0 {
            return Ok(None);
        }
        self.lines += 1;
        let refused = |why| ListRefused::Line(self.lines, why);
        let (sha1, count) = parse(&self.line).ok_or(refused(LineRefused::Malformed))?;
        if sha1 < self.last {
            return Err(refused(LineRefused::Unsorted));
        }
        self.last = sha1;
        let wanted = match count {
            // The padding of the list's API, which hides how long an answer is, has a count of zero.
            Some(count) => count >= self.at_least.max(1),
            None if self.at_least > 1 => return Err(refused(LineRefused::NoCount)),
            None => true,
        };
        Ok(Some(wanted.then_some(sha1)))
    }
}

fn parse(line: &[u8]) -> Option<([u8; SHA1_BYTES], Option<u64>)> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let (digits, rest) = line.split_first_chunk::<HEX_DIGITS>()?;
    let mut sha1 = [0; SHA1_BYTES];
    HEXLOWER_PERMISSIVE.decode_mut(digits, &mut sha1).ok()?;
    let count = match rest {
        [] => None,
        [b':', count @ ..] if count.iter().all(u8::is_ascii_digit) => {
            Some(str::from_utf8(count).ok()?.parse().ok()?)
        }
        _ => return None,
    };
    Some((sha1, count))
}
