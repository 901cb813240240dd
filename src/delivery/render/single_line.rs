//! Names as they may stand in a mail: on one line, and not pretending to be anything but a name.

/// Longest greeting name in code points. "Hello", the name and a comma still fit on one line.
const NAME_LIMIT: usize = 60;

/// `text` on one line: control characters and runs of white space become single spaces, so that
/// nothing can begin a header of its own, and characters that reverse the text after them are dropped.
pub(super) fn single_line(text: &str) -> String {
    let visible: String = text
        .chars()
        .filter(|character| !matches!(character, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}'))
        .map(|character| {
            if character.is_control() {
                ' '
            } else {
                character
            }
        })
        .collect();
    visible.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The name to greet the owner of `display_name` by; empty when there is none to use.
///
/// People choose their display names themselves, and somebody who signs up with a stranger's address
/// chooses what the stranger reads. A name that mail programs would turn into a link is therefore
/// left out, and a very long one is cut.
pub(super) fn greeting_name(display_name: &str) -> String {
    let mut name = single_line(display_name);
    if reads_as_link(&name) {
        return String::new();
    }
    if let Some((end, _)) = name.char_indices().nth(NAME_LIMIT) {
        name.truncate(end);
        name.push('…');
    }
    name
}

/// Whether a mail program would make a link of something in `name`: an address of any kind, or what
/// looks like a domain. Initials and titles ("J. R. R.", "Ph.D.") are not taken for one.
fn reads_as_link(name: &str) -> bool {
    let begins_like_a_domain_ending = |label: &str| {
        let letters = label.chars().take_while(|letter| letter.is_alphabetic());
        letters.count() >= 2
    };
    name.contains("://")
        || name.contains('@')
        || name.split('.').skip(1).any(begins_like_a_domain_ending)
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn line_breaks_and_control_characters_become_spaces() {
        assert_eq!(single_line("A\r\nBcc: x@y"), "A Bcc: x@y");
        assert_eq!(single_line(" Ada\u{2028}\tLovelace\0 "), "Ada Lovelace");
    }

    #[test]
    fn characters_that_reverse_text_are_dropped() {
        assert_eq!(single_line("Ada\u{202E}ecalevoL"), "AdaecalevoL");
    }

    #[test]
    fn names_are_greeted_as_they_are() {
        for name in [
            "Ada",
            "J.R.R. Tolkien",
            "J. R. R. Tolkien",
            "Dr. Ada Lovelace, Ph.D.",
            "李小龍",
            "Zoë O'Neill",
        ] {
            assert_eq!(greeting_name(name), name);
        }
    }

    #[test]
    fn a_name_that_reads_as_a_link_is_left_out() {
        for name in [
            "https://evil.example/win",
            "You won! evil.example",
            "www.evil.example",
            "ada@evil.example",
            "A\r\nBcc: x@y",
        ] {
            assert_eq!(greeting_name(name), "", "{name:?}");
        }
    }

    #[test]
    fn a_very_long_name_is_cut_between_characters() {
        let cut = greeting_name(&"é".repeat(500));
        assert_eq!(cut, "é".repeat(NAME_LIMIT) + "…");
    }

    /// Any characters at all: proptest's own `String` leaves the control characters out.
    pub(crate) fn any_text() -> impl Strategy<Value = String> {
        proptest::collection::vec(any::<char>(), 0..40).prop_map(String::from_iter)
    }

    proptest! {
        #[test]
        fn whatever_the_name_the_greeting_is_one_line(name in any_text()) {
            let greeting = greeting_name(&name);
            prop_assert!(!greeting.contains(char::is_control));
            prop_assert!(greeting.chars().count() <= NAME_LIMIT + 1);
        }
    }
}
