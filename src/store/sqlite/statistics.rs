//! How busy the writer is.

use crate::metrics::WriterMetrics;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

/// What the writer has done since the store was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriterStatistics {
    /// Commits.
    pub groups: u64,
    /// Those that were synced to the disk.
    pub syncs: u64,
    /// Operations in them, those included that failed and were taken back alone.
    pub operations: u64,
    /// Operations that wait at this moment.
    pub waiting: usize,
}

/// Counts what is committed.
#[derive(Default)]
pub(super) struct Counters {
    groups: AtomicU64,
    syncs: AtomicU64,
    operations: AtomicU64,
    metrics: WriterMetrics,
    /// Below zero when that is to be counted.
    unresolved: AtomicI64,
}

impl Counters {
    /// Nothing was committed yet; from now on it is measured, too.
    pub(super) fn new(metrics: WriterMetrics) -> Self {
        Self {
            metrics,
            unresolved: AtomicI64::new(-1),
            ..Self::default()
        }
    }

    /// One more commit, of this many operations, which took so long and left so many requests unresolved.
    pub(super) fn count(&self, operations: usize, commit: Duration, unresolved: u32) {
        self.unresolved.store(unresolved.into(), Ordering::Relaxed);
        self.metrics.committed(operations, commit);
        self.groups.fetch_add(1, Ordering::Relaxed);
        self.operations
            .fetch_add(operations as u64, Ordering::Relaxed);
    }

    /// One commit was synced.
    pub(super) fn count_sync(&self) {
        self.syncs.fetch_add(1, Ordering::Relaxed);
    }

    /// A group was lost.
    pub(super) fn count_lost(&self) {
        self.unresolved.store(-1, Ordering::Relaxed);
        self.metrics.failed();
    }

    /// How many requests the intake holds; `None` when that is to be counted.
    pub(super) fn unresolved(&self) -> Option<u32> {
        u32::try_from(self.unresolved.load(Ordering::Relaxed)).ok()
    }

    /// The counts, beside how many operations wait.
    pub(super) fn statistics(&self, waiting: usize) -> WriterStatistics {
        WriterStatistics {
            groups: self.groups.load(Ordering::Relaxed),
            syncs: self.syncs.load(Ordering::Relaxed),
            operations: self.operations.load(Ordering::Relaxed),
            waiting,
        }
    }
}
