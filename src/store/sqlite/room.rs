//! How much room the file system of a data directory has left.

use super::private;
use super::refusal::OpenError;
use crate::store::StoreError;
use std::path::Path;

/// Room for the largest group of operations and more, in bytes. With less the next call may find the disk full, so the
/// service says beforehand that it is not ready. SQLite itself notices only when it is too late, and a write as
/// small as a check may still find a place where a call does not.
const LEAST: u64 = 4 * 1024 * 1024;

/// The room where the directory is, or will be, in bytes, for whoever is not root.
pub(super) fn free(directory: &Path) -> Result<u64, OpenError> {
    let there = private::nearest(directory);
    let room = rustix::fs::statvfs(there).map_err(|cause| OpenError::file(there, cause.into()))?;
    Ok(room.f_bavail.saturating_mul(room.f_frsize))
}

/// Refuses to go on as if nothing were when the disk is about to be full.
pub(super) fn require(directory: &Path) -> Result<(), StoreError> {
    let free = free(directory).map_err(StoreError::unavailable)?;
    if free < LEAST {
        return Err(StoreError::unavailable(format_args!(
            "the disk is full: {free} bytes are left, and the store wants {LEAST}"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::LEAST;

    #[test]
    fn operators_are_told_how_much_it_is() {
        let document = include_str!("../../../docs/metrics.md");
        let told = format!("**less than {} MiB are left**", LEAST / (1024 * 1024));
        assert!(document.contains(&told), "{told}");
    }
}
