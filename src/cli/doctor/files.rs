//! Who may change the configuration.

use super::report::Report;
use crate::cli::Failure;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// The right to write of the group and of everybody.
const OTHERS_WRITE: u32 = 0o022;

/// On a directory: only who owns a file may replace it.
const STICKY: u32 = 0o1000;

/// Checks that nobody but its owner can change the configuration, or put another in its place.
pub(super) fn configuration(report: &mut Report<'_, '_>, path: &Path) -> Result<(), Failure> {
    const WHAT: &str = "configuration";
    // Reading it tells that it is not there.
    let Ok(path) = path.canonicalize() else {
        return Ok(());
    };
    let mut open = false;
    for (path, tolerated) in [Some(path.as_path()), path.parent()]
        .into_iter()
        .flatten()
        .zip([0, STICKY])
    {
        let mode = fs::metadata(path).map_or(0, |metadata| metadata.mode());
        if mode & OTHERS_WRITE != 0 && mode & tolerated == 0 {
            open = true;
            let (mode, path) = (mode & 0o7777, path.display());
            report.problem(
                WHAT,
                format_args!(
                    "{path} has mode {mode:04o}: whoever can write it can make themselves a caller; run `chmod go-w {path}`"
                ),
            )?;
        }
    }
    if !open {
        report.ok(
            WHAT,
            format_args!("nobody but its owner can change {}", path.display()),
        )?;
    }
    Ok(())
}
