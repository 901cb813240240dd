//! The writer: one thread that owns the connection that writes.

use super::group::Groups;
use super::job::{Job, Pending};
use super::queue::{Priority, Queue};
use super::work::Work;
use crate::domain::audit::Sequence;
use crate::store::{Doubt, StoreError};
use std::io;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use tokio::sync::{oneshot, watch};

/// What the writer has done since the store was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriterStatistics {
    /// Commits.
    pub groups: u64,
    /// Operations that were committed or refused within those.
    pub operations: u64,
    /// Operations that wait at this moment.
    pub waiting: usize,
}

/// Hands operations to the writer's thread. Dropping it lets the thread finish what waits, fold the
/// write-ahead log into the database, and end.
pub(super) struct Writer {
    queue: Arc<Queue<Box<dyn Job>>>,
    counters: Arc<Counters>,
    head: watch::Receiver<Sequence>,
    work: watch::Receiver<u64>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Counters {
    groups: AtomicU64,
    operations: AtomicU64,
}

impl Writer {
    /// Starts the thread; `waiting` operations of each priority may wait for it.
    pub(super) fn start(groups: Groups, waiting: NonZeroUsize) -> io::Result<Self> {
        let queue = Arc::new(Queue::new(waiting));
        let counters = Arc::new(Counters::default());
        let (head, work) = (groups.head.subscribe(), groups.work.subscribe());
        let thread = thread::Builder::new()
            .name("relatch-writer".to_owned())
            .spawn({
                let (queue, counters) = (queue.clone(), counters.clone());
                move || write(groups, &queue, &counters)
            })?;
        Ok(Self {
            queue,
            counters,
            head,
            work,
            thread: Some(thread),
        })
    }

    /// Runs `operation` in the next group and waits for the commit. Whatever it did is taken back
    /// when it returns an error or panics. Dropping the future before the operation's turn has come
    /// cancels it, afterwards only its answer.
    ///
    /// Too many waiting is `Unavailable` without doubt.
    pub(super) async fn submit<T, F>(
        &self,
        priority: Priority,
        operation: F,
    ) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Work<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        self.queue
            .push(priority, Box::new(Pending::new(operation, reply)))
            .map_err(StoreError::unavailable)?;
        answer.await.unwrap_or_else(|_| {
            Err(StoreError::Unavailable {
                doubt: Doubt::Unknown,
                cause: "the writer ended without an answer".into(),
            })
        })
    }

    /// Follows the audit log's head.
    pub(super) fn head(&self) -> watch::Receiver<Sequence> {
        self.head.clone()
    }

    /// Follows the moments at which operations woke the workers.
    pub(super) fn work(&self) -> watch::Receiver<u64> {
        self.work.clone()
    }

    /// What it has done so far.
    pub(super) fn statistics(&self) -> WriterStatistics {
        WriterStatistics {
            groups: self.counters.groups.load(Ordering::Relaxed),
            operations: self.counters.operations.load(Ordering::Relaxed),
            waiting: self.queue.len(),
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue.close();
        if let Some(Err(_)) = self.thread.take().map(JoinHandle::join) {
            tracing::error!("the store's writer ended by a panic");
        }
    }
}

fn write(mut groups: Groups, queue: &Queue<Box<dyn Job>>, counters: &Counters) {
    let _abandon = AbandonOnExit(queue);
    let mut group = Vec::new();
    while queue.take(&mut group) {
        let committed = groups.commit(&mut group);
        counters
            .groups
            .fetch_add(u64::from(committed > 0), Ordering::Relaxed);
        counters
            .operations
            .fetch_add(committed as u64, Ordering::Relaxed);
    }
    groups.finish();
}

/// Should the thread ever end by a panic, then those who wait are answered, and nobody waits again.
struct AbandonOnExit<'queue>(&'queue Queue<Box<dyn Job>>);

impl Drop for AbandonOnExit<'_> {
    fn drop(&mut self) {
        self.0.abandon();
    }
}
