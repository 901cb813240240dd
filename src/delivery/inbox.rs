//! The inbox of a development machine: a channel that keeps messages in memory and shows them in a
//! browser. Nothing leaves the machine, and a restart forgets everything.

mod http;
mod live;
mod page;
#[cfg(test)]
mod tests;

pub use http::{Basis, router};

use async_trait::async_trait;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

use super::channel::{Channel, OutgoingMessage, SendError};
use crate::domain::id::MessageId;

/// How many messages are kept; the oldest makes room for a new one.
const CAPACITY: usize = 1_000;

/// The newest 1,000 messages. Clones share them.
#[derive(Clone, Default)]
pub struct Inbox {
    messages: Arc<Mutex<VecDeque<Arc<OutgoingMessage>>>>,
    changes: Arc<watch::Sender<()>>,
}

impl Inbox {
    /// Every message that is kept, newest first.
    #[must_use]
    pub fn messages(&self) -> Vec<Arc<OutgoingMessage>> {
        self.lock().iter().cloned().collect()
    }

    /// The message of this id.
    #[must_use]
    pub fn message(&self, message_id: MessageId) -> Option<Arc<OutgoingMessage>> {
        let messages = self.lock();
        let found = messages
            .iter()
            .find(|message| message.message_id == message_id);
        found.cloned()
    }

    /// Forgets every message.
    pub fn clear(&self) {
        self.lock().clear();
        self.changes.send_replace(());
    }

    /// Is told of every change from now on.
    fn changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Arc<OutgoingMessage>>> {
        // No panic can leave a deque half-changed.
        self.messages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Accepts every message. One that comes again takes the place of its earlier copy, as with a
/// gateway that heeds idempotency keys.
#[async_trait]
impl Channel for Inbox {
    async fn send(&self, message: OutgoingMessage) -> Result<(), SendError> {
        {
            let mut messages = self.lock();
            messages.retain(|kept| kept.message_id != message.message_id);
            messages.push_front(Arc::new(message));
            messages.truncate(CAPACITY);
        }
        self.changes.send_replace(());
        Ok(())
    }
}
