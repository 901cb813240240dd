//! Passwords to be judged, made by few rules, and what is right about each or wrong.

use data_encoding::BASE64_NOPAD;
use sha2::{Digest as _, Sha256};
use std::ops::RangeInclusive;

/// The person's name; the other words that belong to them are in [`EMAIL`] and [`PHONE`].
pub(super) const NAME: &str = "Marguerite Thibodeaux";
pub(super) const EMAIL: &str = "mthibodeaux@lavender.example";
pub(super) const PHONE: &str = "+14155550172";

/// A password, and the rule that it must break; `None` is none at all.
pub(super) struct Case {
    pub(super) password: String,
    pub(super) breaks: Option<&'static str>,
}

/// The passwords that the breach file lists: composed ones, for people's keyboards may decompose them.
pub(super) fn breached() -> Vec<String> {
    let plain = (0..6).map(|number| format!("breached {}", drawn(number, 16)));
    let spaced = (0..3).map(|number| format!("caf\u{e9} {}", drawn(30 + number, 16)));
    plain.chain(spaced).collect()
}

/// Every case.
pub(super) fn all() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut add = |breaks, passwords: Vec<String>| {
        let of = |password| Case { password, breaks };
        cases.extend(passwords.into_iter().map(of));
    };
    // Code points, and bytes.
    add(Some("TOO_SHORT"), lengths(0..=14, LATIN));
    add(None, lengths(15..=40, LATIN));
    add(None, lengths(250..=256, LATIN));
    add(Some("TOO_LONG"), lengths(257..=262, LATIN));
    add(Some("TOO_LONG"), lengths(1_023..=1_025, LATIN));
    for script in SCRIPTS {
        add(Some("TOO_SHORT"), lengths(14..=14, script));
        add(None, lengths(15..=15, script));
        add(None, lengths(256..=256, script));
        add(Some("TOO_LONG"), lengths(257..=257, script));
    }
    // What is counted is the normal form, and what is received has at most 1,024 bytes.
    add(
        Some("TOO_SHORT"),
        lengths(14..=14, SYLLABLES)
            .iter()
            .map(|text| jamo(text))
            .collect(),
    );
    for length in [15, 60, 113] {
        add(
            None,
            lengths(length..=length, SYLLABLES)
                .iter()
                .map(|text| jamo(text))
                .collect(),
        );
    }
    add(
        Some("TOO_LONG"),
        lengths(114..=116, SYLLABLES)
            .iter()
            .map(|text| jamo(text))
            .collect(),
    );
    add(None, vec![jamo_and(113, 7)]);
    add(Some("TOO_LONG"), vec![jamo_and(113, 8)]);
    let accented = |letters: usize| drawn(70, letters - 1) + "e\u{301}";
    add(Some("TOO_SHORT"), vec![accented(14)]);
    add(None, vec![accented(15), accented(256)]);
    add(Some("TOO_LONG"), vec![accented(257)]);
    // Spaces of every kind are one, and count.
    add(None, SPACES.map(|space| with(space, 7)).into());
    add(Some("TOO_SHORT"), SPACES.map(|space| with(space, 6)).into());
    // Every character may be used that Unicode has assigned.
    add(None, CONTROLS.map(|control| with(control, 7)).into());
    add(
        None,
        vec![
            format!("\0{}", drawn(80, 14)),
            format!("{}\0", drawn(81, 14)),
        ],
    );
    add(
        Some("TOO_SHORT"),
        CONTROLS.map(|control| with(control, 6)).into(),
    );
    add(
        None,
        ['\u{e000}', '\u{fffd}', '\u{200d}']
            .map(|strange| with(strange, 7))
            .into(),
    );
    add(
        Some("UNASSIGNED"),
        UNASSIGNED.map(|nobodys| with(nobodys, 7)).into(),
    );
    // Words of the person and of the service.
    add(Some("CONTEXT"), derived());
    // Listed, and listed elsewhere.
    add(Some("COMMON"), COMMON.map(str::to_owned).into());
    add(Some("COMMON"), COMMON.map(str::to_uppercase).into());
    add(Some("BREACHED"), breached());
    add(
        Some("BREACHED"),
        breached()
            .iter()
            .map(|text| typed_elsewhere(text))
            .collect(),
    );
    add(
        None,
        breached().iter().map(|text| text.to_uppercase()).collect(),
    );
    add(
        Some("TOO_WEAK"),
        ["a", "ab", "xyzzy"]
            .map(|text| text.repeat(20 / text.len()))
            .into(),
    );
    cases
}

/// The first and the number of the characters of a script that are drawn from.
type Script = (char, u32);

