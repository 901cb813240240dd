//! Moments in time.

use std::fmt;
use std::time::Duration;

/// A moment, in microseconds since 1970-01-01T00:00:00Z.
///
/// Microseconds are what every backend keeps exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The moment `micros` microseconds after the epoch.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the epoch.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// This moment, `span` later; saturates at the end of time.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(micros(span)))
    }

    /// This moment, `span` earlier; saturates at the beginning of time.
    #[must_use]
    pub fn minus(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(micros(span)))
    }

    /// How long after `earlier` this moment is; zero when it is not after it.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// The full minute this moment lies in.
    #[must_use]
    pub fn minute(self) -> Self {
        Self(self.0 - self.0.rem_euclid(60_000_000))
    }
}

/// RFC 3339 in UTC, as logs and people read it.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(moment) => write!(f, "{moment}"),
            Err(_) => write!(f, "{} µs", self.0),
        }
    }
}

/// A span in whole microseconds; saturates.
#[must_use]
pub fn micros(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_saturates_instead_of_wrapping() {
        let end = Timestamp::from_micros(i64::MAX);
        assert_eq!(end.plus(Duration::MAX), end);
        assert_eq!(Timestamp::from_micros(5).since(end), Duration::ZERO);
    }

    #[test]
    fn a_minute_begins_at_its_first_microsecond_before_the_epoch_too() {
        assert_eq!(
            Timestamp::from_micros(61_000_000).minute().as_micros(),
            60_000_000
        );
        assert_eq!(Timestamp::from_micros(-1).minute().as_micros(), -60_000_000);
    }

    #[test]
    fn it_reads_as_rfc_3339() {
        assert_eq!(
            Timestamp::from_micros(0).to_string(),
            "1970-01-01T00:00:00Z"
        );
    }
}
