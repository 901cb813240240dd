//! Rust's tokens, as far as names and words are concerned: no comments, brackets nested.

use std::mem;

/// A token and the line it begins on, counted from 1.
#[derive(Clone)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) line: usize,
}

#[derive(Clone)]
pub(super) enum Kind {
    /// An identifier or a keyword; a raw identifier without its `r#`.
    Word(String),
    /// One character of punctuation. `::` are two marks.
    Mark(char),
    /// A number, a string, a character, as it is written.
    Literal(String),
    Group(Group),
}

/// What stands in brackets.
#[derive(Clone)]
pub(super) struct Group {
    /// `(`, `[` or `{`.
    pub(super) open: char,
    pub(super) tokens: Vec<Token>,
    /// The line of the closing bracket.
    pub(super) last_line: usize,
}

impl Token {
    pub(super) fn word(&self) -> Option<&str> {
        match &self.kind {
            Kind::Word(word) => Some(word),
            _ => None,
        }
    }

    pub(super) fn is_mark(&self, mark: char) -> bool {
        matches!(self.kind, Kind::Mark(found) if found == mark)
    }

    pub(super) fn group(&self) -> Option<&Group> {
        match &self.kind {
            Kind::Group(group) => Some(group),
            _ => None,
        }
    }

    pub(super) fn braces(&self) -> Option<&Group> {
        self.group().filter(|group| group.open == '{')
    }

    /// The line it ends on.
    pub(super) fn last_line(&self) -> usize {
        self.group().map_or(self.line, |group| group.last_line)
    }
}

/// The tokens of `text`; an error names the line of what is opened and not closed, or closed and not opened.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut reader = Reader {
        rest: text,
        line: 1,
    };
    let mut tokens = Vec::new();
    let mut outer = Vec::new();
    while let Some(first) = reader.rest.chars().next() {
        let line = reader.line;
        let unclosed = |Unclosed| format!("line {line}: {first:?} is not closed");
        let mut push = |kind| tokens.push(Token { kind, line });
        if let Some(length) = blank(reader.rest) {
            reader.take(length.map_err(unclosed)?);
        } else if let Some(length) = literal(reader.rest) {
            let text = reader.take(length.map_err(unclosed)?);
            push(Kind::Literal(text.to_owned()));
        } else if let Some(length) = word(reader.rest) {
            let word = reader.take(length);
            push(Kind::Word(word.trim_start_matches("r#").to_owned()));
        } else {
            reader.take(first.len_utf8());
            match first {
                '(' | '[' | '{' => outer.push((first, line, mem::take(&mut tokens))),
                ')' | ']' | '}' => {
                    let (open, begin, before) = outer
                        .pop()
                        .ok_or_else(|| format!("line {line}: {first:?} closes nothing"))?;
                    let inner = mem::replace(&mut tokens, before);
                    let group = Group {
                        open,
                        tokens: inner,
                        last_line: line,
                    };
                    tokens.push(Token {
                        kind: Kind::Group(group),
                        line: begin,
                    });
                }
                mark => push(Kind::Mark(mark)),
            }
        }
    }
    match outer.pop() {
        Some((open, line, _)) => Err(format!("line {line}: {open:?} is not closed")),
        None => Ok(tokens),
    }
}

struct Reader<'a> {
    rest: &'a str,
    line: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        self.line += taken.matches('\n').count();
        taken
    }
}

/// A comment or a literal that the text ends in.
struct Unclosed;

/// Bytes of the whitespace or the comment that `text` begins with, if it begins with one.
fn blank(text: &str) -> Option<Result<usize, Unclosed>> {
    let spaces = text.len() - text.trim_start().len();
    if spaces > 0 {
        Some(Ok(spaces))
    } else if text.starts_with("//") {
        Some(Ok(text.find('\n').unwrap_or(text.len())))
    } else if text.starts_with("/*") {
        Some(block_comment(text).ok_or(Unclosed))
    } else {
        None
    }
}

/// Bytes of the comment that `text` begins with, which may hold others. None when it does not end.
fn block_comment(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut length = 0;
    loop {
        let rest = &text[length..];
        if rest.starts_with("/*") {
            depth += 1;
            length += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            length += 2;
        } else {
            length += rest.chars().next()?.len_utf8();
        }
        if depth == 0 {
            return Some(length);
        }
    }
}

/// Bytes of the literal that `text` begins with, if it begins with one.
fn literal(text: &str) -> Option<Result<usize, Unclosed>> {
    if text.starts_with(|first: char| first.is_ascii_digit()) {
        return Some(Ok(word_length(text)));
    }
    let prefix = word_length(text);
    let after = &text[prefix..];
    let hashes = after.len() - after.trim_start_matches('#').len();
    let length = match &text[..prefix] {
        "r" | "br" | "cr" if after[hashes..].starts_with('"') => raw_string(after, hashes),
        "" | "b" | "c" if after.starts_with('"') => quoted(after, '"'),
        "" | "b" if after.starts_with('\'') && !is_lifetime(after) => quoted(after, '\''),
        _ => return None,
    };
    Some(length.map(|length| prefix + length).ok_or(Unclosed))
}

/// Bytes of the `hashes`, the quotes and what stands between them at the beginning of `text`.
fn raw_string(text: &str, hashes: usize) -> Option<usize> {
    let begin = hashes + 1;
    let end = format!("\"{}", "#".repeat(hashes));
    text[begin..]
        .find(&end)
        .map(|length| begin + length + end.len())
}

/// Bytes of what stands between two `quote`s at the beginning of `text`, both included.
fn quoted(text: &str, quote: char) -> Option<usize> {
    let mut escaped = true; // the first quote does not close
    for (at, character) in text.char_indices() {
        if escaped {
            escaped = false;
        } else if character == quote {
            return Some(at + quote.len_utf8());
        } else {
            escaped = character == '\\';
        }
    }
    None
}

/// `'a` without a closing quote, where `'a'` is a character.
fn is_lifetime(text: &str) -> bool {
    let mut characters = text.chars().skip(1);
    let name = characters
        .next()
        .is_some_and(|first| first == '_' || first.is_alphabetic());
    name && characters.next() != Some('\'')
}

/// Bytes of the identifier, raw or not, or of the keyword that `text` begins with, if it begins with one.
fn word(text: &str) -> Option<usize> {
    let raw = if text.starts_with("r#") {
        "r#".len()
    } else {
        0
    };
    let length = word_length(&text[raw..]);
    (length > 0).then_some(raw + length)
}

fn word_length(text: &str) -> usize {
    text.find(|character: char| !(character == '_' || character.is_alphanumeric()))
        .unwrap_or(text.len())
}
