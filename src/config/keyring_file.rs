//! The keyring's file.

use super::private_file::{PrivateFile, PrivateFileError, Stamp};
use crate::domain::keyring::{Keyring, KeyringChangeRefused, KeyringUnreadable};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why a keyring's file was not read or written. Nothing in it tells of a key's root.
#[derive(Debug, Error)]
pub enum KeyringFileError {
    /// The file could not be read or written, or must not be.
    #[error(transparent)]
    File(#[from] PrivateFileError),
    /// It is no keyring.
    #[error("{0} {1}")]
    Content(PathBuf, #[source] KeyringUnreadable),
    /// A demonstration made it.
    #[error(
        "{0} is the keyring of a demonstration, made by `relatch dev`: make one of your own with `relatch keys init --file FILE` and name it in keys.file"
    )]
    Demonstration(PathBuf),
    /// The ring cannot be changed in that way.
    #[error(transparent)]
    Change(#[from] KeyringChangeRefused),
}

/// The file that holds a keyring.
#[derive(Debug, Clone)]
pub struct KeyringFile {
    file: PrivateFile,
    for_service: bool,
}

impl KeyringFile {
    /// The file of this path. Its group may read it only if `allow_group_read`.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, allow_group_read: bool) -> Self {
        Self {
            file: PrivateFile::new(path, allow_group_read),
            for_service: false,
        }
    }

