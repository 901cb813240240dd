//! Phone numbers in E.164.

use std::fmt;
use thiserror::Error;

/// The text is not `+`, a country code and up to 15 digits in all (ITU-T E.164 §6.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be an international number such as +14155550100")]
pub struct PhoneUnreadable;

/// A phone number: `+` and 8 to 15 digits.
#[derive(Clone, PartialEq, Eq)]
pub struct Phone(String);

impl Phone {
    /// Reads a number; spaces, dots, hyphens and brackets between digits are not part of it.
    pub fn parse(typed: &str) -> Result<Self, PhoneUnreadable> {
        let number: String = typed
            .chars()
            .filter(|c| !matches!(c, ' ' | '.' | '-' | '(' | ')'))
            .collect();
        let digits = number.strip_prefix('+').ok_or(PhoneUnreadable)?;
        let well_formed = (8..=15).contains(&digits.len())
            && digits.bytes().all(|b| b.is_ascii_digit())
            && !digits.starts_with('0');
        if well_formed {
            Ok(Self(number))
        } else {
            Err(PhoneUnreadable)
        }
    }

    /// The number with its `+`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The number with all but its last two digits hidden: `+*********00`.
    #[must_use]
    pub fn masked(&self) -> String {
        let shown = self.0.len() - 2;
        format!("+{}{}", "*".repeat(shown - 1), &self.0[shown..])
    }
}

/// Masked: a number reaches no log by accident.
impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Phone({})", self.masked())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn separators_are_dropped_and_nothing_else() {
        assert_eq!(
            Phone::parse("+1 (415) 555-0100").unwrap().as_str(),
            "+14155550100"
        );
        for wrong in [
            "",
            "+",
            "14155550100",
            "+1415",
            "+0155550100",
            "+1415555010x",
            "+1234567890123456",
            "+４１５５５５０１００",
        ] {
            assert_eq!(Phone::parse(wrong), Err(PhoneUnreadable), "{wrong}");
        }
    }

    #[test]
    fn masked_shows_the_last_two_digits() {
        assert_eq!(
            Phone::parse("+14155550123").unwrap().masked(),
            "+*********23"
        );
    }

    proptest! {
        #[test]
        fn no_text_panics(typed in ".*") {
            if let Ok(phone) = Phone::parse(&typed) {
                prop_assert_eq!(phone.masked().len(), phone.as_str().len());
            }
        }
    }
}
