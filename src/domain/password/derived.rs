//! What people make of common words and phrases to reach a length.
//!
//! It names nothing of the crate: `build.rs` includes it too, to count.

use std::iter::once;

/// Common passwords and words, the most common first, in lower case.
pub(super) const WORDS: &str = include_str!("common_words.txt");
/// Well-known phrases, in lower case, with spaces.
pub(super) const PHRASES: &str = include_str!("common_phrases.txt");

/// How many of the words are also joined in pairs.
const JOINED_WORDS: usize = 40;
/// What is added to make a password longer.
const ENDINGS: [&str; 8] = [
    "1",
    "12",
    "123",
    "1234",
    "12345",
    "123456",
    "123456789",
    "!",
];

/// Every one of them, in lower case and of any length, some more than once.
pub(super) fn entries() -> impl Iterator<Item = String> {
    words().chain(pairs()).chain(phrases())
}

/// Each word alone, with an ending, and repeated.
fn words() -> impl Iterator<Item = String> {
    WORDS.lines().flat_map(|word| {
        let ended = ENDINGS.map(|ending| format!("{word}{ending}"));
        let repeated = [
            word.repeat(2),
            word.repeat(3),
            word.repeat(4),
            format!("{word} {word}"),
        ];
        once(word.to_owned()).chain(ended).chain(repeated)
    })
}

/// Two different words of the most common ones.
fn pairs() -> impl Iterator<Item = String> {
    let words = || WORDS.lines().take(JOINED_WORDS);
    words().flat_map(move |first| {
        words()
            .filter(move |second| *second != first)
            .map(move |second| format!("{first}{second}"))
    })
}

/// Each phrase with and without its spaces, and with an ending.
fn phrases() -> impl Iterator<Item = String> {
    PHRASES.lines().flat_map(|phrase| {
        ["", "1", "123", "!"].into_iter().flat_map(move |ending| {
            [
                format!("{phrase}{ending}"),
                format!("{}{ending}", phrase.replace(' ', "")),
            ]
        })
    })
}
