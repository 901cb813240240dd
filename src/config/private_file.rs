//! Files that hold a secret: read only while nobody else can read them, and written so that nobody
//! else ever could (ASVS 13.3.2).

use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};
use thiserror::Error;
use zeroize::Zeroizing;

/// Longest secret file that is read, in bytes: some hundreds of keys.
const LONGEST: u64 = 64 * 1_024;

/// The right of everybody but the owner; and that of the group to read, within it.
const NOT_THE_OWNER: u32 = 0o077;
const GROUP_READ: u32 = 0o040;

/// Why a secret file was not read or written.
#[derive(Debug, Error)]
pub enum PrivateFileError {
    /// The system refused to read it.
    #[error("{0} cannot be read: {1}")]
    Unreadable(PathBuf, #[source] io::Error),
    /// Others may read or write it.
    #[error(
        "{0} is open to others than its owner (mode {1:04o}), and what it holds is secret: run `chmod 600 {0}`"
    )]
    Exposed(PathBuf, u32),
    /// A directory, a device, or longer than any such file.
    #[error("{0} is not a file of at most 64 KiB")]
    NotAFile(PathBuf),
    /// There is one already, and a new one would destroy it.
    #[error("{0} exists already and is left as it is")]
    Exists(PathBuf),
    /// The file that the next version is written to exists.
    #[error(
        "{0} exists: another command is at work on the file, or one was killed; if none is, delete that file"
    )]
    Busy(PathBuf),
    /// The system refused to write it.
    #[error("{0} cannot be written: {1}")]
    Unwritable(PathBuf, #[source] io::Error),
}

/// Tells two versions of a file apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    inode: (u64, u64),
    length: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    /// The version that is there now; `None` if there is none, or none to be seen.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        fs::metadata(path)
            .ok()
            .map(|metadata| Self::from(&metadata))
    }
}

