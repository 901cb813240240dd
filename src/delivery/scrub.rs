//! Taking people and links out of what mail servers and gateways say, for such words are kept.

/// What stands in the place of what was taken out.
const PLACEHOLDER: &str = "[address]";

/// From this many digits on a number may be a telephone number; fewer are a reply code or a port.
const LONG_NUMBER: usize = 7;

/// How the tokens of links begin.
const TOKEN_PREFIXES: [&str; 2] = ["rlt1_", "rlc1_"];

/// Most of what was said that is kept, in characters.
const KEPT: usize = 300;

/// What somebody else said, as it may be kept: without addresses, on one line, not too long.
pub(super) fn for_the_record(said: &str) -> String {
    without_addresses(said)
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(KEPT)
        .collect()
}

/// `text` with `[address]` in the place of everything that may be an email address, a telephone
/// number or the token of a link: what has an at sign (`＠` and `%40` count) with all that hangs on
/// it, what has seven digits or more in a row, hyphens apart, and what begins like a token.
///
/// It rather takes out too much. Text between spaces that looks like none of these stays, so the
/// name in "no mailbox for jane" does.
#[must_use]
pub fn without_addresses(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut hidden = vec![false; chars.len()];
    hide_emails(&chars, &mut hidden);
    hide_numbers(&chars, &mut hidden);
    hide_tokens(&chars, &mut hidden);

    with_placeholders(&chars, &hidden, PLACEHOLDER)
}

/// The characters in order, with `placeholder` in the place of each row of those that are hidden.
pub(super) fn with_placeholders(chars: &[char], hidden: &[bool], placeholder: &str) -> String {
    let mut shown = String::with_capacity(chars.len());
    let mut was_hidden = false;
    for (character, is_hidden) in chars.iter().zip(hidden) {
        match (was_hidden, *is_hidden) {
            (_, false) => shown.push(*character),
            (false, true) => shown.push_str(placeholder),
            (true, true) => {}
        }
        was_hidden = *is_hidden;
    }
    shown
}

fn hide_emails(chars: &[char], hidden: &mut [bool]) {
    for at in 0..chars.len() {
        if hidden[at] || !is_at_sign(&chars[at..]) {
            continue;
        }
        let mut start = at;
        while start > 0 && !hidden[start - 1] && is_part_of_address(chars[start - 1]) {
            start -= 1;
        }
        if start == at && start > 0 && chars[start - 1] == '"' {
            start = opening_quote(chars, start - 1);
        }
        let domain = at + count(&chars[at..], is_part_of_address);
        let end = match chars.get(domain) {
            // An address in brackets, as in `ada@[192.0.2.1]`.
            Some('[') => domain + count(&chars[domain..], |c| c != ']' && !c.is_whitespace()) + 1,
            _ => domain,
        };
        hidden[start..end.min(chars.len())].fill(true);
    }
}

/// Whether what follows begins with an at sign, plain, full-width or percent-encoded.
fn is_at_sign(chars: &[char]) -> bool {
    matches!(chars, ['@' | '＠', ..] | ['%', '4', '0', ..])
}

fn is_part_of_address(character: char) -> bool {
    !character.is_whitespace() && !character.is_control() && !"<>()[],;:\"".contains(character)
}

/// Where the quoted local part begins whose closing quote stands at `closing`.
fn opening_quote(chars: &[char], closing: usize) -> usize {
    (0..closing)
        .rev()
        .find(|&at| chars[at] == '"' && (at == 0 || chars[at - 1] != '\\'))
        .unwrap_or(0)
}

fn hide_numbers(chars: &[char], hidden: &mut [bool]) {
    let mut at = 0;
    while at < chars.len() {
        let international = chars[at] == '+';
        if !international && !chars[at].is_numeric() {
            at += 1;
            continue;
        }
        let length = count(&chars[at..], |c| {
            c.is_numeric()
                || c == '-'
                || international && (c.is_whitespace() || "+.()/".contains(c))
        });
        let number = &chars[at..at + length];
        if number.iter().filter(|c| c.is_numeric()).count() >= LONG_NUMBER {
            // What only separates the number from the next word stays.
            let last = number.iter().rposition(|c| c.is_numeric());
            hidden[at..=at + last.unwrap_or(0)].fill(true);
        }
        at += length;
    }
}

