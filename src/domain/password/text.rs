//! A password as text: the one form in which it is both set and verified.

use std::{fmt, sync::Arc};

use sha1::{Digest as _, Sha1};
use thiserror::Error;
use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};
use zeroize::Zeroizing;

use super::SHA1_BYTES;

/// The most bytes of UTF-8 a password may have, as received and again after normalisation: room for
/// 256 code points of four bytes each.
pub const MAX_BYTES: usize = 1_024;

/// A password somebody typed, in the form in which it is judged, hashed and verified.
///
/// That form is Unicode NFC with every space separator turned into U+0020, so that another keyboard
/// or operating system still types the same password (SP 800-63B-4 §3.1.1.2; the mapping rules are
/// those of RFC 8265 §4.2). Nothing is trimmed, truncated or case-folded, and characters that
/// merely look alike stay different.
///
/// Clones share one buffer, which is wiped when the last of them goes. There is no `Display`, no
/// comparison and no serialisation, and `Debug` prints `[redacted]`.
#[derive(Clone)]
pub struct Password(Arc<Forms>);

struct Forms {
    normal: Zeroizing<String>,
    /// As it was typed, where that is another text.
    typed: Option<Zeroizing<String>>,
}

/// Why a text cannot be a password at all, whatever the policy says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PasswordUnreadable {
    /// There is nothing in it.
    #[error("the password is empty")]
    Empty,
    /// It has more than [`MAX_BYTES`] bytes, as received or after normalisation.
    #[error("the password is longer than {MAX_BYTES} bytes")]
    TooLong,
}

impl Password {
    /// Stands in for a password that cannot be read, so that checking it costs what any other costs.
    /// No account has it: the policy refuses unassigned code points.
    #[must_use]
    pub fn nobodys() -> Self {
        Self(Arc::new(Forms {
            normal: Zeroizing::new("\u{378}".to_owned()),
            typed: None,
        }))
    }

    /// Reads a password. Takes the text over, so that what was received is wiped too.
    pub fn parse(received: impl Into<String>) -> Result<Self, PasswordUnreadable> {
        let received = Zeroizing::new(received.into());
        if received.is_empty() {
            return Err(PasswordUnreadable::Empty);
        }
        if received.len() > MAX_BYTES {
            return Err(PasswordUnreadable::TooLong);
        }
        // Allocated in full at once: a buffer that grew would leave pieces of the password behind.
        let mut text = Zeroizing::new(String::with_capacity(MAX_BYTES));
        for c in received.chars().map(plain_space).nfc() {
            if text.len() + c.len_utf8() > MAX_BYTES {
                return Err(PasswordUnreadable::TooLong);
            }
            text.push(c);
        }
        Ok(Self(Arc::new(Forms {
            typed: (*text != *received).then_some(received),
            normal: text,
        })))
    }

