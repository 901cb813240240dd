//! How busy the writer is.

use std::sync::atomic::{AtomicU64, Ordering};

/// What the writer has done since the store was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriterStatistics {
    /// Commits.
    pub groups: u64,
    /// Operations in them, those included that failed and were taken back alone.
    pub operations: u64,
    /// Operations that wait at this moment.
    pub waiting: usize,
}

/// Counts what is committed.
#[derive(Default)]
pub(super) struct Counters {
    groups: AtomicU64,
    operations: AtomicU64,
}

impl Counters {
    /// One more commit, of this many operations.
    pub(super) fn count(&self, operations: usize) {
        self.groups.fetch_add(1, Ordering::Relaxed);
        self.operations
            .fetch_add(operations as u64, Ordering::Relaxed);
    }

    /// The counts, beside how many operations wait.
    pub(super) fn statistics(&self, waiting: usize) -> WriterStatistics {
        WriterStatistics {
            groups: self.groups.load(Ordering::Relaxed),
            operations: self.operations.load(Ordering::Relaxed),
            waiting,
        }
    }
}
