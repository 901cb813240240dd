//! The thread that writes to the store.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use std::time::Duration;

/// Upper bounds in seconds: a disk with a cache that a power loss spares, to one that is failing.
const COMMITS: [f64; 13] = [
    0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0,
];

/// Measures groups of operations that share a commit.
#[derive(Debug, Clone)]
pub struct WriterMetrics {
    operations: Histogram,
    commits: Histogram,
    failed: Counter,
}

impl Default for WriterMetrics {
    fn default() -> Self {
        Self {
            operations: Histogram::new(exponential_buckets(1.0, 2.0, 10)),
            commits: Histogram::new(COMMITS),
            failed: Counter::default(),
        }
    }
}

impl WriterMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "store_group_operations",
            "Operations that shared a commit",
            self.operations.clone(),
        );
        registry.register_with_unit(
            "store_commit_duration",
            "How long commits took, the sync to the disk included",
            Unit::Seconds,
            self.commits.clone(),
        );
        registry.register(
            "store_groups_failed",
            "Groups of operations that could not be committed",
            self.failed.clone(),
        );
    }

    /// A group of so many operations was committed, and the commit itself took so long.
    pub fn committed(&self, operations: usize, commit: Duration) {
        let operations = u32::try_from(operations).unwrap_or(u32::MAX);
        self.operations.observe(operations.into());
        self.commits.observe(commit.as_secs_f64());
    }

    /// A group was lost.
    pub fn failed(&self) {
        self.failed.inc();
    }
}
