//! The passwords that are known from breaches.

use super::report::Report;
use crate::breach::BreachFile;
use crate::cli::Failure;
use crate::config::Config;

/// Reads the breach file through, if one is configured.
pub(super) fn check(report: &mut Report<'_, '_>, config: &Config) -> Result<(), Failure> {
    const WHAT: &str = "breach file";
    let Some(path) = &config.password.breach_file else {
        return report.note(
            WHAT,
            "none is configured: only the built-in list of common passwords is asked",
        );
    };
    match BreachFile::open_verified(path) {
        Err(why) => report.problem(WHAT, why),
        Ok(file) => report.ok(
            WHAT,
            format_args!(
                "{}: {} hashes, built at {}",
                path.display(),
                file.header().keys,
                file.header().built_at
            ),
        ),
    }
}
