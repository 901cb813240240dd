//! Streams whose watcher takes nothing, not even their end.
//!
//! HTTP/2 asks a stream for more only when its peer has room for it, and that is how a watcher who stops reading
//! costs one page. But a stream that is not asked cannot say that its time is over either.

use super::limits::LONGEST_SILENCE;
use crate::peers::Standing;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep_until};

/// Cuts the connection of a stream that is still there some time after its end. Dropping it with the stream
/// leaves the connection alone.
#[derive(Debug)]
pub(super) struct Overdue(AbortHandle);

impl Overdue {
    /// For a stream that ends at this moment.
    pub(super) fn new(end: Instant, standing: Standing) -> Self {
        let cutting = tokio::spawn(async move {
            sleep_until(end + LONGEST_SILENCE).await;
            tracing::info!(
                "a stream's watcher took nothing of it until its end: the connection is cut"
            );
            standing.cut();
        });
        Self(cutting.abort_handle())
    }
}

impl Drop for Overdue {
    fn drop(&mut self) {
        self.0.abort();
    }
}