    /// What is hashed. U+0000 is a character like any other.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.normal.as_bytes()
    }

    /// What another system may have hashed: the text as it was typed, then the form in which it is
    /// hashed here, where that is another one.
    pub fn spellings(&self) -> impl Iterator<Item = &[u8]> {
        let typed = self.0.typed.iter().map(|typed| typed.as_bytes());
        typed.chain([self.as_bytes()])
    }

    /// The hash by which lists of breaches name it: SHA-1, unsalted, of what is hashed otherwise. A
    /// list that was made of another normal form has it under another hash.
    #[must_use]
    pub fn sha1(&self) -> Zeroizing<[u8; SHA1_BYTES]> {
        Zeroizing::new(Sha1::digest(self.as_bytes()).into())
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0.normal
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

fn plain_space(c: char) -> char {
    if c.general_category() == GeneralCategory::SpaceSeparator {
        ' '
    } else {
        c
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> String {
        Password::parse(text).unwrap().as_str().to_owned()
    }

    #[test]
    fn composed_and_decomposed_text_is_one_password() {
        assert_eq!(read("caf\u{e9}"), read("cafe\u{301}"));
        assert_eq!(read("\u{ac00}"), read("\u{1100}\u{1161}"));
    }

    #[test]
    fn another_systems_spelling_is_the_typed_one_or_ours() {
        let spellings = |text: &str| {
            let password = Password::parse(text).unwrap();
            password.spellings().map(<[u8]>::to_vec).collect::<Vec<_>>()
        };
        assert_eq!(spellings("caf\u{e9}"), ["caf\u{e9}".as_bytes()]);
        assert_eq!(
            spellings("cafe\u{301}"),
            ["cafe\u{301}".as_bytes(), "caf\u{e9}".as_bytes()]
        );
    }

    #[test]
    fn every_space_separator_is_a_space() {
        for space in
            "\u{a0}\u{1680}\u{2000}\u{2001}\u{2007}\u{200a}\u{202f}\u{205f}\u{3000}".chars()
        {
            assert_eq!(read(&format!("a{space}b")), "a b", "{space:?}");
        }
    }

    #[test]
    fn characters_that_look_alike_stay_different() {
        assert_ne!(read("\u{fb01}"), read("fi"));
        assert_ne!(read("\u{ff21}"), read("A"));
        assert_ne!(read("a\u{ad}"), read("a"));
        assert_ne!(read("a\tb"), read("a b"));
    }

    #[test]
    fn nothing_is_trimmed_folded_or_cut() {
        assert_eq!(read("  Spaces Around \0\n"), "  Spaces Around \0\n");
    }

    #[test]
    fn a_password_of_1024_bytes_is_read_and_one_of_1025_is_not() {
        assert_eq!(read(&"a".repeat(MAX_BYTES)).len(), MAX_BYTES);
        let refused = Password::parse("a".repeat(MAX_BYTES + 1));
        assert_eq!(refused.unwrap_err(), PasswordUnreadable::TooLong);
    }

    #[test]
    fn the_bound_holds_again_after_normalisation() {
        // U+0958 is excluded from composition: three bytes become six.
        let grows = "\u{958}".repeat(MAX_BYTES / 3);
        assert!(grows.len() <= MAX_BYTES);
        assert_eq!(
            Password::parse(grows).unwrap_err(),
            PasswordUnreadable::TooLong
        );
    }

    #[test]
    fn no_text_is_no_password() {
        assert_eq!(Password::parse("").unwrap_err(), PasswordUnreadable::Empty);
    }

    #[test]
    fn it_has_the_hash_that_the_public_lists_have() {
        // sha1sum; "password" is the example of the API's documentation.
        for (text, hash) in [
            ("password", "5baa61e4c9b93f3f0682250b6cf8331b7ee68fd8"),
            ("caf\u{e9}", "f424452a9673918c6f09b0cdd35b20be8e6ae7d7"),
            ("cafe\u{301}", "f424452a9673918c6f09b0cdd35b20be8e6ae7d7"),
        ] {
            let sha1 = Password::parse(text).unwrap().sha1();
            assert_eq!(data_encoding::HEXLOWER.encode(&*sha1), hash, "{text}");
        }
    }

    #[test]
    fn debug_output_does_not_hold_the_password() {
        let password = Password::parse("canary-of-the-debug-output").unwrap();
        assert_eq!(
            format!("{password:?} {:#?}", Some(&password)),
            "[redacted] Some(\n    [redacted],\n)"
        );
    }

    #[test]
    fn clones_share_one_buffer() {
        let password = Password::parse("shared and wiped once").unwrap();
        assert!(Arc::ptr_eq(&password.0, &password.clone().0));
    }

    proptest! {
        #[test]
        fn reading_what_was_read_changes_nothing(text in any::<String>()) {
            if let Ok(once) = Password::parse(text) {
                let twice = Password::parse(once.as_str()).unwrap();
                prop_assert_eq!(once.as_bytes(), twice.as_bytes());
            }
        }

        #[test]
        fn both_normal_forms_read_the_same(text in "\\PC{1,100}") {
            let composed = Password::parse(text.nfc().collect::<String>());
            let decomposed = Password::parse(text.nfd().collect::<String>());
            if let (Ok(composed), Ok(decomposed)) = (composed, decomposed) {
                prop_assert_eq!(composed.as_bytes(), decomposed.as_bytes());
            }
        }
    }
}
