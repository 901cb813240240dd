//! Who calls, and which call it is.

use super::id::MessageId;
use std::fmt;
use std::net::IpAddr;
use thiserror::Error;

/// A calling service, by the name in its `[[callers]]` stanza.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallerName(String);

/// The text is not 1 to 64 lower-case letters, digits, `-`, `_` or `.`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be 1 to 64 lower-case letters, digits, '-', '_' or '.'")]
pub struct CallerNameUnreadable;

impl CallerName {
    /// Reads a caller's name.
    pub fn parse(text: &str) -> Result<Self, CallerNameUnreadable> {
        let allowed =
            |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_' | b'.');
        if (1..=64).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(CallerNameUnreadable)
        }
    }

    /// Relatch itself: what its workers do is done in this name.
    #[must_use]
    pub fn relatch() -> Self {
        Self("relatch".to_owned())
    }

    /// Whoever showed no valid credential: what they were refused is counted under this name.
    #[must_use]
    pub fn unknown() -> Self {
        Self("unknown".to_owned())
    }

    /// Whoever tries a demonstration out.
    #[must_use]
    pub fn demo() -> Self {
        Self("dev".to_owned())
    }

    /// The console, where it is in the same process.
    #[must_use]
    pub fn console() -> Self {
        Self("console".to_owned())
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CallerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Ties log lines, audit events and answers of one call together: the caller's `x-request-id` if it
/// sent a clean one, otherwise one of our own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CorrelationId(String);

impl CorrelationId {
    /// Takes a caller's id of 1 to 64 letters, digits, `-`, `_` or `.`; anything else is not one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        ((1..=64).contains(&text.len()) && text.bytes().all(allowed)).then(|| Self(text.to_owned()))
    }

    /// An id of our own.
    #[must_use]
    pub fn from_random(bytes: [u8; 8]) -> Self {
        Self(data_encoding::HEXLOWER.encode(&bytes))
    }

    /// The id of what a worker does with a message.
    #[must_use]
    pub fn of_message(message_id: MessageId) -> Self {
        Self(message_id.to_string())
    }

    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CorrelationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// On whose behalf something is done; every audit event says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The calling service.
    pub caller: CallerName,
    /// Which call.
    pub correlation_id: CorrelationId,
    /// The person's address, where a person is behind the call.
    pub source_ip: Option<IpAddr>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_short_and_plain() {
        assert_eq!(
            CallerName::parse("web-login.v2").unwrap().as_str(),
            "web-login.v2"
        );
        for wrong in ["", "Web", "a b", "a\n", "é", &"a".repeat(65)] {
            assert_eq!(
                CallerName::parse(wrong),
                Err(CallerNameUnreadable),
                "{wrong:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn a_correlation_id_never_breaks_a_log_line(text in ".*") {
            if let Some(id) = CorrelationId::parse(&text) {
                prop_assert!(id.as_str().bytes().all(|b| b.is_ascii_graphic()));
            }
        }
    }
}
