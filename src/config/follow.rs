//! Keeps what is in memory like the files it came from, so that secrets are rotated without a restart
//! (ASVS 13.3.4).

use std::future::Future;
use std::io;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::MissedTickBehavior;

/// How often files are looked at: a revoked key must die at once.
pub const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What was read from files.
pub trait Followed: Send + 'static {
    /// Reads the files again if they are not the versions last seen, or if `told_to`. May block.
    fn look(&mut self, told_to: bool);
}

/// Looks at the files at SIGHUP and every second, until `shutdown`.
///
/// Fails only where signals cannot be listened to.
pub async fn follow<F: Followed>(
    mut followed: F,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let mut hangup = signal(SignalKind::hangup())?;
    let mut ticks = tokio::time::interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    tokio::pin!(shutdown);
    loop {
        let told_to = tokio::select! {
            () = &mut shutdown => return Ok(()),
            _ = hangup.recv() => true,
            _ = ticks.tick() => false,
        };
        // A file on a network may keep one waiting.
        followed = tokio::task::spawn_blocking(move || {
            followed.look(told_to);
            followed
        })
        .await
        .map_err(io::Error::other)?;
    }
}
