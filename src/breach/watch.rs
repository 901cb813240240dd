//! Keeps the breach file that is asked that of its path.

use super::{BreachFile, BreachFileRefused};
use crate::config::{Followed, Stamp, follow};
use crate::domain::password::{Breaches, BreachesUnreadable, SHA1_BYTES};
use arc_swap::ArcSwap;
use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// Follows a breach file.
#[derive(Debug)]
pub struct BreachWatch {
    path: PathBuf,
    handle: Arc<ArcSwap<BreachFile>>,
    seen: Option<Stamp>,
}

impl BreachWatch {
    /// Opens the file for the first time. Nothing is followed before [`BreachWatch::run`].
    pub fn open(path: PathBuf) -> Result<Self, BreachFileRefused> {
        // Looked at before it is opened: what changes in between is seen at the next look.
        let seen = Stamp::of(&path);
        let file = BreachFile::open(&path)?;
        Ok(Self {
            path,
            handle: Arc::new(ArcSwap::from_pointee(file)),
            seen,
        })
    }

    /// The file in force.
    #[must_use]
    pub fn handle(&self) -> Arc<ArcSwap<BreachFile>> {
        Arc::clone(&self.handle)
    }

    /// Opens the file again at SIGHUP and within a second of its replacement, until `shutdown`.
    ///
    /// A file that cannot be used is told to the log, once, and the one before it stays in force. Fails only
    /// where signals cannot be listened to.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> io::Result<()> {
        follow(self, shutdown).await
    }
}

impl Followed for BreachWatch {
    fn look(&mut self, told_to: bool) {
        let present = Stamp::of(&self.path);
        if present == self.seen && !told_to {
            return;
        }
        self.seen = present;
        match BreachFile::open(&self.path) {
            Ok(file) => {
                let (hashes, built_at) = (file.header().keys, file.header().built_at);
                tracing::info!(hashes, %built_at, "breach file opened");
                self.handle.store(Arc::new(file));
            }
            Err(why) => {
                tracing::error!(%why, "the new breach file cannot be used; the one before it stays in force");
            }
        }
    }
}

impl Breaches for ArcSwap<BreachFile> {
    fn have(&self, sha1: &[u8; SHA1_BYTES]) -> Result<bool, BreachesUnreadable> {
        let file = self.load();
        file.has(sha1)
            .map_err(|why| BreachesUnreadable(format!("it {why}")))
    }
}
