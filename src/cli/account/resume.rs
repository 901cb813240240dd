//! How far an import has come, kept in a file.

use crate::cli::Failure;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The file and what stands in it.
pub(super) struct Mark {
    path: PathBuf,
    kept: Kept,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    /// Which file is imported.
    file: PathBuf,
    /// The last line that is done.
    line: i64,
}

impl Mark {
    /// The mark that an earlier import of `file` left at `path`, or one at its beginning.
    pub(super) fn open(path: &Path, file: &Path) -> Result<Self, Failure> {
        let refuse = |why: &dyn std::fmt::Display| {
            Failure::told(format_args!("--resume {}: {why}", path.display()))
        };
        let kept = match fs::read(path) {
            Ok(text) => serde_json::from_slice(&text)
                .map_err(|_| refuse(&"is not what an import leaves behind"))?,
            Err(why) if why.kind() == io::ErrorKind::NotFound => Kept {
                file: file.to_owned(),
                line: 0,
            },
            Err(why) => return Err(refuse(&why)),
        };
        if kept.file != file {
            let of = format!("belongs to an import of {}", kept.file.display());
            return Err(refuse(&of));
        }
        let path = path.to_owned();
        Ok(Self { path, kept })
    }

    /// The last line that is done; 0 for none.
    pub(super) const fn line(&self) -> i64 {
        self.kept.line
    }

    /// Keeps that everything up to this line is done. Whenever this is interrupted, the file holds the mark before.
    pub(super) fn move_to(&mut self, line: i64) -> Result<(), Failure> {
        self.kept.line = line;
        let mut beside = self.path.clone().into_os_string();
        beside.push(".new");
        serde_json::to_vec(&self.kept)
            .map_err(io::Error::other)
            .and_then(|text| fs::write(&beside, text))
            .and_then(|()| fs::rename(&beside, &self.path))
            .map_err(|why| Failure::told(format_args!("{}: {why}", self.path.display())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_found_again_and_belongs_to_one_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("users.resume");
        let open = |file| Mark::open(&path, Path::new(file));
        let mut mark = open("users.csv").unwrap();
        assert_eq!(mark.line(), 0);
        mark.move_to(256).unwrap();
        mark.move_to(512).unwrap();
        assert_eq!(open("users.csv").unwrap().line(), 512);
        assert!(open("others.csv").is_err());
        fs::write(&path, "line 512").unwrap();
        assert!(open("users.csv").is_err());
    }
}
