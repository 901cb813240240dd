//! An operation on its way through the writer: handed in, run, answered.

use super::work::Work;
use crate::store::StoreError;
use std::panic::{AssertUnwindSafe, catch_unwind};
use tokio::sync::oneshot;

/// An operation whose answer somebody waits for, whatever its type.
pub(super) trait Job: Send {
    /// Whether whoever asked has gone.
    fn abandoned(&self) -> bool;

    /// Whether what it does must outlive a loss of power.
    fn lasts(&self) -> bool;

    /// Runs the operation and keeps its outcome. After an error what it did must be taken back.
    fn run(&mut self, work: &mut Work<'_>) -> Result<(), StoreError>;

    /// Answers, once it is known how the operation's group ended.
    fn answer(self: Box<Self>, group: &Result<(), StoreError>);
}

/// An operation that was handed in.
pub(super) struct Pending<T, F> {
    operation: Option<F>,
    lasts: bool,
    outcome: Option<Result<T, StoreError>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Pending<T, F> {
    /// The operation, whether it must outlive a loss of power, and where its answer goes.
    pub(super) fn new(
        operation: F,
        lasts: bool,
        reply: oneshot::Sender<Result<T, StoreError>>,
    ) -> Self {
        Self {
            operation: Some(operation),
            lasts,
            outcome: None,
            reply,
        }
    }
}

impl<T, F> Job for Pending<T, F>
where
    T: Send,
    F: FnOnce(&mut Work<'_>) -> Result<T, StoreError> + Send,
{
    fn abandoned(&self) -> bool {
        self.reply.is_closed()
    }

    fn lasts(&self) -> bool {
        self.lasts
    }

    fn run(&mut self, work: &mut Work<'_>) -> Result<(), StoreError> {
        let Some(operation) = self.operation.take() else {
            return Ok(());
        };
        // Unwind safety: after a panic the savepoint takes back what the operation wrote and its
        // events are dropped; nothing else of the group is within its reach.
        let outcome = catch_unwind(AssertUnwindSafe(|| operation(work)))
            // The panic hook has said where; its words may quote data and stay out of answers.
            .unwrap_or_else(|_| Err(StoreError::corrupt("an operation panicked")));
        let kept = outcome.as_ref().map(|_| ()).map_err(StoreError::clone);
        self.outcome = Some(outcome);
        kept
    }

    fn answer(self: Box<Self>, group: &Result<(), StoreError>) {
        // An operation that failed by itself was taken back by itself: its own error says more than
        // the group's, and leaves no doubt.
        let answer = self
            .outcome
            .unwrap_or_else(|| Err(StoreError::unavailable("the operation's turn never came")))
            .and_then(|value| group.clone().map(|()| value));
        // Whoever asked may have gone meanwhile; the change stays.
        let _ = self.reply.send(answer);
    }
}
