//! What commands print.

use super::Failure;
use std::fmt::Display;
use std::io::{self, Write};

/// Where a command prints: what it was asked for apart from what it has to say about that.
pub struct Output<'a> {
    out: &'a mut dyn Write,
    notes: &'a mut dyn Write,
}

impl<'a> Output<'a> {
    /// Prints what was asked for to `out` and the rest to `notes`.
    pub fn new(out: &'a mut dyn Write, notes: &'a mut dyn Write) -> Self {
        Self { out, notes }
    }

    /// Prints a line of what was asked for, at once.
    pub fn line(&mut self, line: impl Display) -> Result<(), Failure> {
        let written = writeln!(self.out, "{line}").and_then(|()| self.out.flush());
        written.map_err(|why| match why.kind() {
            io::ErrorKind::BrokenPipe => Failure::NobodyReads,
            _ => Failure::told(format_args!("the output cannot be written: {why}")),
        })
    }

    /// Prints a line about it.
    pub fn note(&mut self, line: impl Display) {
        // Where could it be told that nothing can be told?
        let _ = writeln!(self.notes, "{line}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Refusing(io::ErrorKind);

    impl Write for Refusing {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_left_is_told_apart_from_a_full_disk() {
        let line = |kind| Output::new(&mut Refusing(kind), &mut Vec::new()).line("line");
        assert_eq!(line(io::ErrorKind::BrokenPipe), Err(Failure::NobodyReads));
        assert!(matches!(
            line(io::ErrorKind::StorageFull),
            Err(Failure::Told(_))
        ));
    }
}
