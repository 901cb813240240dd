//! Recovery codes: what stands in, once, for a second factor that is not at hand.
//!
//! A code is 128 bits, written in Crockford's Base32, which has no letters that are taken for one another:
//! `28T5C-Y4TQK-FF03Z-DSEMR-ESA344`. Upper and lower case, hyphens and spaces make no difference.

use data_encoding::{Encoding, Specification, Translate};
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::sync::LazyLock;
use zeroize::Zeroizing;

/// How many codes a person is given at a time.
pub const CODES: usize = 10;

/// Length of a code, in bytes.
pub const CODE_LENGTH: usize = 16;

/// Characters of a code, hyphens apart.
const CHARACTERS: usize = 26;

/// A code's text is as long as this at the most, however it is typed.
const TYPED_LENGTH: usize = 64;

#[expect(clippy::expect_used, reason = "a test encodes with it")]
static CROCKFORD: LazyLock<Encoding> = LazyLock::new(|| {
    let specification = Specification {
        symbols: "0123456789ABCDEFGHJKMNPQRSTVWXYZ".to_owned(),
        ignore: "- ".to_owned(),
        translate: Translate {
            from: "abcdefghjkmnpqrstvwxyzOoIiLl".to_owned(),
            to: "ABCDEFGHJKMNPQRSTVWXYZ001111".to_owned(),
        },
        ..Specification::new()
    };
    specification.encoding().expect("it is well formed")
});

/// A recovery code. Whoever has it and the password is let in: it can be shown, and neither printed nor stored.
#[derive(Clone, PartialEq, Eq)]
pub struct RecoveryCode(Zeroizing<[u8; CODE_LENGTH]>);

impl RecoveryCode {
    /// The code made of these bytes, which must come from a CSPRNG.
    #[must_use]
    pub fn from_bytes(bytes: [u8; CODE_LENGTH]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Reads a code as people type it.
    #[must_use]
    pub fn parse(typed: &str) -> Option<Self> {
        if typed.len() > TYPED_LENGTH {
            return None;
        }
        let bytes = Zeroizing::new(CROCKFORD.decode(typed.trim().as_bytes()).ok()?);
        bytes.as_slice().try_into().ok().map(Self::from_bytes)
    }

    /// The code as it is shown to its owner.
    #[must_use]
    pub fn text(&self) -> Zeroizing<String> {
        let encoded = Zeroizing::new(CROCKFORD.encode(self.0.as_slice()));
        let mut text = Zeroizing::new(String::with_capacity(CHARACTERS + 4));
        for (at, character) in encoded.chars().enumerate() {
            if (5..CHARACTERS - 1).contains(&at) && at % 5 == 0 {
                text.push('-');
            }
            text.push(character);
        }
        text
    }

    /// What is stored of it. 128 bits need no slow hash: nobody can try them all (ASVS 6.5.2).
    #[must_use]
    pub fn digest(&self) -> RecoveryCodeDigest {
        RecoveryCodeDigest(Sha256::digest(self.0.as_slice()).into())
    }
}

impl fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// A code's SHA-256: says which code it is to who has the code, and to nobody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecoveryCodeDigest([u8; 32]);

impl RecoveryCodeDigest {
    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn code() -> RecoveryCode {
        RecoveryCode::from_bytes(
            *b"\x12\x34\x56\x78\x9a\xbc\xde\xf0\x0f\xed\xcb\xa9\x87\x65\x43\x21",
        )
    }

    #[test]
    fn a_code_is_read_however_it_is_typed() {
        let text = code().text();
        assert_eq!(*text, "28T5C-Y4TQK-FF03Z-DSEMR-ESA344");
        let typed = [
            text.to_string(),
            text.to_lowercase(),
            text.replace('-', ""),
            text.replace('-', " "),
            format!("  {} ", *text),
            text.replace('0', "O").replace('1', "l"),
            text.replace('0', "o").replace('1', "I"),
        ];
        for typed in typed {
            assert_eq!(RecoveryCode::parse(&typed), Some(code()), "{typed}");
        }
    }

    #[test]
    fn nothing_else_is_a_code() {
        let text = code().text();
        let wrong = [
            String::new(),
            "123456".to_owned(),
            "123 456".to_owned(),
            text[1..].to_owned(),
            format!("{}0", *text),
            text.replacen('2', "U", 1),
            text.replacen('2', "é", 1),
            format!("{}1", &text[..text.len() - 1]),
            " ".repeat(1_000),
        ];
        for typed in wrong {
            assert_eq!(RecoveryCode::parse(&typed), None, "{typed}");
        }
    }

    #[test]
    fn a_code_is_not_printed_and_its_digest_is_its_own() {
        assert_eq!(format!("{:?}", code()), "[redacted]");
        let other = RecoveryCode::from_bytes([0; CODE_LENGTH]);
        assert_ne!(code().digest(), other.digest());
        assert_ne!(code().digest().as_bytes()[..16], *code().0);
    }

    proptest! {
        #[test]
        fn any_code_survives_its_text(bytes: [u8; CODE_LENGTH]) {
            let code = RecoveryCode::from_bytes(bytes);
            prop_assert_eq!(RecoveryCode::parse(&code.text()), Some(code));
        }

        #[test]
        fn no_text_panics(typed in ".*") {
            let _ = RecoveryCode::parse(&typed);
        }
    }
}
