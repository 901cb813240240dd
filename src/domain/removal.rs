//! Taking a second factor away from somebody who lost it.

use std::time::Duration;
use thiserror::Error;

/// How long the owner has to object before a factor is gone.
pub const REMOVAL_DELAY: Duration = Duration::from_hours(48);

/// Longest reason, in characters.
const LONGEST: usize = 200;

/// Why the support desk takes a factor away: one line for the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemovalReason(String);

/// The text is no reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be one line of 1 to 200 characters, without control characters")]
pub struct ReasonUnreadable;

impl RemovalReason {
    /// Reads a reason.
    pub fn parse(text: &str) -> Result<Self, ReasonUnreadable> {
        let reason = text.trim();
        let length = reason.chars().count();
        if !(1..=LONGEST).contains(&length) || reason.chars().any(char::is_control) {
            return Err(ReasonUnreadable);
        }
        Ok(Self(reason.to_owned()))
    }

    /// The reason.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_line_of_up_to_200_characters() {
        for (text, reason) in [
            (" lost phone ", "lost phone"),
            (&"é".repeat(200), &*"é".repeat(200)),
        ] {
            assert_eq!(RemovalReason::parse(text).unwrap().as_str(), reason);
        }
        for wrong in ["", "  ", "a\nb", &"é".repeat(201)] {
            assert_eq!(
                RemovalReason::parse(wrong),
                Err(ReasonUnreadable),
                "{wrong}"
            );
        }
    }
}
