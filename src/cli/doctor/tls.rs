//! The certificate that listeners show.

use super::report::Report;
use crate::app::serve::certificate_ends;
use crate::cli::Failure;
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use std::sync::Arc;
use std::time::Duration;

/// From so long before its end on a certificate should have been renewed: most live for 90 days and are
/// renewed at two thirds of that.
const SOON: Duration = Duration::from_hours(21 * 24);

/// Checks that the certificate and its key belong together, and are of use for some time yet.
pub(super) fn check(report: &mut Report<'_, '_>, config: &Config) -> Result<(), Failure> {
    const WHAT: &str = "TLS";
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let ends = match certificate_ends(config, &clock) {
        Err(why) => return report.problem(WHAT, format_args!("[tls] {why}")),
        Ok(None) => return report.note(WHAT, "no certificate is configured"),
        Ok(Some(ends)) => ends,
    };
    let left = ends.since(clock.now());
    let days = left.as_secs() / (24 * 60 * 60);
    if left < SOON {
        report.warning(
            WHAT,
            format_args!(
                "the certificate ends in {days} days, at {ends}: renew it; a running service takes the new one up by itself"
            ),
        )
    } else {
        report.ok(
            WHAT,
            format_args!("the certificate is that of the key, and ends in {days} days"),
        )
    }
}