    /// The same file, for a service: a ring that a demonstration made is refused.
    #[must_use]
    pub fn for_service(self) -> Self {
        Self {
            for_service: true,
            ..self
        }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// The ring in it.
    pub fn read(&self) -> Result<Keyring, KeyringFileError> {
        self.parse(&self.file.read()?)
    }

    /// The ring in it, and which version of the file that is.
    pub(super) fn read_stamped(&self) -> Result<(Keyring, Stamp), KeyringFileError> {
        let (text, stamp) = self.file.read_stamped()?;
        Ok((self.parse(&text)?, stamp))
    }

    /// Which version of the file is there now; `None` is none.
    pub(super) fn stamp(&self) -> Option<Stamp> {
        self.file.stamp().ok()
    }

    /// Makes the file, mode 0600, with this ring; refuses if it exists.
    pub fn create(&self, ring: &Keyring) -> Result<(), KeyringFileError> {
        Ok(self.file.create(&ring.to_text())?)
    }

    /// Changes the ring in the file; if that is refused, the file stays as it was.
    pub fn change(
        &self,
        change: impl FnOnce(&mut Keyring) -> Result<(), KeyringChangeRefused>,
    ) -> Result<(), KeyringFileError> {
        self.file.change(|text| {
            let mut ring = self.parse(text)?;
            change(&mut ring)?;
            Ok(ring.to_text())
        })
    }

    fn parse(&self, text: &str) -> Result<Keyring, KeyringFileError> {
        let path = || self.path().to_owned();
        let ring = Keyring::parse(text).map_err(|why| KeyringFileError::Content(path(), why))?;
        if self.for_service && ring.is_of_a_demonstration() {
            return Err(KeyringFileError::Demonstration(path()));
        }
        Ok(ring)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::keyring::{Key, KeyId};
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use tempfile::TempDir;

    const ONE: KeyId = KeyId::from_bytes([1; 4]);
    const TWO: KeyId = KeyId::from_bytes([2; 4]);

    fn root(first: u8) -> [u8; 32] {
        std::array::from_fn(|at| first.wrapping_add(u8::try_from(at).unwrap()))
    }

    fn created() -> (TempDir, KeyringFile) {
        let directory = tempfile::tempdir().unwrap();
        let file = KeyringFile::new(directory.path().join("keyring.toml"), false);
        file.create(&Keyring::of(ONE, root(200))).unwrap();
        (directory, file)
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    fn files(directory: &TempDir) -> usize {
        fs::read_dir(directory.path()).unwrap().count()
    }

    #[test]
    fn a_new_file_is_its_owners_alone_and_holds_the_ring() {
        let (directory, file) = created();
        assert_eq!(mode(file.path()), 0o600);
        assert_eq!(file.read().unwrap().signing().id(), ONE);
        assert_eq!(files(&directory), 1);
    }

    #[test]
    fn a_file_that_exists_is_never_overwritten() {
        let (directory, file) = created();
        let again = file.create(&Keyring::of(TWO, root(100)));
        assert!(matches!(
            again,
            Err(KeyringFileError::File(PrivateFileError::Exists(_)))
        ));
        assert_eq!(file.read().unwrap().signing().id(), ONE);
        assert_eq!(files(&directory), 1);
    }

    #[test]
    fn a_change_keeps_the_mode_and_the_link_and_a_refused_one_changes_nothing() {
        let (directory, file) = created();
        let link = directory.path().join("link.toml");
        symlink(file.path(), &link).unwrap();
        fs::set_permissions(file.path(), Permissions::from_mode(0o640)).unwrap();
        let linked = KeyringFile::new(&link, true);
        linked.change(|ring| ring.add(TWO, root(100))).unwrap();
        assert!(link.is_symlink());
        assert_eq!(mode(file.path()), 0o640);
        let ids = |file: &KeyringFile| {
            let ring = file.read().unwrap();
            ring.keys().map(Key::id).collect::<Vec<_>>()
        };
        assert_eq!(ids(&linked), [ONE, TWO]);

        let refused = linked.change(|ring| ring.revoke(ONE));
        assert!(matches!(refused, Err(KeyringFileError::Change(_))));
        assert_eq!(ids(&linked), [ONE, TWO]);
        assert_eq!(files(&directory), 2);
    }

    #[test]
    fn only_one_change_is_made_at_a_time() {
        let (directory, file) = created();
        let within = file.change(|_| {
            let second = file.change(|ring| ring.add(TWO, root(100)));
            assert!(second.unwrap_err().to_string().contains("keyring.toml.new"));
            Ok(())
        });
        assert!(within.is_ok());
        assert_eq!(files(&directory), 1);
    }

    #[test]
    fn a_file_that_others_may_read_or_write_is_refused_with_the_remedy() {
        let (_directory, file) = created();
        let by_group = KeyringFile::new(file.path(), true);
        for (mode, owner_only, with_group) in [
            (0o600, true, true),
            (0o400, true, true),
            (0o640, false, true),
            (0o440, false, true),
            (0o660, false, false),
            (0o620, false, false),
            (0o604, false, false),
            (0o644, false, false),
            (0o602, false, false),
        ] {
            fs::set_permissions(file.path(), Permissions::from_mode(mode)).unwrap();
            assert_eq!(file.read().is_ok(), owner_only, "{mode:o}");
            assert_eq!(by_group.read().is_ok(), with_group, "{mode:o}");
        }
        let told = file.read().unwrap_err().to_string();
        assert!(told.contains("(mode 0602)"), "{told}");
        assert!(told.contains(&format!("chmod 600 {}", file.path().display())));
    }

    #[test]
    fn a_demonstrations_ring_stays_one_and_is_not_for_a_service() {
        let directory = tempfile::tempdir().unwrap();
        let file = KeyringFile::new(directory.path().join("keyring.toml"), false);
        let ring = Keyring::of(ONE, root(200)).of_a_demonstration();
        file.create(&ring).unwrap();
        file.change(|ring| ring.add(TWO, root(100))).unwrap();
        file.change(|ring| ring.promote(TWO)).unwrap();
        assert!(file.read().unwrap().is_of_a_demonstration());
        let refused = file.for_service().read().unwrap_err();
        assert!(
            matches!(refused, KeyringFileError::Demonstration(_)),
            "{refused}"
        );
        let (_directory, own) = created();
        assert!(own.for_service().read().is_ok());
    }

    #[test]
    fn what_is_no_keyring_is_named_and_not_quoted() {
        let (directory, file) = created();
        fs::write(file.path(), "root = \"a secret\"").unwrap();
        let told = file.read().unwrap_err().to_string();
        assert!(told.contains("keyring.toml is not a keyring"), "{told}");
        assert!(!told.contains("a secret"));
        let elsewhere = KeyringFile::new(directory.path(), false).read();
        assert!(matches!(
            elsewhere,
            Err(KeyringFileError::File(PrivateFileError::NotAFile(_)))
        ));
    }
}
