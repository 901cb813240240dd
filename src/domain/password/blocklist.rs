//! The list of common passwords, refused as a whole (SP 800-63B-4 §3.1.1.2, ASVS 6.2.4).
//!
//! Lists of leaked passwords hold next to nothing of fifteen characters. What people make of that
//! demand is known, though: they repeat a common password, join two, add digits, run along the
//! keyboard, write dates or type a phrase. The list is made of that: from two files of words and
//! phrases, when it is first asked for, and by recognising dates and walks over the keyboard, which
//! need not be kept. That it is long enough, `build.rs` makes sure of.

use std::{collections::HashSet, sync::LazyLock};

use super::{
    Policy,
    dates::{are_dates, examples},
    derived,
    keyboard::{is_walk, walks},
};

static LIST: LazyLock<HashSet<Box<str>>> = LazyLock::new(|| {
    derived::entries()
        .filter(|entry| entry.chars().count() >= Policy::LOWEST_MIN_LENGTH)
        .map(String::into_boxed_str)
        .collect()
});

/// Whether the whole text is a common password, in any case.
pub(super) fn contains(text: &str) -> bool {
    let text = text.to_lowercase();
    LIST.contains(text.as_str()) || is_walk(&text) || are_dates(&text)
}

/// Every listed password, in lower case and no particular order, some more than once. Each has at
/// least [`Policy::LOWEST_MIN_LENGTH`] code points; of the walks over the keyboard, which go on,
/// those of up to 24 are given, and of the dates some.
pub fn entries() -> impl Iterator<Item = String> {
    const LONGEST_WALK: usize = 24;
    LIST.iter()
        .map(ToString::to_string)
        .chain(walks(LONGEST_WALK))
        .chain(examples())
}

#[cfg(test)]
mod tests {
    use unicode_normalization::UnicodeNormalization;

    use super::*;
    use crate::domain::password::{Password, PersonalWords, Rule};

    fn long_entries() -> impl Iterator<Item = String> {
        entries().filter(|entry| entry.chars().count() >= Policy::DEFAULT_MIN_LENGTH)
    }

    #[test]
    fn at_least_3000_entries_satisfy_the_length_rule() {
        let normalised: HashSet<String> =
            long_entries().map(|entry| entry.nfc().collect()).collect();
        assert!(normalised.len() >= 3_000, "{}", normalised.len());
    }

    #[test]
    fn every_entry_is_recognised_as_it_stands_and_in_capitals() {
        for entry in entries() {
            assert!(contains(&entry), "{entry}");
            assert!(contains(&entry.to_uppercase()), "{entry}");
        }
    }

    #[test]
    fn sampled_entries_are_refused_by_the_policy() {
        for entry in long_entries().step_by(100) {
            let judgement = Policy::default().judge(
                &Password::parse(entry.as_str()).unwrap(),
                &PersonalWords::default(),
                false,
            );
            assert!(
                judgement
                    .violations
                    .iter()
                    .any(|violation| violation.rule == Rule::Common),
                "{entry}"
            );
        }
    }

    #[test]
    fn what_people_do_to_reach_fifteen_characters_is_listed() {
        for text in [
            "passwordpassword",
            "password password",
            "sunshineprincess",
            "password123456789",
            "correcthorsebatterystaple",
            "may the force be with you",
            "thisismypassword1",
            "0101199001011990",
            "1 September 1999",
            "112233445566778",
        ] {
            assert!(contains(text), "{text}");
        }
    }

    #[test]
    fn shorter_common_passwords_are_listed_for_a_lower_minimum() {
        for text in ["password", "iloveyou", "12345678", "december2024"] {
            assert!(contains(text), "{text}");
        }
    }

    #[test]
    fn a_text_that_merely_contains_an_entry_is_not_listed() {
        assert!(!contains("passwordpasswordgondola"));
        assert!(!contains(" passwordpassword"));
    }

    #[test]
    fn the_words_and_phrases_are_distinct_and_in_lower_case() {
        for file in [derived::WORDS, derived::PHRASES] {
            assert!(file.lines().all(|line| line == line.trim()
                && line == line.to_lowercase()
                && !line.is_empty()));
            assert_eq!(
                file.lines().collect::<HashSet<_>>().len(),
                file.lines().count()
            );
        }
    }

    #[test]
    fn the_list_takes_less_than_a_mebibyte() {
        // A slot of the table with its control byte; each text with its header, in steps of sixteen
        // bytes.
        let table = LIST.capacity() * 8 / 7 * (size_of::<Box<str>>() + 1);
        let texts: usize = LIST
            .iter()
            .map(|entry| (entry.len() + 8).next_multiple_of(16).max(32))
            .sum();
        assert!(
            table + texts < 1 << 20,
            "{} entries, {} bytes",
            LIST.len(),
            table + texts
        );
    }
}
