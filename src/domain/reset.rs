//! The rules of resets.

use super::time::Timestamp;
use std::time::Duration;
use thiserror::Error;

/// Longest life of a link sent by email: SP 800-63B-4 §4.2.1.2 allows 24 h.
pub const EMAIL_LIFETIME_MAX: Duration = Duration::from_hours(24);

/// How many links of an account may live at a time; a further request sends the newest again.
pub const LIVE_LINKS: u32 = 3;

/// How long the link of an email lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkLifetime(Duration);

/// The lifetime is zero or over 24 hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be between 1 minute and 24 hours (SP 800-63B-4 §4.2.1.2)")]
pub struct LifetimeRefused;

impl LinkLifetime {
    /// A lifetime of one minute to 24 hours.
    pub fn new(lifetime: Duration) -> Result<Self, LifetimeRefused> {
        if (Duration::from_mins(1)..=EMAIL_LIFETIME_MAX).contains(&lifetime) {
            Ok(Self(lifetime))
        } else {
            Err(LifetimeRefused)
        }
    }

    /// The span.
    #[must_use]
    pub const fn get(self) -> Duration {
        self.0
    }

    /// When a link taken in at `accepted_at` dies.
    #[must_use]
    pub fn expiry(self, accepted_at: Timestamp) -> Timestamp {
        accepted_at.plus(self.0)
    }
}

/// Thirty minutes.
impl Default for LinkLifetime {
    fn default() -> Self {
        Self(Duration::from_mins(30))
    }
}

/// Who asked for a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Somebody who typed the address, at sign-in.
    Forgotten,
    /// The signed-in person, from their profile.
    Profile,
}

impl Origin {
    /// The number that stands for the origin in the store.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Forgotten => 1,
            Self::Profile => 2,
        }
    }

    /// The origin of this number.
    #[must_use]
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Forgotten),
            2 => Some(Self::Profile),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lifetime_stays_within_what_nist_allows() {
        assert_eq!(LinkLifetime::default().get(), Duration::from_mins(30));
        assert!(LinkLifetime::new(EMAIL_LIFETIME_MAX).is_ok());
        assert_eq!(
            LinkLifetime::new(EMAIL_LIFETIME_MAX + Duration::from_secs(1)),
            Err(LifetimeRefused)
        );
        assert_eq!(LinkLifetime::new(Duration::ZERO), Err(LifetimeRefused));
    }
}
