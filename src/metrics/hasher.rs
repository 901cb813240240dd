//! Password hashing.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use std::time::Duration;

/// Upper bounds in seconds: a queue that is empty, to the longest a call waits.
const WAITS: [f64; 11] = [
    0.000_5, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0,
];

/// Upper bounds in seconds around the fifteen milliseconds that a hash takes by default.
const WORK: [f64; 11] = [
    0.001, 0.005, 0.01, 0.015, 0.02, 0.03, 0.05, 0.1, 0.25, 0.5, 1.0,
];

/// What a hashing thread does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Hashes a new password.
    Hash,
    /// Verifies a password against a hash.
    Verify,
    /// Judges a new password by the policy.
    Judge,
}

impl Operation {
    const ALL: [Self; 3] = [Self::Hash, Self::Verify, Self::Judge];

    /// The operation's name, also in traces.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hash => "hash",
            Self::Verify => "verify",
            Self::Judge => "judge",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OperationLabels {
    operation: &'static str,
}

/// Measures the hashing threads and the queue before them.
#[derive(Debug, Clone)]
pub struct HasherMetrics {
    depth: Gauge,
    wait: Histogram,
    work: Family<OperationLabels, Histogram, fn() -> Histogram>,
    refused: Counter,
    abandoned: Counter,
}

impl Default for HasherMetrics {
    fn default() -> Self {
        let metrics = Self {
            depth: Gauge::default(),
            wait: Histogram::new(WAITS),
            work: Family::new_with_constructor(|| Histogram::new(WORK)),
            refused: Counter::default(),
            abandoned: Counter::default(),
        };
        for operation in Operation::ALL {
            metrics.work(operation);
        }
        metrics
    }
}

impl HasherMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "hashing_queue_depth",
            "Jobs that wait for a hashing thread",
            self.depth.clone(),
        );
        registry.register_with_unit(
            "hashing_queue_wait",
            "How long jobs waited for a hashing thread",
            Unit::Seconds,
            self.wait.clone(),
        );
        registry.register_with_unit(
            "hashing_duration",
            "How long hashing threads worked on a job",
            Unit::Seconds,
            self.work.clone(),
        );
        registry.register(
            "hashing_refused",
            "Jobs that found the queue full",
            self.refused.clone(),
        );
        registry.register(
            "hashing_abandoned",
            "Jobs that were not begun, because their callers had gone or their time was over",
            self.abandoned.clone(),
        );
    }

    /// So many jobs wait.
    pub fn waiting(&self, jobs: usize) {
        self.depth.set(i64::try_from(jobs).unwrap_or(i64::MAX));
    }

    /// A job has waited so long when it is begun.
    pub fn begun(&self, waited: Duration) {
        self.wait.observe(waited.as_secs_f64());
    }

    /// A job is done and took so long.
    pub fn done(&self, operation: Operation, took: Duration) {
        self.work(operation).observe(took.as_secs_f64());
    }

    /// A job found no place in the queue.
    pub fn refused(&self) {
        self.refused.inc();
    }

    /// A job was not begun, because nobody waited for it any more.
    pub fn abandoned(&self) {
        self.abandoned.inc();
    }

    fn work(&self, operation: Operation) -> Histogram {
        let operation = operation.name();
        self.work
            .get_or_create_owned(&OperationLabels { operation })
    }
}
