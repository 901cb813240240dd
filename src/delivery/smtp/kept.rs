//! Connections that were used and may be used again.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep};

use super::session::Session;

/// How long a connection is kept without being used; many servers wait five minutes.
const IDLE: Duration = Duration::from_mins(1);

/// Connections that wait for the next letter.
#[derive(Default)]
pub(super) struct Kept {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// Each with the moment it was put here, the latest last.
    sessions: Vec<(Session, Instant)>,
    /// Whether somebody sees to it that idle ones are closed.
    swept: bool,
}

impl Kept {
    /// The connection that was used last, if one is kept.
    pub(super) fn take(&self) -> Option<Session> {
        let (session, since) = self.lock().sessions.pop()?;
        // Of those before it all are older.
        (since.elapsed() < IDLE).then_some(session)
    }

    /// Keeps a connection for later.
    pub(super) fn keep(self: &Arc<Self>, session: Session) {
        let mut inner = self.lock();
        inner.sessions.push((session, Instant::now()));
        if !inner.swept {
            inner.swept = true;
            tokio::spawn(Arc::clone(self).sweep());
        }
    }

    /// Closes what nobody uses, until nothing is left.
    async fn sweep(self: Arc<Self>) {
        loop {
            sleep(IDLE).await;
            let idle: Vec<_> = {
                let mut inner = self.lock();
                let used = inner
                    .sessions
                    .partition_point(|(_, since)| since.elapsed() >= IDLE);
                inner.sessions.drain(..used).collect()
            };
            for (session, _) in idle {
                session.end().await;
            }
            let mut inner = self.lock();
            if inner.sessions.is_empty() {
                inner.swept = false;
                return;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // No panic can leave it half-changed.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
