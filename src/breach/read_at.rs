//! Reading at a position.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

/// Bytes that are read at any position, by several threads at a time.
pub trait ReadAt: Send + Sync {
    /// How many there are.
    fn length(&self) -> io::Result<u64>;

    /// Fills the buffer with those from this position on.
    fn fill(&self, buffer: &mut [u8], position: u64) -> io::Result<()>;
}

impl ReadAt for File {
    fn length(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn fill(&self, buffer: &mut [u8], position: u64) -> io::Result<()> {
        self.read_exact_at(buffer, position)
    }
}

impl ReadAt for Vec<u8> {
    fn length(&self) -> io::Result<u64> {
        Ok(self.len() as u64)
    }

    fn fill(&self, buffer: &mut [u8], position: u64) -> io::Result<()> {
        let position = usize::try_from(position).unwrap_or(usize::MAX);
        let there = self
            .get(position..)
            .and_then(|rest| rest.get(..buffer.len()));
        buffer.copy_from_slice(there.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}
