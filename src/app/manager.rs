//! What a service manager such as systemd is told (sd_notify(3)), if it started this process and wants to know.

use crate::shutdown::Shutdown;
use sd_notify::NotifyState;

/// Tells it that calls are answered.
pub(super) fn tell_of_the_start() {
    tell(&[NotifyState::Ready]);
}

/// Tells it, once that is so, that the service is ending.
pub(super) async fn tell_of_the_end(shutdown: Shutdown) {
    shutdown.requested().await;
    tell(&[NotifyState::Stopping]);
}

fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(%error, "the service manager could not be told");
    }
}
