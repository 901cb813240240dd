//! What the log can say: the lines that `src` writes, and the spans around them, as tracing's macros have them.

use super::source::Source;
use super::tokens::{Kind, Token};

const LEVELS: [&str; 5] = ["error", "warn", "info", "debug", "trace"];

/// A line, or a span whose fields stand in every line within it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct LogLine {
    pub level: String,
    pub is_span: bool,
    /// What it says; of a span, what it is called.
    pub message: String,
    pub fields: Vec<String>,
}

/// The lines and spans that these files, pairs of path and content, log without their tests. What has a target of
/// its own is not the log's.
pub(super) fn log_lines(files: &[(String, String)]) -> Vec<LogLine> {
    let sources: Vec<_> = files
        .iter()
        .map(|(path, text)| Source::read(path, text).unwrap())
        .collect();
    let tests: Vec<_> = sources
        .iter()
        .flat_map(|source| &source.test_modules)
        .collect();
    sources
        .iter()
        .filter(|source| !tests.iter().any(|test| source.module.starts_with(test)))
        .flat_map(|source| &source.names)
        .filter_map(|name| {
            let macro_name = name.segments.last()?;
            let level = macro_name.trim_end_matches("_span");
            let arguments = name
                .arguments
                .as_ref()
                .filter(|_| LEVELS.contains(&level))?;
            read(level, macro_name != level, arguments)
        })
        .collect()
}

fn read(level: &str, is_span: bool, arguments: &[Token]) -> Option<LogLine> {
    let mut line = LogLine {
        level: level.to_owned(),
        is_span,
        message: String::new(),
        fields: Vec::new(),
    };
    for argument in arguments.split(|token| token.is_mark(',')) {
        match argument {
            [] => {}
            [
                Token {
                    kind: Kind::Literal(text),
                    ..
                },
            ] => text.trim_matches('"').clone_into(&mut line.message),
            [word, colon, ..] if word.word() == Some("target") && colon.is_mark(':') => {
                return None;
            }
            [sigil, field @ ..] if sigil.is_mark('%') || sigil.is_mark('?') => {
                line.fields.push(field_name(field));
            }
            field => line.fields.push(field_name(field)),
        }
    }
    assert!(
        !line.message.is_empty(),
        "a line without a message: {line:?}"
    );
    Some(line)
}

/// `a.b` of `a.b = value` or of `a.b` alone.
fn field_name(tokens: &[Token]) -> String {
    let name = tokens.iter().take_while(|token| !token.is_mark('='));
    let words = name.filter_map(Token::word);
    words.collect::<Vec<_>>().join(".")
}

#[test]
fn a_line_is_read_with_its_level_its_words_and_its_fields() {
    let text = r#"
        fn f() {
            tracing::warn!(%error, ?pause, a.b = g(1, "x"), attempt, "it went wrong");
            error!("alone");
            let _ = info_span!("call", request_id = %id);
            info_span!(target: T, "not the log's", secret);
            println!("not the log's");
        }
        #[cfg(test)]
        mod tests { fn f() { tracing::info!("not the log's"); } }
    "#;
    let line = |level: &str, is_span, message: &str, fields: &[&str]| LogLine {
        level: level.to_owned(),
        is_span,
        message: message.to_owned(),
        fields: fields.iter().map(|field| (*field).to_owned()).collect(),
    };
    assert_eq!(
        log_lines(&[("src/a.rs".to_owned(), text.to_owned())]),
        [
            line(
                "warn",
                false,
                "it went wrong",
                &["error", "pause", "a.b", "attempt"]
            ),
            line("error", false, "alone", &[]),
            line("info", true, "call", &["request_id"]),
        ]
    );
}
