//! Words that belong to the account or the service, and passwords that are nothing but such words.

use std::{collections::BTreeSet, fmt};

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use super::lookalike::{is_lookalike, reads_as};

/// The fewest code points of a word: initials would match by accident.
const SHORTEST_WORD: usize = 2;
/// The fewest digits of a number: years and house numbers occur in any long row of digits.
const SHORTEST_NUMBER: usize = 6;
/// The most digits of a country calling code (ITU-T E.164).
const LONGEST_CALLING_CODE: usize = 3;

/// Words a password must not consist of, because whoever knows the person or the service tries them
/// first: names, the parts of an email address, a phone number (SP 800-63B-4 §3.1.1.2, ASVS
/// 6.2.11).
#[derive(Clone, Default)]
pub struct PersonalWords {
    words: BTreeSet<String>,
    numbers: BTreeSet<String>,
}

impl PersonalWords {
    /// Adds the words of a text: an email address (local part and domain labels), a person's or a
    /// service's name.
    #[must_use]
    pub fn with_text(mut self, text: &str) -> Self {
        for text in [text.to_lowercase().nfc().collect(), folded(text)] {
            for piece in text.split(|c: char| !c.is_alphanumeric()) {
                self.add(piece);
                piece
                    .split(|c: char| !c.is_alphabetic())
                    .for_each(|letters| self.add(letters));
            }
        }
        self
    }

    /// Adds a phone number, with and without what may be its country calling code.
    #[must_use]
    pub fn with_phone(mut self, phone: &str) -> Self {
        let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
        for start in 0..=LONGEST_CALLING_CODE.min(digits.len()) {
            self.add(&digits[start..]);
        }
        self
    }

    /// These words and the others.
    pub(super) fn and(mut self, others: &Self) -> Self {
        self.words.extend(others.words.iter().cloned());
        self.numbers.extend(others.numbers.iter().cloned());
        self
    }

    /// Every word and number, in lower case.
    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        self.words.iter().chain(&self.numbers).map(String::as_str)
    }

    /// Whether the whole text is derived from these words: one or several of them, joined,
    /// repeated, reversed or with look-alike symbols, in any case, with digits and punctuation in
    /// between or around. A text with any other letters in it is not.
    pub(super) fn make_up(&self, text: &str) -> bool {
        let symbols: Vec<char> = folded(text)
            .chars()
            .filter(|c| c.is_alphanumeric() || is_lookalike(*c))
            .collect();
        if symbols.iter().any(|c| c.is_alphabetic()) {
            self.cover(&symbols)
        } else {
            self.are_in(&symbols)
        }
    }

    /// Whether words, and symbols that are no letters, follow one another from the first symbol to
    /// the last.
    fn cover(&self, symbols: &[char]) -> bool {
        let words: Vec<Vec<char>> = self
            .words
            .iter()
            .flat_map(|word| [word.chars().collect(), word.chars().rev().collect()])
            .collect();
        // reached[n]: the first n symbols are covered.
        let mut reached = vec![false; symbols.len() + 1];
        reached[0] = true;
        for start in 0..symbols.len() {
            if !reached[start] {
                continue;
            }
            if !symbols[start].is_alphabetic() {
                reached[start + 1] = true;
            }
            for word in words
                .iter()
                .filter(|word| begins_with(&symbols[start..], word))
            {
                reached[start + word.len()] = true;
            }
        }
        reached[symbols.len()]
    }

    /// Whether one of the numbers stands among the digits, either way round.
    fn are_in(&self, symbols: &[char]) -> bool {
        let digits: String = symbols.iter().filter(|c| c.is_ascii_digit()).collect();
        let reversed: String = digits.chars().rev().collect();
        self.numbers
            .iter()
            .any(|number| digits.contains(number) || reversed.contains(number))
    }

    fn add(&mut self, word: &str) {
        if word.chars().all(|c| c.is_ascii_digit()) {
            if word.len() >= SHORTEST_NUMBER {
                self.numbers.insert(word.to_owned());
            }
        } else if word.chars().count() >= SHORTEST_WORD {
            self.words.insert(word.to_owned());
        }
    }
}

