//! What can be wrong with a new password, and how it is said.

use std::borrow::Cow;

use super::Suggestion;

/// A rule a new password can break, in the order in which broken ones are reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rule {
    /// Too few code points (SP 800-63B-4 §3.1.1.2, ASVS 6.2.1).
    TooShort,
    /// Too many code points. Refused rather than cut (ASVS 6.2.9).
    TooLong,
    /// A code point that Unicode has not assigned, whose normal form could change with a later
    /// version.
    Unassigned,
    /// As a whole on the list of common passwords (ASVS 6.2.4).
    Common,
    /// As a whole in the breach file (ASVS 6.2.12).
    Breached,
    /// As a whole made of words of the account or the service (ASVS 6.2.11).
    Context,
    /// Too easily guessed, by zxcvbn's estimate.
    Weak,
}

impl Rule {
    /// Every rule, in the order of reporting.
    pub const ALL: [Self; 7] = [
        Self::TooShort,
        Self::TooLong,
        Self::Unassigned,
        Self::Common,
        Self::Breached,
        Self::Context,
        Self::Weak,
    ];

    /// The name other software knows the rule by.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TooShort => "TOO_SHORT",
            Self::TooLong => "TOO_LONG",
            Self::Unassigned => "UNASSIGNED",
            Self::Common => "COMMON",
            Self::Breached => "BREACHED",
            Self::Context => "CONTEXT",
            Self::Weak => "TOO_WEAK",
        }
    }
}

/// One broken rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which rule.
    pub rule: Rule,
    /// What to do about it, in English, with the policy's own numbers. Holds nothing of the
    /// password.
    pub description: Cow<'static, str>,
}

/// What the policy makes of a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// Every broken rule, in the order of [`Rule::ALL`]. Empty: the password is accepted.
    pub violations: Vec<Violation>,
    /// zxcvbn's score: 0 (guessed within a thousand tries) to 4 (not within ten thousand million).
    pub score: u8,
    /// What would make the password harder to guess.
    pub suggestions: Vec<Suggestion>,
}

impl Judgement {
    /// Whether the password may be set.
    #[must_use]
    pub fn accepts(&self) -> bool {
        self.violations.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_are_the_published_ones_in_the_published_order() {
        let names = Rule::ALL.map(Rule::name);
        assert_eq!(
            names,
            [
                "TOO_SHORT",
                "TOO_LONG",
                "UNASSIGNED",
                "COMMON",
                "BREACHED",
                "CONTEXT",
                "TOO_WEAK"
            ]
        );
    }
}
