//! Spans of time as people write them.

use jiff::SignedDuration;
use std::time::Duration;
use thiserror::Error;

/// The text is not a span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(r#"must be a span of time such as "90s", "30m" or "1h 30m""#)]
pub struct SpanUnreadable;

/// Reads `90s`, `30m`, `1h 30m` or the same in words (`30 minutes`); the longest unit is the hour,
/// since days have no fixed length.
pub(super) fn span(text: &str) -> Result<Duration, SpanUnreadable> {
    let span: SignedDuration = text.parse().map_err(|_| SpanUnreadable)?;
    span.try_into().map_err(|_| SpanUnreadable)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn spans_are_read_as_people_write_them() {
        for (text, seconds) in [
            ("90s", 90),
            ("30m", 1_800),
            ("30 minutes", 1_800),
            ("1h 30m", 5_400),
            ("1h30m", 5_400),
            ("24h", 86_400),
        ] {
            assert_eq!(span(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
    }

    #[test]
    fn what_has_no_unit_no_fixed_length_or_a_minus_is_refused() {
        for text in ["", "30", "1 day", "1 month", "-30m", "30m ago", "m", "soon"] {
            assert_eq!(span(text), Err(SpanUnreadable), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_without_a_panic(text in ".{0,30}|[0-9]{1,25}[hms]") {
            let _ = span(&text);
        }
    }
}
