//! Keeps the identity in memory that of its files.

use super::identity::{Identity, IdentityRefused};
use crate::clock::Clock;
use crate::config::{Followed, Stamp, Tls, follow};
use crate::domain::time::Timestamp;
use arc_swap::ArcSwap;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// How long before a certificate's end somebody should be told: a renewal every 60 of 90 days, as ACME
/// clients do, has long failed by then.
const END_NEAR: Duration = Duration::from_hours(14 * 24);

/// How often they are told.
const TELL_EVERY: Duration = Duration::from_hours(24);

/// The identity in force. Load it anew for each handshake.
pub type IdentityHandle = Arc<ArcSwap<Identity>>;

/// Follows a certificate's files.
pub struct IdentityWatch {
    files: Tls,
    allow_group_read: bool,
    clock: Arc<dyn Clock>,
    handle: IdentityHandle,
    seen: Vec<Option<Stamp>>,
    told_at: Option<Timestamp>,
}

impl IdentityWatch {
    /// Reads the files for the first time. Nothing is followed before [`IdentityWatch::run`].
    pub fn open(
        files: Tls,
        allow_group_read: bool,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, IdentityRefused> {
        // Looked at before they are read: what changes in between is seen at the next look.
        let seen = stamps(&files);
        let identity = Identity::read(&files, allow_group_read, &clock)?;
        Ok(Self {
            files,
            allow_group_read,
            clock,
            handle: Arc::new(ArcSwap::from_pointee(identity)),
            seen,
            told_at: None,
        })
    }

    /// The identity in force.
    #[must_use]
    pub fn handle(&self) -> IdentityHandle {
        Arc::clone(&self.handle)
    }

    /// Reads the files again at SIGHUP and within a second of a change, until `shutdown`.
    ///
    /// Files that cannot be used, as they are while only one of two is renewed, are told to the log, once;
    /// the identity before them stays in force. Fails only where signals cannot be listened to.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> io::Result<()> {
        follow(self, shutdown).await
    }

    /// Warns of the end while there is time to act.
    fn warn_of_the_end(&mut self) {
        let (now, ends_at) = (self.clock.now(), self.handle.load().ends_at());
        let told_lately = self
            .told_at
            .is_some_and(|told_at| now.since(told_at) < TELL_EVERY);
        if ends_at.since(now) < END_NEAR && !told_lately {
            tracing::warn!(%ends_at, "the TLS certificate ends soon: renew it");
            self.told_at = Some(now);
        }
    }
}

impl Followed for IdentityWatch {
    fn look(&mut self, told_to: bool) {
        let present = stamps(&self.files);
        if present != self.seen || told_to {
            self.seen = present;
            match Identity::read(&self.files, self.allow_group_read, &self.clock) {
                Ok(identity) => {
                    tracing::info!(ends_at = %identity.ends_at(), "TLS certificate read");
                    self.handle.store(Arc::new(identity));
                    self.told_at = None;
                }
                Err(why) => {
                    tracing::error!(%why, "the new TLS certificate cannot be used; the one before it stays in force");
                }
            }
        }
        self.warn_of_the_end();
    }
}

fn stamps(files: &Tls) -> Vec<Option<Stamp>> {
    [&files.cert_file, &files.key_file]
        .into_iter()
        .chain(&files.client_ca_file)
        .map(|path| Stamp::of(path))
        .collect()
}
