//! Passwords typed by running a finger along something: keyboards, the alphabet, the digits.

/// The shortest walk that counts: no policy accepts shorter passwords.
const SHORTEST: usize = super::Policy::LOWEST_MIN_LENGTH;

/// What fingers run along, in one direction.
const PATHS: [&str; 23] = [
    "abcdefghijklmnopqrstuvwxyz",
    "a1b2c3d4e5f6g7h8i9j0",
    "1a2b3c4d5e6f7g8h9i0j",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertyuiop[]asdfghjkl;'zxcvbnm,./",
    "qwertzuiopasdfghjklyxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
    "1234567890qwertyuiop",
    "qwertyuiop1234567890",
    "q1w2e3r4t5y6u7i8o9p0",
    "1q2w3e4r5t6y7u8i9o0p",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
    "zaq1xsw2cde3vfr4bgt5nhy6mju7",
    "1qazxsw23edcvfr45tgbnhy67ujm",
    "!qaz@wsx#edc$rfv%tgb^yhn&ujm",
    "qazwsxedcrfvtgbyhnujm",
    "zaqxswcdevfrbgtnhymju",
    "qweasdzxcrtyfghvbnuiojklm",
    "1!2@3#4$5%6^7&8*9(0)",
    "!@#$%^&*()_+1234567890-=",
    "00112233445566778899",
    "000111222333444555666777888999",
    "0000111122223333444455556666777788889999",
];

/// What is typed over and over.
const CYCLES: [&str; 46] = [
    "0123456789",
    "1234567890",
    "abc",
    "abcd",
    "abc123",
    "123abc",
    "a1b2c3",
    "1a2b3c",
    "a1",
    "1a",
    "1q",
    "q1",
    "qw",
    "as",
    "zx",
    "qaz",
    "wsx",
    "1qaz",
    "qazwsx",
    "1qaz2wsx",
    "qwe",
    "asd",
    "zxc",
    "qweasd",
    "qweasdzxc",
    "123qwe",
    "qwe123",
    "1q2w3e",
    "q1w2e3",
    "qwer",
    "asdf",
    "zxcv",
    "1234qwer",
    "qwerty",
    "asdfgh",
    "zxcvbn",
    "azerty",
    "qwertz",
    "1122",
    "112233",
    "147258369",
    "159357",
    "789456123",
    "741852963",
    "102030",
    "131313",
];

/// Whether the whole text is such a walk, of any length: a stretch of a path, or rounds of a cycle
/// broken off anywhere.
pub(super) fn is_walk(text: &str) -> bool {
    text.len() >= SHORTEST
        && (paths().any(|path| path.contains(text))
            || cycles().any(|cycle| goes_around(text, &cycle)))
}

/// Every walk of up to this many characters, some of them more than once.
pub(super) fn walks(longest: usize) -> impl Iterator<Item = String> {
    let stretches = paths().flat_map(move |path| stretches(&path, longest));
    stretches.chain(cycles().flat_map(move |cycle| rounds(&cycle, longest)))
}

fn paths() -> impl Iterator<Item = String> {
    PATHS.into_iter().flat_map(both_ways)
}

/// The cycles above, every letter and digit, every pair of digits and every count up from one.
fn cycles() -> impl Iterator<Item = String> {
    let letters_and_digits = ('a'..='z').chain('0'..='9').map(String::from);
    let pairs = (0..100).map(|n| format!("{n:02}"));
    let counts = (2..=9).map(|n| "123456789"[..n].to_owned());
    let named = CYCLES.into_iter().map(str::to_owned);
    named
        .chain(letters_and_digits)
        .chain(pairs)
        .chain(counts)
        .flat_map(|cycle| both_ways(&cycle))
}

fn both_ways(path: &str) -> [String; 2] {
    [path.to_owned(), path.chars().rev().collect()]
}

fn goes_around(text: &str, cycle: &str) -> bool {
    text.chars()
        .zip(cycle.chars().cycle())
        .all(|(typed, key)| typed == key)
}

fn stretches(path: &str, longest: usize) -> Vec<String> {
    let keys: Vec<char> = path.chars().collect();
    (SHORTEST..=longest)
        .flat_map(|length| keys.windows(length).map(String::from_iter))
        .collect()
}

fn rounds(cycle: &str, longest: usize) -> Vec<String> {
    (SHORTEST..=longest)
        .map(|length| cycle.chars().cycle().take(length).collect())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn walks_go_along_rows_columns_and_layouts_in_both_directions() {
        for text in [
            "qwertyuiopasdfg",
            "mnbvcxzlkjhgfdsa",
            "1qaz2wsx3edc4rfv",
            "zaq1xsw2cde3vfr4",
            "qwertzuiopasdfgh",
            "azertyuiopqsdfgh",
            "q1w2e3r4t5y6u7i8",
            "abcdefghijklmno",
            "zyxwvutsrqponml",
        ] {
            assert!(is_walk(text), "{text}");
        }
    }

    #[test]
    fn walks_go_around_for_as_long_as_it_takes() {
        for text in [
            "123456789012345",
            "987654321098765",
            "aaaaaaaaaaaaaaa",
            "121212121212121",
            "abc123abc123abc",
            &"1234567890".repeat(25),
        ] {
            assert!(is_walk(text), "{text}");
        }
    }

    #[test]
    fn a_step_aside_is_no_walk() {
        for text in [
            "qwertyuiopasdfh",
            "123456789012346",
            "aaaaaaaaaaaaaab",
            "aaaaaaa",
            "",
        ] {
            assert!(!is_walk(text), "{text}");
        }
    }

    #[test]
    fn every_listed_walk_is_a_walk() {
        assert!(walks(20).all(|walk| is_walk(&walk)));
    }
}
