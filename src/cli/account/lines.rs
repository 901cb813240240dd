//! A file of accounts, line by line, in memory that does not grow with it.

use std::io::{self, BufRead, Read as _};

/// The longest line that is read, in bytes: the service takes 16 KiB for a row, which JSON may spell at greater length.
const LONGEST: usize = 32 * 1_024;

/// The lines of a file, numbered from 1.
pub(super) struct Lines<R> {
    reader: R,
    number: i64,
    bytes: u64,
}

/// One line.
pub(super) struct Line {
    /// Its number.
    pub(super) number: i64,
    /// How many bytes of the file end with it.
    pub(super) bytes: u64,
    /// The line without its end; an error says what is wrong with it.
    pub(super) text: Result<String, &'static str>,
}

impl<R: BufRead> Lines<R> {
    /// The lines of what this reads.
    pub(super) fn new(reader: R) -> Self {
        Self {
            reader,
            number: 0,
            bytes: 0,
        }
    }

    /// The next line that holds anything.
    pub(super) fn next(&mut self) -> io::Result<Option<Line>> {
        while let Some(line) = self.any()? {
            if !matches!(&line.text, Ok(text) if text.trim().is_empty()) {
                return Ok(Some(line));
            }
        }
        Ok(None)
    }

    fn any(&mut self) -> io::Result<Option<Line>> {
        let mut line = Vec::new();
        let mut limited = (&mut self.reader).take(LONGEST as u64);
        let mut read = limited.read_until(b'\n', &mut line)? as u64;
        if read == 0 {
            return Ok(None);
        }
        let whole = line.ends_with(b"\n") || line.len() < LONGEST;
        if !whole {
            read += self.reader.skip_until(b'\n')? as u64;
        }
        self.number += 1;
        self.bytes += read;
        let text = if whole {
            text_of(&line, self.number)
        } else {
            Err("is longer than 32 KiB")
        };
        Ok(Some(Line {
            number: self.number,
            bytes: self.bytes,
            text,
        }))
    }
}

/// The text, without the mark that some programs put at the beginning of a file.
fn text_of(line: &[u8], number: i64) -> Result<String, &'static str> {
    let text = std::str::from_utf8(line).map_err(|_| "is not UTF-8")?;
    let text = match text.strip_prefix('\u{feff}') {
        Some(marked) if number == 1 => marked,
        _ => text,
    };
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Number and text of each line.
    fn read(file: &[u8]) -> Vec<(i64, Result<String, &'static str>)> {
        let mut lines = Lines::new(file);
        let mut read = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            read.push((line.number, line.text));
        }
        read
    }

    #[test]
    fn lines_have_the_numbers_that_an_editor_shows() {
        let file = "\u{feff}one\r\n\n  \ntwo\nthree".as_bytes();
        assert_eq!(
            read(file),
            [
                (1, Ok("one".to_owned())),
                (4, Ok("two".to_owned())),
                (5, Ok("three".to_owned()))
            ]
        );
    }

    #[test]
    fn a_line_that_cannot_be_read_is_one_line() {
        let long = "x".repeat(LONGEST * 3);
        let file = [b"one\n\xff\n", long.as_bytes(), b"\nlast\n"].concat();
        assert_eq!(
            read(&file),
            [
                (1, Ok("one".to_owned())),
                (2, Err("is not UTF-8")),
                (3, Err("is longer than 32 KiB")),
                (4, Ok("last".to_owned()))
            ]
        );
    }

    #[test]
    fn the_bytes_of_all_lines_are_those_of_the_file() {
        let file = format!("one\n{}\nlast", "x".repeat(LONGEST * 2));
        let mut lines = Lines::new(file.as_bytes());
        let mut bytes = 0;
        while let Some(line) = lines.next().unwrap() {
            bytes = line.bytes;
        }
        assert_eq!(bytes, file.len() as u64);
    }
}
