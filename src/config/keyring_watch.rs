//! Keeps the keyring in memory that of its file.

use super::follow::{Followed, follow};
use super::keyring_file::{KeyringFile, KeyringFileError};
use super::private_file::Stamp;
use crate::domain::keyring::Keyring;
use arc_swap::ArcSwap;
use std::future::Future;
use std::io;
use std::sync::Arc;

/// The keyring in force. Load it anew for each use.
pub type KeyringHandle = Arc<ArcSwap<Keyring>>;

/// Follows a keyring's file.
#[derive(Debug)]
pub struct KeyringWatch {
    file: KeyringFile,
    handle: KeyringHandle,
    seen: Option<Stamp>,
}

impl KeyringWatch {
    /// Reads the file for the first time. Nothing is followed before [`KeyringWatch::run`].
    pub fn open(file: KeyringFile) -> Result<Self, KeyringFileError> {
        let (ring, stamp) = file.read_stamped()?;
        Ok(Self {
            file,
            handle: Arc::new(ArcSwap::from_pointee(ring)),
            seen: Some(stamp),
        })
    }

    /// The keyring in force.
    #[must_use]
    pub fn handle(&self) -> KeyringHandle {
        Arc::clone(&self.handle)
    }

    /// Reads the file again at SIGHUP and within a second of its change, until `shutdown`.
    ///
    /// A file that cannot be used is told to the log, once, and the ring before it stays in force.
    /// Fails only where signals cannot be listened to.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> io::Result<()> {
        follow(self, shutdown).await
    }
}

impl Followed for KeyringWatch {
    fn look(&mut self, told_to: bool) {
        let present = self.file.stamp();
        if present == self.seen && !told_to {
            return;
        }
        match self.file.read_stamped() {
            Ok((ring, stamp)) => {
                tracing::info!(
                    signing = %ring.signing().id(),
                    verifying = ring.usable().count() - 1,
                    "keyring read"
                );
                self.handle.store(Arc::new(ring));
                self.seen = Some(stamp);
            }
            Err(why) => {
                tracing::error!(%why, "the new keyring cannot be used; the one before it stays in force");
                self.seen = present;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::follow::LOOK_EVERY;
    use super::*;
    use crate::domain::keyring::KeyId;
    use std::fs;
    use tempfile::TempDir;

    const ONE: KeyId = KeyId::from_bytes([1; 4]);
    const TWO: KeyId = KeyId::from_bytes([2; 4]);

    fn open() -> (TempDir, KeyringFile, KeyringWatch) {
        let root = |first: u8| std::array::from_fn(|at| first + u8::try_from(at).unwrap());
        let directory = tempfile::tempdir().unwrap();
        let file = KeyringFile::new(directory.path().join("keyring.toml"), false);
        let mut ring = Keyring::of(ONE, root(200));
        ring.add(TWO, root(100)).unwrap();
        file.create(&ring).unwrap();
        let watch = KeyringWatch::open(file.clone()).unwrap();
        (directory, file, watch)
    }

    fn signing(handle: &KeyringHandle) -> KeyId {
        handle.load().signing().id()
    }

    #[test]
    fn a_file_that_cannot_be_used_leaves_the_ring_in_force() {
        let (_directory, file, mut watch) = open();
        let handle = watch.handle();
        fs::write(file.path(), "nothing of the kind").unwrap();
        watch.look(false);
        assert_eq!(signing(&handle), ONE);
        fs::remove_file(file.path()).unwrap();
        watch.look(false);
        watch.look(true);
        assert_eq!(signing(&handle), ONE);

        let mut ring = Keyring::of(TWO, std::array::from_fn(|at| u8::try_from(at).unwrap()));
        ring.add(ONE, std::array::from_fn(|at| u8::try_from(at + 9).unwrap()))
            .unwrap();
        file.create(&ring).unwrap();
        watch.look(false);
        assert_eq!(signing(&handle), TWO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_promotion_is_followed_within_two_seconds_and_shutdown_ends_the_watch() {
        let (_directory, file, watch) = open();
        let handle = watch.handle();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let running = tokio::spawn(watch.run(async {
            let _ = stopped.await;
        }));
        tokio::time::sleep(LOOK_EVERY).await;
        assert_eq!(signing(&handle), ONE);
        file.change(|ring| ring.promote(TWO)).unwrap();
        tokio::time::sleep(2 * LOOK_EVERY).await;
        assert_eq!(signing(&handle), TWO);
        drop(stop);
        assert!(running.await.unwrap().is_ok());
    }
}
