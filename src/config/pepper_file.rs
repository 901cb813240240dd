//! The peppers' file.

use super::private_file::{PrivateFile, PrivateFileError};
use crate::domain::password::{PepperChangeRefused, Peppers, PeppersUnreadable};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why the peppers' file was not read or written. Nothing in it tells of a secret.
#[derive(Debug, Error)]
pub enum PepperFileError {
    /// The file could not be read or written, or must not be.
    #[error(transparent)]
    File(#[from] PrivateFileError),
    /// It holds no peppers.
    #[error("{0} {1}")]
    Content(PathBuf, #[source] PeppersUnreadable),
    /// The peppers cannot be changed in that way.
    #[error(transparent)]
    Change(#[from] PepperChangeRefused),
}

/// The file that holds an installation's peppers.
#[derive(Debug, Clone)]
pub struct PepperFile(PrivateFile);

impl PepperFile {
    /// The file of this path. Its group may read it only if `allow_group_read`.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, allow_group_read: bool) -> Self {
        Self(PrivateFile::new(path, allow_group_read))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// The peppers in it.
    pub fn read(&self) -> Result<Peppers, PepperFileError> {
        self.parse(&self.0.read()?)
    }

    /// Makes the file, mode 0600, with these peppers; refuses if it exists.
    pub fn create(&self, peppers: &Peppers) -> Result<(), PepperFileError> {
        Ok(self.0.create(&peppers.to_text())?)
    }

    /// Changes the peppers in the file; if that is refused, the file stays as it was.
    pub fn change(
        &self,
        change: impl FnOnce(&mut Peppers) -> Result<(), PepperChangeRefused>,
    ) -> Result<(), PepperFileError> {
        self.0.change(|text| {
            let mut peppers = self.parse(text)?;
            change(&mut peppers)?;
            Ok(peppers.to_text())
        })
    }

    fn parse(&self, text: &str) -> Result<Peppers, PepperFileError> {
        Peppers::parse(text).map_err(|why| PepperFileError::Content(self.path().to_owned(), why))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::password::PepperId;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;
    use tempfile::TempDir;

    const ONE: PepperId = PepperId([1; 4]);
    const TWO: PepperId = PepperId([2; 4]);

    fn secret(first: u8) -> [u8; 32] {
        std::array::from_fn(|at| first.wrapping_add(u8::try_from(at).unwrap()))
    }

    fn created() -> (TempDir, PepperFile) {
        let directory = tempfile::tempdir().unwrap();
        let file = PepperFile::new(directory.path().join("pepper.toml"), false);
        file.create(&Peppers::of(ONE, secret(200))).unwrap();
        (directory, file)
    }

    #[test]
    fn a_new_file_is_its_owners_alone_and_a_refused_change_leaves_it() {
        let (_directory, file) = created();
        let mode = fs::metadata(file.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o600);
        file.change(|peppers| peppers.add(TWO, secret(100)))
            .unwrap();
        file.change(|peppers| peppers.promote(TWO)).unwrap();
        let refused = file.change(|peppers| peppers.add(ONE, secret(7)));
        assert!(matches!(refused, Err(PepperFileError::Change(_))));
        let peppers = file.read().unwrap();
        assert_eq!(peppers.current(), Some(TWO));
        assert_eq!(peppers.secret(ONE), Some(&secret(200)));
    }

    #[test]
    fn a_file_that_others_may_read_is_refused_with_the_remedy() {
        let (_directory, file) = created();
        fs::set_permissions(file.path(), Permissions::from_mode(0o640)).unwrap();
        let told = file.read().unwrap_err().to_string();
        assert!(told.contains("chmod 600"), "{told}");
        assert!(PepperFile::new(file.path(), true).read().is_ok());
    }

    #[test]
    fn what_is_no_file_of_peppers_is_named_and_not_quoted() {
        let (_directory, file) = created();
        fs::write(file.path(), "secret = \"a secret\"").unwrap();
        let told = file.read().unwrap_err().to_string();
        assert!(
            told.contains("pepper.toml is not a file of peppers"),
            "{told}"
        );
        assert!(!told.contains("a secret"));
    }
}
