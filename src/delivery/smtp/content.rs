//! What follows `DATA`: a letter and its end, in one piece.
//!
//! lettre writes the end by itself. It then waits at the system until the server has acknowledged the letter
//! (RFC 9293 §3.7.4), which servers put off for 40 ms and more: on a fast network most of the time that a
//! mail takes.

use std::fmt;

/// A letter, whose lines end with CR LF, as it is written behind `DATA` (RFC 5321 §4.5.2): a line that
/// begins with a dot is given another one, and a dot alone is the end.
pub(super) struct Content<'a>(pub(super) &'a str);

impl fmt::Display for Content<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in self.0.split("\r\n") {
            if line.starts_with('.') {
                f.write_str(".")?;
            }
            f.write_str(line)?;
            f.write_str("\r\n")?;
        }
        f.write_str(".\r\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_dot_that_begins_a_line_is_doubled_and_no_other() {
        let content = Content("Subject: x\r\n\r\n.\r\n..a.\r\nb.\r\n.").to_string();
        let expected = "Subject: x\r\n\r\n..\r\n...a.\r\nb.\r\n..\r\n.\r\n";
        assert_eq!(content, expected);
    }

    proptest! {
        #[test]
        fn a_letter_ends_where_it_ends_and_is_read_as_it_was(letter in "([a.]|\r\n|\r\n\\.\r\n){0,30}") {
            let content = Content(&letter).to_string();
            let lines: Vec<_> = content.split("\r\n").collect();
            let end = lines.iter().position(|line| *line == ".");
            prop_assert_eq!(end, Some(lines.len() - 2));
            let read = lines[..lines.len() - 2].iter();
            let read: Vec<_> = read.map(|line| line.strip_prefix('.').unwrap_or(line)).collect();
            prop_assert_eq!(read.join("\r\n"), letter);
        }
    }
}
