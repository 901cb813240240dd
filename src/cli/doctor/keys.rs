//! The keyring, and who may call.

use super::report::Report;
use crate::cli::Failure;
use crate::config::{Config, KeyringFile};
use crate::domain::keyring::KeyState;
use std::path::{self, Path};

/// Checks that the keyring can be used and is kept apart, and that somebody may call.
pub(super) fn check(report: &mut Report<'_, '_>, config: &Config) -> Result<(), Failure> {
    const WHAT: &str = "keys";
    let file = KeyringFile::new(&config.keys.file, config.keys.allow_group_read).for_service();
    match file.read() {
        Err(why) if !file.path().exists() => report.problem(
            WHAT,
            format_args!(
                "{why}; make one with `relatch keys init --file {}`",
                file.path().display()
            ),
        )?,
        Err(why) => report.problem(WHAT, why)?,
        Ok(ring) => {
            let number = |state| ring.keys().filter(|key| key.state() == state).count();
            report.ok(
                WHAT,
                format_args!(
                    "{}: 1 key signs, {} more verify, {} are revoked",
                    file.path().display(),
                    number(KeyState::Verifying),
                    number(KeyState::Revoked),
                ),
            )?;
        }
    }
    if lies_with_the_data(config, file.path()) {
        report.warning(
            WHAT,
            "the keyring lies in the data directory, and a copy of that could mint links: keep it elsewhere and set keys.file",
        )?;
    }
    match config.callers.len() {
        0 => report.warning(
            "callers",
            "nobody can call: `relatch caller new` makes a [[callers]] stanza",
        ),
        number => report.ok("callers", format_args!("{number} may call")),
    }
}

/// Whether a file lies in the data directory.
pub(super) fn lies_with_the_data(config: &Config, file: &Path) -> bool {
    match (
        path::absolute(file),
        path::absolute(&config.store.directory),
    ) {
        (Ok(file), Ok(directory)) => file.starts_with(directory),
        _ => false,
    }
}