fn hide_tokens(chars: &[char], hidden: &mut [bool]) {
    for at in 0..chars.len() {
        if TOKEN_PREFIXES.iter().any(|prefix| {
            prefix
                .chars()
                .eq(chars[at..].iter().copied().take(prefix.len()))
        }) {
            let length = count(&chars[at..], |c| {
                c.is_ascii_alphanumeric() || c == '_' || c == '-'
            });
            hidden[at..at + length].fill(true);
        }
    }
}

/// How many characters from the first on are such.
fn count(chars: &[char], such: impl Fn(char) -> bool) -> usize {
    chars
        .iter()
        .position(|&character| !such(character))
        .unwrap_or(chars.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_long_reply_is_kept_as_one_short_line() {
        let reply = format!("554 no\r\n554 {}", "x".repeat(1_000));
        let kept = for_the_record(&reply);
        assert!(kept.starts_with("554 no  554 xxx"));
        assert_eq!(kept.chars().count(), KEPT);
    }

    #[test]
    fn addresses_go_and_the_rest_of_the_reply_stays() {
        for (said, kept) in [
            (
                "550 5.1.1 <ada@example.com>: no such user",
                "550 5.1.1 <[address]>: no such user",
            ),
            ("to=<ada@example.com>,relay=mx1", "to=<[address]>,relay=mx1"),
            (
                "550 \"ada \\\" lovelace\"@example.com unknown",
                "550 [address] unknown",
            ),
            ("ada@[192.0.2.1] refused", "[address] refused"),
            ("bounce+ada=example.com@relay.example", "[address]"),
            ("mailto:ada%40example.com?x", "mailto:[address]"),
            ("ada＠example.com", "[address]"),
            (
                "unknown subscriber 491701234567",
                "unknown subscriber [address]",
            ),
            ("call +49 (170) 123 45 67 failed", "call [address] failed"),
            ("555-867-5309 is not mobile", "[address] is not mobile"),
            (
                "421 4.7.0 10.0.0.1:25 too many connections",
                "421 4.7.0 10.0.0.1:25 too many connections",
            ),
            (
                "blocked https://a.example/reset#rlt1_AAAA-bb_cc.",
                "blocked https://a.example/reset#[address].",
            ),
            ("", ""),
        ] {
            assert_eq!(without_addresses(said), kept, "{said}");
        }
    }

    fn has_long_number(text: &str) -> bool {
        text.split(|c: char| !c.is_numeric())
            .any(|digits| digits.chars().count() >= LONG_NUMBER)
    }

    proptest! {
        #[test]
        fn nothing_that_may_be_an_address_is_left_of_any_text(text in "(.|[@＠%40\"<>+ -]|[0-9]{5,8}|rlt1_|rlc1_){0,30}") {
            let scrubbed = without_addresses(&text);
            prop_assert!(!scrubbed.contains(['@', '＠']), "{scrubbed}");
            prop_assert!(!scrubbed.contains("%40"), "{scrubbed}");
            prop_assert!(!has_long_number(&scrubbed), "{scrubbed}");
            prop_assert!(!scrubbed.contains("rlt1_") && !scrubbed.contains("rlc1_"), "{scrubbed}");
            prop_assert_eq!(without_addresses(&scrubbed), scrubbed);
        }

        #[test]
        fn no_part_of_an_address_is_left(
            before in "[ -~]{0,20}",
            local in "LOCAL[a-z0-9!#$%&'*+/=?^_`{|}~.-]{0,20}|\"LOCAL[ a-z(),:;<>]{0,20}\"",
            domain in "DOMAIN[a-z0-9.-]{0,30}|\\[DOMAIN[a-f0-9:.]{1,30}\\]",
            after in "[ -~]{0,20}",
        ) {
            let scrubbed = without_addresses(&format!("{before} <{local}@{domain}> {after}"));
            prop_assert!(!scrubbed.contains("LOCAL") && !scrubbed.contains("DOMAIN"), "{scrubbed}");
        }

        #[test]
        fn no_part_of_a_telephone_number_is_left(number in "\\+?[1-9][0-9]{6,14}") {
            let scrubbed = without_addresses(&format!("no route to {number}, code 21"));
            prop_assert_eq!(scrubbed, "no route to [address], code 21");
        }

        #[test]
        fn short_replies_stay_as_they_are(text in "[a-zA-Z .,:;()0-9]{0,6}") {
            prop_assert_eq!(without_addresses(&text), text);
        }
    }
}