/// Prints how many words there are: they are personal data.
impl fmt::Debug for PersonalWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} words redacted]", self.iter().count())
    }
}

fn begins_with(symbols: &[char], word: &[char]) -> bool {
    symbols.len() >= word.len()
        && symbols
            .iter()
            .zip(word)
            .all(|(symbol, letter)| reads_as(*symbol, *letter))
}

/// Lower case and without accents: people leave these out of passwords.
fn folded(text: &str) -> String {
    text.to_lowercase()
        .nfd()
        .filter(|c| !is_combining_mark(*c))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mina() -> PersonalWords {
        PersonalWords::default()
            .with_text("mina.katz86@acme-widgets.example")
            .with_text("Mina Zoë Katz")
            .with_phone("+1 555 123 4567")
            .with_text("Acme Widgets")
    }

    #[test]
    fn words_alone_joined_repeated_and_reversed_are_derived() {
        for text in [
            "acmeacmeacmeacme",
            "mina.katz@acme-widgets",
            "Mina-Katz_Mina Katz",
            "minakatzminakatz",
            "ztakanimztakanim",
            "animzoeanimzoeanim",
            "katzminaacmewidgets",
            "M I N A  K A T Z !!!",
        ] {
            assert!(mina().make_up(text), "{text}");
        }
    }

    #[test]
    fn digits_years_and_punctuation_do_not_hide_a_word() {
        for text in [
            "acme20252025202",
            "1986-mina-katz-!",
            "!!!minakatz1986!!!",
            "mina1986katz1986",
            "(katz)86(katz)86",
        ] {
            assert!(mina().make_up(text), "{text}");
        }
    }

    #[test]
    fn lookalike_symbols_do_not_hide_a_word() {
        for text in [
            "m1n@k4tzm!nak@7z",
            "4cm3w1dg3t5!!!!",
            "@CME@CME@CME@CME",
            "k@+zk@+zk@+zk@+z",
        ] {
            assert!(mina().make_up(text), "{text}");
        }
    }

    #[test]
    fn accents_do_not_hide_a_word() {
        assert!(mina().make_up("zoëzoëzoëzoëzoë"));
        assert!(mina().make_up("zoezoezoezoezoe"));
        assert!(
            PersonalWords::default()
                .with_text("김민수")
                .make_up("김민수김민수김민수2024")
        );
    }

    #[test]
    fn a_phone_number_is_derived_with_and_without_its_calling_code() {
        for text in [
            "15551234567 1986",
            "0055512345670000",
            "76543215551",
            "mina15551234567",
        ] {
            assert!(mina().make_up(text), "{text}");
        }
    }

    #[test]
    fn a_password_that_merely_contains_a_word_is_not_derived() {
        for text in [
            "mina likes marmalade",
            "correct acme battery",
            "xacmeacmeacmeacme",
            "katzenjammer kids",
        ] {
            assert!(!mina().make_up(text), "{text}");
        }
    }

    #[test]
    fn digits_that_look_like_a_word_are_digits() {
        let words = PersonalWords::default().with_text("Bob Al");
        assert!(!words.make_up("808 41 808 41 808"));
    }

    #[test]
    fn a_short_number_in_an_address_does_not_forbid_its_digits() {
        let words = PersonalWords::default().with_text("mina@1986.example");
        assert!(!words.make_up("739198650274618"));
    }

    #[test]
    fn without_words_nothing_is_derived() {
        for text in ["", "15551234567", "....", "minakatz"] {
            assert!(!PersonalWords::default().make_up(text), "{text}");
        }
    }

    #[test]
    fn debug_output_does_not_hold_the_words() {
        let shown = format!("{:?}", mina());
        assert!(!shown.contains("mina") && !shown.contains("555"), "{shown}");
    }
}
