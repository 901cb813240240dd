//! Files and directories that only their owner reaches (ASVS 13.2.2).

use super::refusal::OpenError;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, lchown};
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

/// Refuses the directory if anybody but its owner reaches it.
pub(super) fn directory_as_found(path: &Path) -> Result<(), OpenError> {
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

/// Creates the file with mode 0600; whatever has that name is left as it is.
pub(super) fn new_file(path: &Path) -> Result<File, OpenError> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(FILE)
        .open(path)
        .map_err(|cause| OpenError::file(path, cause))
}

/// Refuses the file if it is there and anybody but its owner reaches it.
pub(super) fn file_if_present(path: &Path) -> Result<(), OpenError> {
    match refuse_exposed(path, FILE) {
        Err(OpenError::File { cause, .. }) if cause.kind() == io::ErrorKind::NotFound => Ok(()),
        checked => checked,
    }
}

/// The directory, or the nearest above it that is there.
pub(super) fn nearest(directory: &Path) -> &Path {
    let there = directory.ancestors().find(|path| path.exists());
    there.unwrap_or(directory)
}

/// Gives what root made to the owner of the directory `home`: the service runs as that one, and could not open it.
/// What others make is theirs already.
pub(super) fn hand_over<'a>(
    made: impl IntoIterator<Item = &'a Path>,
    home: &Path,
) -> Result<(), OpenError> {
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let owner = fs::metadata(home).map_err(|cause| OpenError::file(home, cause))?;
    made.into_iter().try_for_each(|path| {
        // A link that somebody put there meanwhile is not followed.
        lchown(path, Some(owner.uid()), Some(owner.gid()))
            .map_err(|cause| OpenError::file(path, cause))
    })
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

#[cfg(test)]
mod tests {
    use super::super::testing::{House, mark, open, refusal};
    use super::*;
    use std::fs::Permissions;
    use tempfile::TempDir;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[tokio::test]
    async fn only_the_owner_reaches_what_is_created() {
        let house = House::new();
        house.write(|work| mark(work, "a")).await.unwrap();
        assert_eq!(mode(&house.directory), 0o700);
        let entries = fs::read_dir(&house.directory).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().path())
            .inspect(|path| assert_eq!(mode(path), 0o600, "{}", path.display()))
            .map(|path| path.file_name().unwrap().to_owned())
            .collect();
        names.sort();
        assert_eq!(
            names,
            [
                "relatch.db",
                "relatch.db-shm",
                "relatch.db-wal",
                "relatch.lock"
            ]
        );
    }

    #[test]
    fn missing_parents_are_created_for_the_owner_alone() {
        let above = TempDir::new().unwrap();
        drop(open(&above.path().join("a/b")).unwrap());
        assert_eq!(mode(&above.path().join("a")), 0o700);
    }

    #[test]
    fn what_others_can_reach_is_refused_with_the_command_that_mends_it() {
        let above = TempDir::new().unwrap();
        let directory = above.path().join("data");
        drop(open(&directory).unwrap());
        fs::write(directory.join("relatch.db-wal"), "").unwrap();
        for (path, exposed, wanted) in [
            (directory.clone(), 0o750, 0o700),
            (directory.join("relatch.db"), 0o640, 0o600),
            (directory.join("relatch.db-wal"), 0o602, 0o600),
            (directory.join("relatch.lock"), 0o660, 0o600),
        ] {
            fs::set_permissions(&path, Permissions::from_mode(exposed)).unwrap();
            let message = refusal(&directory).to_string();
            let remedy = format!("run `chmod {wanted:04o} {}`", path.display());
            assert!(message.ends_with(&remedy), "{message}");
            fs::set_permissions(&path, Permissions::from_mode(wanted)).unwrap();
        }
        drop(open(&directory).unwrap());
    }

    #[test]
    fn a_directory_that_cannot_be_made_is_named() {
        let above = TempDir::new().unwrap();
        let directory = above.path().join("file/data");
        fs::write(above.path().join("file"), "").unwrap();
        let message = refusal(&directory).to_string();
        assert!(message.contains(&*directory.to_string_lossy()), "{message}");
    }
}
