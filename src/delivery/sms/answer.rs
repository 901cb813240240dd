//! What the gateway's answer means for the message.

use http::StatusCode;

use crate::delivery::scrub::with_placeholders;

/// How many characters of the gateway's words are of use.
const WORDS: usize = 200;

/// How many letters and digits in a row tell something of a code.
const TELLING: usize = 4;

/// What follows from an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The gateway has the message.
    Taken,
    /// It may take this one later.
    Later,
    /// It never will.
    Never,
    /// It takes none of anybody at present.
    Unavailable,
}

/// What follows from an answer of this status.
pub(super) fn verdict(status: StatusCode) -> Verdict {
    match status.as_u16() {
        200..=299 => Verdict::Taken,
        // RFC 9110 §15.5.9, RFC 8470 §5.2 and RFC 6585 §4 ask for another try.
        408 | 425 | 429 => Verdict::Later,
        400..=499 => Verdict::Never,
        // A redirect is not followed: links and codes go where the configuration says and nowhere else. Whoever
        // moved the gateway has to say so there, and until then it takes nothing.
        300..=399 | 502..=504 => Verdict::Unavailable,
        _ => Verdict::Later,
    }
}

/// The status and what the gateway says to it, on one line, without what it repeats of `sent`: some repeat the message.
pub(super) fn in_words(status: StatusCode, body: &[u8], sent: &str) -> String {
    let body = String::from_utf8_lossy(body);
    let body: String = body
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(WORDS)
        .collect();
    let words = without_what_was_sent(&body, sent);
    format!("{} {words}", status.as_u16()).trim_end().to_owned()
}

/// `words` with `[sent]` in the place of whatever stands in `sent` too and may be a code or part of a link: letters
/// and digits in a row, with a digit among them.
fn without_what_was_sent(words: &str, sent: &str) -> String {
    let chars: Vec<char> = words.chars().collect();
    let mut hidden = vec![false; chars.len()];
    for (start, run) in chars.windows(TELLING).enumerate() {
        let may_be_one =
            run.iter().all(|c| c.is_alphanumeric()) && run.iter().any(|c| c.is_numeric());
        if may_be_one && sent.contains(&String::from_iter(run)) {
            hidden[start..start + TELLING].fill(true);
        }
    }
    with_placeholders(&chars, &hidden, "[sent]")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn status(code: u16) -> StatusCode {
        StatusCode::from_u16(code).unwrap()
    }

    #[test]
    fn a_refusal_is_for_good_unless_the_gateway_asks_for_another_try() {
        for (codes, expected) in [
            (vec![200, 202, 204, 299], Verdict::Taken),
            (vec![408, 425, 429, 500, 501, 507, 599], Verdict::Later),
            (vec![400, 401, 403, 404, 410, 422], Verdict::Never),
            (
                vec![301, 302, 307, 308, 502, 503, 504],
                Verdict::Unavailable,
            ),
        ] {
            for code in codes {
                assert_eq!(verdict(status(code)), expected, "{code}");
            }
        }
    }

    #[test]
    fn its_words_are_one_short_line_without_the_message() {
        let sent = "Acme: 384201 is your code.\nhttps://a.example/#rlt1_AbCd12";
        for (said, kept) in [
            ("", "422"),
            ("no such number", "422 no such number"),
            ("line\r\nfeed", "422 line  feed"),
            ("error 21211: 384201", "422 error 21211: [sent]"),
            ("\"384201\" for Acme", "422 \"[sent]\" for Acme"),
            ("code384201x", "422 code[sent]x"),
        ] {
            assert_eq!(in_words(status(422), said.as_bytes(), sent), kept);
        }
        let long = in_words(status(400), &[0xff; 10_000], sent);
        assert!(long.chars().count() < 220);
    }

    proptest! {
        #[test]
        fn no_code_that_was_sent_is_left(code in "[0-9]{6}", before in "[ -~]{0,40}", after in "[ -~]{0,40}") {
            let sent = format!("Acme: {code} is your code.");
            let said = format!("{before}{code}{after}");
            prop_assert!(!without_what_was_sent(&said, &sent).contains(&code));
        }
    }
}