impl From<&Metadata> for Stamp {
    fn from(metadata: &Metadata) -> Self {
        Self {
            inode: (metadata.dev(), metadata.ino()),
            length: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

/// A file that holds a secret.
#[derive(Debug, Clone)]
pub struct PrivateFile {
    path: PathBuf,
    allow_group_read: bool,
}

impl PrivateFile {
    /// The file of this path. Its group may read it only if `allow_group_read`.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, allow_group_read: bool) -> Self {
        Self {
            path: path.into(),
            allow_group_read,
        }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its text, unless others may read it or write it.
    pub fn read(&self) -> Result<Zeroizing<String>, PrivateFileError> {
        Ok(self.read_stamped()?.0)
    }

    /// Its text without the line break that editors put at the end, under the same conditions.
    pub fn read_line(&self) -> Result<Zeroizing<String>, PrivateFileError> {
        let mut text = self.read()?;
        let end = text.trim_end_matches(['\r', '\n']).len();
        text.truncate(end);
        Ok(text)
    }

    /// Its text, and which version that is.
    pub(super) fn read_stamped(&self) -> Result<(Zeroizing<String>, Stamp), PrivateFileError> {
        let unreadable = |why| PrivateFileError::Unreadable(self.path.clone(), why);
        let file = File::open(&self.path).map_err(unreadable)?;
        // Of the file that is open: the path may lead to another one by now.
        let metadata = file.metadata().map_err(unreadable)?;
        if !metadata.is_file() || metadata.len() > LONGEST {
            return Err(PrivateFileError::NotAFile(self.path.clone()));
        }
        let tolerated = if self.allow_group_read { GROUP_READ } else { 0 };
        if metadata.mode() & NOT_THE_OWNER & !tolerated != 0 {
            let mode = metadata.mode() & 0o7777;
            return Err(PrivateFileError::Exposed(self.path.clone(), mode));
        }
        // Room for all of it at once: a buffer that grows leaves copies behind.
        let room = usize::try_from(metadata.len()).unwrap_or(0) + 1;
        let mut text = Zeroizing::new(String::with_capacity(room));
        file.take(LONGEST)
            .read_to_string(&mut text)
            .map_err(unreadable)?;
        Ok((text, Stamp::from(&metadata)))
    }

    /// Which version is there now.
    pub(super) fn stamp(&self) -> io::Result<Stamp> {
        fs::metadata(&self.path).map(|metadata| Stamp::from(&metadata))
    }

    /// Makes it, mode 0600, with this text; refuses if it exists.
    pub fn create(&self, text: &str) -> Result<(), PrivateFileError> {
        let draft = Draft::of(&self.path)?;
        if self.path.symlink_metadata().is_ok() {
            return Err(PrivateFileError::Exists(self.path.clone()));
        }
        draft.publish(text)
    }

    /// Replaces its text by what `change` makes of it. Nobody ever reads half of the new text, two
    /// changes at once do not undo each other, and owner and group stay those of the file.
    pub fn change<E: From<PrivateFileError>>(
        &self,
        change: impl FnOnce(&str) -> Result<Zeroizing<String>, E>,
    ) -> Result<(), E> {
        let refused = |why| PrivateFileError::Unreadable(self.path.clone(), why);
        // A link to the file goes on being one.
        let target = self.path.canonicalize().map_err(refused)?;
        let draft = Draft::of(&target)?;
        let text = change(&self.read()?)?;
        let metadata = fs::metadata(&target).map_err(refused)?;
        draft.take_after(&metadata)?;
        draft.publish(&text).map_err(E::from)
    }
}

/// The next version of a file, beside it. Only one can exist at a time.
struct Draft<'a> {
    target: &'a Path,
    path: PathBuf,
    file: File,
    published: bool,
}

impl<'a> Draft<'a> {
    fn of(target: &'a Path) -> Result<Self, PrivateFileError> {
        let mut path = target.as_os_str().to_owned();
        path.push(".new");
        let path = PathBuf::from(path);
        let opened = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path);
        match opened {
            Ok(file) => Ok(Self {
                target,
                path,
                file,
                published: false,
            }),
            Err(why) if why.kind() == io::ErrorKind::AlreadyExists => {
                Err(PrivateFileError::Busy(path))
            }
            Err(why) => Err(PrivateFileError::Unwritable(target.to_owned(), why)),
        }
    }

    /// Gives it the owner, the group and the group's right of the version before.
    fn take_after(&self, before: &Metadata) -> Result<(), PrivateFileError> {
        let copy = || {
            let own = self.file.metadata()?;
            if (own.uid(), own.gid()) != (before.uid(), before.gid()) {
                fchown(&self.file, Some(before.uid()), Some(before.gid()))?;
            }
            let mode = 0o600 | before.mode() & GROUP_READ;
            self.file.set_permissions(Permissions::from_mode(mode))
        };
        copy().map_err(|why| self.unwritable(why))
    }

    /// Writes the text and puts it in place of the target, so that it survives a power cut.
    fn publish(mut self, text: &str) -> Result<(), PrivateFileError> {
        let mut write = || {
            self.file.write_all(text.as_bytes())?;
            self.file.sync_all()?;
            fs::rename(&self.path, self.target)?;
            self.published = true;
            let directory = match self.target.parent() {
                Some(parent) if parent != Path::new("") => parent,
                _ => Path::new("."),
            };
            File::open(directory)?.sync_all()
        };
        write().map_err(|why| self.unwritable(why))
    }

    fn unwritable(&self, why: io::Error) -> PrivateFileError {
        PrivateFileError::Unwritable(self.target.to_owned(), why)
    }
}

/// Leaves nothing of a draft that was not published. Of one that was, the name may be another's by now.
impl Drop for Draft<'_> {
    fn drop(&mut self) {
        if !self.published {
            // What cannot be removed is told to the next who tries.
            let _ = fs::remove_file(&self.path);
        }
    }
}
