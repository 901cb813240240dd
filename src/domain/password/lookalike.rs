//! Symbols written for the letters they look like: `p@55w0rd`.

/// Each letter with the symbols people write for it. These are the readings zxcvbn knows too.
pub(super) const LOOKALIKES: [(char, &str); 12] = [
    ('a', "4@"),
    ('b', "8"),
    ('c', "({[<"),
    ('e', "3"),
    ('g', "69"),
    ('i', "1!|"),
    ('l', "1|7"),
    ('o', "0"),
    ('s', "$5"),
    ('t', "+7"),
    ('x', "%"),
    ('z', "2"),
];

/// Whether the symbol stands for some letter.
pub(super) fn is_lookalike(symbol: char) -> bool {
    LOOKALIKES
        .iter()
        .any(|(_, symbols)| symbols.contains(symbol))
}

/// Whether the symbol is the letter, or is written for it.
pub(super) fn reads_as(symbol: char, letter: char) -> bool {
    symbol == letter
        || LOOKALIKES
            .iter()
            .any(|(l, symbols)| *l == letter && symbols.contains(symbol))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_symbol_reads_as_itself_and_as_each_letter_it_looks_like() {
        for letter in ['1', 'i', 'l'] {
            assert!(reads_as('1', letter), "{letter}");
        }
        assert!(!reads_as('1', 'a'));
        assert!(!reads_as('l', '1'));
    }

    #[test]
    fn letters_and_other_punctuation_are_no_lookalikes() {
        assert!(is_lookalike('@'));
        assert!(!is_lookalike('a'));
        assert!(!is_lookalike('-'));
    }
}
