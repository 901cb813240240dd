//! `[limits]`: how often something may happen.

use super::reader::Reader;
use super::span::span;
use crate::domain::limit::{Rate, Rates};
use std::time::Duration;
use thiserror::Error;

/// The most of anything in a span: beyond it a limit limits nothing.
const MOST: u32 = 1_000_000;
/// The longest span of a rate.
const LONGEST: Duration = Duration::from_hours(24);

/// The text is not a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    r#"must be a rate such as "20/1h" or "3, then 1/1h": 1 to {MOST} in a span of at most 24 hours"#
)]
pub struct RateUnreadable;

/// Reads `20/1h`: twenty at once, spread evenly over the hour once they were used up; or `3, then
/// 1/1h`: three at once, then one an hour.
fn rate(text: &str) -> Result<Rate, RateUnreadable> {
    let (burst, steady) = match text.split_once(", then ") {
        Some((burst, steady)) => (Some(count(burst)?), steady),
        None => (None, text),
    };
    let (number, window) = steady.split_once('/').ok_or(RateUnreadable)?;
    let (number, window) = (count(number)?, span(window).map_err(|_| RateUnreadable)?);
    if window > LONGEST || window < Duration::from_micros(u64::from(number)) {
        return Err(RateUnreadable);
    }
    Ok(match burst {
        Some(burst) => Rate::burst_then_every(burst, window / number),
        None => Rate::per(number, window),
    })
}

fn count(text: &str) -> Result<u32, RateUnreadable> {
    match text.parse() {
        Ok(count @ 1..=MOST) => Ok(count),
        _ => Err(RateUnreadable),
    }
}

impl Reader {
    /// Reads `[limits]`.
    pub(super) fn limits(&mut self) -> Option<Rates> {
        let request_source = self.text("limits.request_source", rate);
        let confirm_source = self.text("limits.confirm_source", rate);
        let check_source = self.text("limits.check_source", rate);
        let sign_in_source = self.text("limits.sign_in_source", rate);
        let identifier = self.text("limits.identifier", rate);
        let profile_link = self.text("limits.profile_link", rate);
        let codes = self.text("limits.codes", rate);
        Some(Rates {
            request_source: request_source?,
            confirm_source: confirm_source?,
            check_source: check_source?,
            sign_in_source: sign_in_source?,
            identifier: identifier?,
            profile_link: profile_link?,
            codes: codes?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HOUR: Duration = Duration::from_hours(1);

    #[test]
    fn a_rate_is_read_in_both_its_forms() {
        assert_eq!(rate("20/1h"), Ok(Rate::per(20, HOUR)));
        assert_eq!(rate("60/1m"), Ok(Rate::per(60, Duration::from_mins(1))));
        assert_eq!(rate("3, then 1/1h"), Ok(Rate::burst_then_every(3, HOUR)));
        assert_eq!(
            rate("3, then 2/1h"),
            Ok(Rate::burst_then_every(3, HOUR / 2))
        );
    }

    #[test]
    fn what_would_limit_nothing_or_everything_is_refused() {
        for text in [
            "",
            "20",
            "20/",
            "/1h",
            "0/1h",
            "20/0s",
            "20/25h",
            "-1/1h",
            "1000001/1h",
            "1.5/1h",
            "0, then 1/1h",
            "3, then 1",
            "3 then 1/1h",
            "20/h",
            "1000000/1ms",
        ] {
            assert_eq!(rate(text), Err(RateUnreadable), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_without_a_panic(text in "([0-9]{1,8}, then )?[0-9]{1,8}/[0-9]{1,20}[a-z]{1,3}|.{0,20}") {
            if let Ok(rate) = rate(&text) {
                prop_assert!(rate.interval() > Duration::ZERO);
                prop_assert!(rate.tolerance() >= rate.interval());
            }
        }
    }
}
