//! Ending in good order, however long the others take.

use crate::config::ShutdownPace;
use crate::shutdown::{Shutdown, Trigger};
use tokio::task::JoinSet;

/// Waits for a worker that ends although nobody told it to.
pub(super) async fn lost(workers: &mut JoinSet<()>, shutdown: &Shutdown) {
    while workers.join_next().await.is_some() {
        if !shutdown.is_requested() {
            return;
        }
    }
    std::future::pending::<()>().await;
}

/// Waits for the shutdown, lets load balancers notice, closes the listeners, and waits for as long as calls may take
/// to end then.
pub(super) async fn drain(pace: ShutdownPace, shutdown: &Shutdown, close: &Trigger) {
    shutdown.clone().requested().await;
    tokio::time::sleep(pace.delay).await;
    close.pull();
    tokio::time::sleep(pace.grace).await;
    // Perhaps only peers that do not answer any more.
    tracing::warn!("some connections did not end within shutdown.grace and are cut off");
}
