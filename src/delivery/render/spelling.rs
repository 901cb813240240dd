//! Times and spans in the words of a language.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::Offset;

const ENGLISH_MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

const GERMAN_MONTHS: [&str; 12] = [
    "Januar",
    "Februar",
    "März",
    "April",
    "Mai",
    "Juni",
    "Juli",
    "August",
    "September",
    "Oktober",
    "November",
    "Dezember",
];

/// How a language writes times and spans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spelling {
    English,
    German,
    /// ISO 8601 and SI symbols, which every language an operator may add can live with.
    Neutral,
}

impl Spelling {
    /// The spelling of a language tag, which its first subtag decides.
    pub(super) fn of(tag: &str) -> Self {
        match tag.split('-').next() {
            Some("en") => Self::English,
            Some("de") => Self::German,
            _ => Self::Neutral,
        }
    }

    /// A point in time to the minute, rounded down, in UTC and saying so.
    pub(super) fn moment(self, at: Timestamp) -> String {
        let at = Offset::UTC.to_datetime(at);
        let (year, day) = (at.year(), at.day());
        let clock = format!("{:02}:{:02} UTC", at.hour(), at.minute());
        // Months count from 1 to 12.
        let month = usize::from(at.month().unsigned_abs()) - 1;
        match self {
            Self::English => format!("{clock} on {day} {} {year}", ENGLISH_MONTHS[month]),
            Self::German => format!("{clock} am {day}. {} {year}", GERMAN_MONTHS[month]),
            Self::Neutral => format!("{year:04}-{:02}-{day:02} {clock}", at.month()),
        }
    }

    /// A span in the largest unit that states it in full seconds exactly.
    pub(super) fn span(self, span: Duration) -> String {
        let ([hour, minute, second], plural) = match self {
            Self::English => (["hour", "minute", "second"], "s"),
            Self::German => (["Stunde", "Minute", "Sekunde"], "n"),
            Self::Neutral => (["h", "min", "s"], ""),
        };
        let (count, unit) = match span.as_secs() {
            seconds if seconds % 3600 == 0 => (seconds / 3600, hour),
            seconds if seconds % 60 == 0 => (seconds / 60, minute),
            seconds => (seconds, second),
        };
        let plural = if count == 1 { "" } else { plural };
        format!("{count} {unit}{plural}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_spelled_in_each_language() {
        let at = "2026-11-23T14:32:59.999Z".parse().unwrap();
        assert_eq!(
            Spelling::English.moment(at),
            "14:32 UTC on 23 November 2026"
        );
        assert_eq!(
            Spelling::German.moment(at),
            "14:32 UTC am 23. November 2026"
        );
        assert_eq!(Spelling::Neutral.moment(at), "2026-11-23 14:32 UTC");
    }

    #[test]
    fn every_month_has_its_name() {
        for (month, english, german) in [
            ("01", "January", "Januar"),
            ("03", "March", "März"),
            ("05", "May", "Mai"),
            ("10", "October", "Oktober"),
            ("12", "December", "Dezember"),
        ] {
            let at = format!("2027-{month}-01T00:05:00Z").parse().unwrap();
            assert_eq!(
                Spelling::English.moment(at),
                format!("00:05 UTC on 1 {english} 2027")
            );
            assert_eq!(
                Spelling::German.moment(at),
                format!("00:05 UTC am 1. {german} 2027")
            );
        }
    }

    #[test]
    fn the_ends_of_time_are_spelled_as_well() {
        for spelling in [Spelling::English, Spelling::German, Spelling::Neutral] {
            assert!(spelling.moment(Timestamp::MIN).contains("9999"));
            assert!(spelling.moment(Timestamp::MAX).contains("9999"));
        }
    }

    #[test]
    fn a_span_is_spelled_in_the_largest_exact_unit() {
        for (seconds, english, german, neutral) in [
            (30 * 60, "30 minutes", "30 Minuten", "30 min"),
            (10 * 60, "10 minutes", "10 Minuten", "10 min"),
            (60, "1 minute", "1 Minute", "1 min"),
            (3600, "1 hour", "1 Stunde", "1 h"),
            (90 * 60, "90 minutes", "90 Minuten", "90 min"),
            (24 * 3600, "24 hours", "24 Stunden", "24 h"),
            (90, "90 seconds", "90 Sekunden", "90 s"),
            (1, "1 second", "1 Sekunde", "1 s"),
        ] {
            let span = Duration::from_secs(seconds);
            assert_eq!(Spelling::English.span(span), english);
            assert_eq!(Spelling::German.span(span), german);
            assert_eq!(Spelling::Neutral.span(span), neutral);
        }
    }

    #[test]
    fn a_region_does_not_change_the_spelling() {
        assert_eq!(Spelling::of("de-AT"), Spelling::German);
        assert_eq!(Spelling::of("en"), Spelling::English);
        assert_eq!(Spelling::of("den"), Spelling::Neutral);
        assert_eq!(Spelling::of("fr"), Spelling::Neutral);
    }
}
