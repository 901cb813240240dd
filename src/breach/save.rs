//! Putting a new breach file in place, as a whole.

use super::Header;
use super::build::{BuildRefused, build};
use crate::domain::time::Timestamp;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufWriter};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// How much is written at a time.
const BUFFER: usize = 1 << 20;

/// Why no breach file was put in place. What was there before is left as it is.
#[derive(Debug, Error)]
pub enum SaveRefused {
    /// None can be made.
    #[error(transparent)]
    Build(#[from] BuildRefused),
    /// Somebody else is making one.
    #[error("{} is being written by another `relatch breach build`", .0.display())]
    Busy(PathBuf),
    /// The system refused to write.
    #[error("{} cannot be written: {why}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        why: io::Error,
    },
}

/// Builds a breach file beside `path` and, once it is whole and on the disk, puts it there. A service that has
/// the one before open goes on reading that.
pub fn save(
    path: &Path,
    list: impl BufRead,
    at_least: u64,
    built_at: Timestamp,
    told: &mut dyn FnMut(u64),
) -> Result<Header, SaveRefused> {
    // A link to the file goes on being one.
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let draft = Draft::beside(&path)?;
    let to = BufWriter::with_capacity(BUFFER, &draft.file);
    let header = build(list, at_least, built_at, to, told).map_err(|refused| match refused {
        BuildRefused::Unwritable(why) => draft.unwritable(why),
        refused => SaveRefused::Build(refused),
    })?;
    draft.publish(&path)?;
    Ok(header)
}

/// The next version of a file, beside it. One that a killed process left is taken over.
struct Draft {
    path: PathBuf,
    file: File,
    published: bool,
}

impl Draft {
    fn beside(target: &Path) -> Result<Self, SaveRefused> {
        let mut path = target.as_os_str().to_owned();
        path.push(".new");
        let path = PathBuf::from(path);
        let unwritable = |why| SaveRefused::Unwritable {
            path: path.clone(),
            why,
        };
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(unwritable)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(SaveRefused::Busy(path)),
            Err(TryLockError::Error(why)) => return Err(unwritable(why)),
        }
        // Between the opening and the lock, another may have put this very file in place.
        let same = |there: fs::Metadata| Ok(there.ino() == file.metadata()?.ino());
        if !fs::metadata(&path).and_then(same).unwrap_or(false) {
            return Err(SaveRefused::Busy(path));
        }
        let draft = Self {
            path,
            file,
            published: false,
        };
        draft.file.set_len(0).map_err(|why| draft.unwritable(why))?;
        Ok(draft)
    }

    /// Puts it in place of the target, so that it survives a power cut.
    fn publish(mut self, target: &Path) -> Result<(), SaveRefused> {
        let mut publish = || {
            self.file.sync_all()?;
            fs::rename(&self.path, target)?;
            self.published = true;
            let directory = match target.parent() {
                Some(parent) if parent != Path::new("") => parent,
                _ => Path::new("."),
            };
            File::open(directory)?.sync_all()
        };
        publish().map_err(|why| self.unwritable(why))
    }

    fn unwritable(&self, why: io::Error) -> SaveRefused {
        SaveRefused::Unwritable {
            path: self.path.clone(),
            why,
        }
    }
}

/// Leaves nothing of a draft that was not published. Of one that was, the name may be another's by now.
impl Drop for Draft {
    fn drop(&mut self) {
        if !self.published {
            // What cannot be removed is taken over by the next who tries.
            let _ = fs::remove_file(&self.path);
        }
    }
}
