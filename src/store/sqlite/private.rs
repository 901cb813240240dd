//! Files and directories that only their owner reaches (ASVS 13.2.2).

use super::open::OpenError;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

const DIRECTORY: u32 = 0o700;
const FILE: u32 = 0o600;

/// Everything that a mode grants to anybody but the owner.
const OTHERS: u32 = 0o077;

/// Creates the directory and its missing parents with mode 0700, or refuses it as it is found.
pub(super) fn directory(path: &Path) -> Result<(), OpenError> {
    create_directory(path).map_err(|cause| OpenError::file(path, cause))?;
    refuse_exposed(path, DIRECTORY)
}

/// Opens the file for reading and writing: creates it with mode 0600, or refuses it as it is found.
pub(super) fn file(path: &Path) -> Result<File, OpenError> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(FILE)
        .open(path)
        .map_err(|cause| OpenError::file(path, cause))?;
    refuse_exposed(path, FILE)?;
    Ok(file)
}

/// Refuses the file if it is there and anybody but its owner reaches it.
pub(super) fn file_if_present(path: &Path) -> Result<(), OpenError> {
    match refuse_exposed(path, FILE) {
        Err(OpenError::File { cause, .. }) if cause.kind() == io::ErrorKind::NotFound => Ok(()),
        checked => checked,
    }
}

fn create_directory(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    if let Some(parent) = parent {
        create_directory(parent)?;
    }
    DirBuilder::new().mode(DIRECTORY).create(path)?;
    // A power failure must not take away the directory with all that is acknowledged in it.
    File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
}

fn refuse_exposed(path: &Path, wanted: u32) -> Result<(), OpenError> {
    let mode = fs::metadata(path)
        .map_err(|cause| OpenError::file(path, cause))?
        .permissions()
        .mode();
    if mode & OTHERS == 0 {
        return Ok(());
    }
    Err(OpenError::Exposed {
        path: path.to_owned(),
        mode: mode & 0o7777,
        wanted,
    })
}