const LATIN: Script = ('a', 26);
const SYLLABLES: Script = ('\u{ac00}', 11_172);
/// Letters of two and three bytes, ideographs, emoji of four.
const SCRIPTS: [Script; 7] = [
    ('\u{3b1}', 17),
    ('\u{430}', 32),
    ('\u{5d0}', 27),
    ('\u{e01}', 46),
    ('\u{4e00}', 20_000),
    SYLLABLES,
    ('\u{1f600}', 64),
];
const SPACES: [char; 8] = [
    ' ', '\u{a0}', '\u{1680}', '\u{2003}', '\u{2009}', '\u{202f}', '\u{205f}', '\u{3000}',
];
const CONTROLS: [char; 5] = ['\0', '\t', '\n', '\u{7f}', '\u{85}'];
const UNASSIGNED: [char; 5] = ['\u{378}', '\u{530}', '\u{fdd0}', '\u{ffff}', '\u{10ffff}'];
const COMMON: [&str; 8] = [
    "passwordpassword",
    "monkeymonkeymonkey",
    "qwertyuiopasdfgh",
    "iloveyouiloveyou",
    "correcthorsebatterystaple",
    "123456789012345",
    "1q2w3e4r5t6y7u8i",
    "aaaaaaaaaaaaaaaa",
];

/// A text of each length.
fn lengths(lengths: RangeInclusive<usize>, script: Script) -> Vec<String> {
    let (first, many) = (u32::from(script.0), script.1);
    lengths
        .map(|length| {
            let numbers = numbers(length).take(length);
            let letters = numbers.map(|number| char::from_u32(first + number % many));
            letters.map(Option::unwrap).collect()
        })
        .collect()
}

/// Numbers without a pattern, the same in every run.
fn numbers(seed: usize) -> impl Iterator<Item = u32> {
    (0_usize..).flat_map(move |block| {
        let digest = Sha256::digest([seed.to_be_bytes(), block.to_be_bytes()].concat());
        let words: Vec<u32> = digest
            .chunks(4)
            .map(|bytes| u32::from_be_bytes(bytes.try_into().unwrap()))
            .collect();
        words
    })
}

/// So many letters and digits without a pattern.
fn drawn(seed: usize, length: usize) -> String {
    let bytes: Vec<u8> = numbers(seed)
        .take(length)
        .flat_map(u32::to_be_bytes)
        .collect();
    let mut text = BASE64_NOPAD.encode(&bytes);
    text.truncate(length);
    text
}

/// A character between so many letters and seven: with seven it has the least length.
fn with(character: char, before: usize) -> String {
    let seed = usize::try_from(u32::from(character)).unwrap();
    format!("{}{character}{}", drawn(seed, before), drawn(seed + 1, 7))
}

/// Syllables as three letters each, as some keyboards send them: nine bytes instead of three. Some have two.
fn jamo(syllables: &str) -> String {
    let (lead, vowel, tail) = (0x1100, 0x1161, 0x11a7);
    let letters = |syllable: char| {
        // One with all three letters, near the one that was drawn.
        let number = (u32::from(syllable) - 0xac00) / 28 * 28 + 1 + u32::from(syllable) % 27;
        [
            lead + number / 588,
            vowel + number % 588 / 28,
            tail + number % 28,
        ]
        .map(char::from_u32)
    };
    syllables
        .chars()
        .flat_map(letters)
        .map(Option::unwrap)
        .collect()
}

/// So many syllables of nine bytes, and so many letters of one.
fn jamo_and(syllables: usize, letters: usize) -> String {
    jamo(&lengths(syllables..=syllables, SYLLABLES)[0]) + &drawn(90, letters)
}

/// A text as another keyboard sends it.
fn typed_elsewhere(text: &str) -> String {
    text.replace(' ', "\u{a0}").replace('\u{e9}', "e\u{301}")
}

/// What whoever knows the person or the service tries first.
fn derived() -> Vec<String> {
    let words = [
        "marguerite",
        "thibodeaux",
        "mthibodeaux",
        "lavender",
        "relatch",
    ];
    let pairs = words.iter().zip(words.iter().cycle().skip(1));
    let joined = pairs.flat_map(|(one, other)| {
        [
            format!("{one}{other}"),
            format!("{other} {one} 1987"),
            format!("{one}-{other}").to_uppercase(),
        ]
    });
    let repeated = words.iter().map(|word| word.repeat(3));
    let reversed = words
        .iter()
        .map(|word| word.repeat(2).chars().rev().collect());
    joined
        .chain(repeated)
        .chain(reversed.filter(|text: &String| text.len() >= 15))
        .collect()
}
