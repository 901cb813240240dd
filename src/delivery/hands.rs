//! What a courier has in hand: a bounded number of attempts at a time.

use tokio::task::{JoinError, JoinSet};

/// Attempts that are under way. Dropping it drops them.
pub(super) struct Hands {
    at_most: u32,
    attempts: JoinSet<()>,
}

impl Hands {
    /// Empty hands that hold this many attempts.
    pub(super) fn new(at_most: u32) -> Self {
        Self {
            at_most,
            attempts: JoinSet::new(),
        }
    }

    /// From now on holds this many attempts; those beyond it are seen to their end.
    pub(super) fn hold(&mut self, at_most: u32) {
        self.at_most = at_most;
    }

    /// How many more attempts can be taken in hand.
    pub(super) fn room(&self) -> u32 {
        let taken = u32::try_from(self.attempts.len()).unwrap_or(u32::MAX);
        self.at_most.saturating_sub(taken)
    }

    /// Begins an attempt.
    pub(super) fn take(&mut self, attempt: impl Future<Output = ()> + Send + 'static) {
        self.attempts.spawn(attempt);
    }

    /// Waits until there is room for one more attempt.
    pub(super) async fn has_room(&mut self) {
        while let Some(ended) = self.attempts.try_join_next() {
            note_panic(&ended);
        }
        while self.room() == 0
            && let Some(ended) = self.attempts.join_next().await
        {
            note_panic(&ended);
        }
    }

    /// Waits until every attempt has ended.
    pub(super) async fn are_empty(&mut self) {
        while let Some(ended) = self.attempts.join_next().await {
            note_panic(&ended);
        }
    }
}

/// A panic ends one attempt, whose lease runs out, and nothing else. What it said may quote the
/// message, so it is left out.
fn note_panic(ended: &Result<(), JoinError>) {
    if ended.is_err() {
        tracing::error!("an attempt at delivery panicked");
    }
}
