//! What commands print.

use super::Failure;
use std::fmt::Display;
use std::io::{self, Write};

/// Where a command prints: what it was asked for apart from what it has to say about that.
pub struct Output<'a> {
    out: &'a mut dyn Write,
    notes: &'a mut dyn Write,
    /// Whether somebody watches the notes on a terminal.
    watched: bool,
    /// Whether a line stands there that the next one is to replace.
    passing: bool,
}

impl<'a> Output<'a> {
    /// Prints what was asked for to `out` and the rest to `notes`.
    pub fn new(out: &'a mut dyn Write, notes: &'a mut dyn Write) -> Self {
        Self {
            out,
            notes,
            watched: false,
            passing: false,
        }
    }

    /// Says whether the notes appear on a terminal; unless told so, they do not.
    #[must_use]
    pub fn watched(self, watched: bool) -> Self {
        Self { watched, ..self }
    }

    /// Prints a line of what was asked for, at once.
    pub fn line(&mut self, line: impl Display) -> Result<(), Failure> {
        self.pass();
        let written = writeln!(self.out, "{line}").and_then(|()| self.out.flush());
        written.map_err(|why| match why.kind() {
            io::ErrorKind::BrokenPipe => Failure::NobodyReads,
            _ => Failure::told(format_args!("the output cannot be written: {why}")),
        })
    }

    /// Prints a line about it.
    pub fn note(&mut self, line: impl Display) {
        self.pass();
        // Where could it be told that nothing can be told?
        let _ = writeln!(self.notes, "{line}");
    }

    /// Shows a line that passes when anything else is printed; only to whoever watches.
    pub fn progress(&mut self, line: impl Display) {
        if self.watched {
            self.pass();
            self.passing = true;
            let _ = write!(self.notes, "{line}").and_then(|()| self.notes.flush());
        }
    }

    fn pass(&mut self) {
        if std::mem::take(&mut self.passing) {
            // To the beginning of the line, and erase it (ECMA-48 EL).
            let _ = write!(self.notes, "\r\u{1b}[K");
        }
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
    fn a_passing_line_is_for_whoever_watches_and_makes_way_for_all_others() {
        let shown = |watched| {
            let (mut out, mut notes) = (Vec::new(), Vec::new());
            let mut output = Output::new(&mut out, &mut notes).watched(watched);
            output.progress("1 %");
            output.progress("2 %");
            output.note("a note");
            String::from_utf8(notes).unwrap()
        };
        assert_eq!(shown(false), "a note\n");
        assert_eq!(shown(true), "1 %\r\u{1b}[K2 %\r\u{1b}[Ka note\n");
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
