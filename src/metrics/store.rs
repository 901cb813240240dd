//! What waits in the store. It is asked for when somebody scrapes, and left out while the store does not
//! answer: an old number would pass for a new one.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric as _};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What waits in the store at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreNumbers {
    /// Operations that wait to be written.
    pub operations: u64,
    /// Requests for links that are not resolved.
    pub unresolved: u64,
    /// Messages whose next attempt is due.
    pub due: u64,
    /// Messages that are being tried, or wait for their next attempt.
    pub later: u64,
    /// For how long the oldest of both has been waiting; zero when there is none.
    pub oldest: Duration,
    /// Size of the database file, in bytes.
    pub database_bytes: u64,
    /// Size of the write-ahead log, in bytes.
    pub wal_bytes: u64,
}

/// Tells what waits in the store.
#[derive(Debug, Clone, Default)]
pub struct StoreMetrics(Arc<Mutex<Option<StoreNumbers>>>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabels {
    state: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FileLabels {
    file: &'static str,
}

impl StoreMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register_collector(Box::new(self.clone()));
    }

    /// What waits at present; `None` when the store did not answer.
    pub fn set(&self, numbers: Option<StoreNumbers>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = numbers;
    }
}

impl Collector for StoreMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let numbers = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut gauge = |name, help, value: u64| {
            let metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            ConstGauge::new(value).encode(metric)
        };
        gauge(
            "store_up",
            "Whether the store answered for this scrape.",
            numbers.is_some().into(),
        )?;
        let Some(numbers) = numbers else {
            return Ok(());
        };
        gauge(
            "store_queue_depth",
            "Operations that wait to be written.",
            numbers.operations,
        )?;
        gauge(
            "intake_waiting",
            "Requests for links that wait to be resolved.",
            numbers.unresolved,
        )?;
        let mut states = encoder.encode_descriptor(
            "outbox_messages",
            "Messages that are not settled: due now, or being tried or put off until later.",
            None,
            MetricType::Gauge,
        )?;
        for (state, count) in [("due", numbers.due), ("later", numbers.later)] {
            let labels = StateLabels { state };
            ConstGauge::new(count).encode(states.encode_family(&labels)?)?;
        }
        let oldest = encoder.encode_descriptor(
            "outbox_oldest_age",
            "For how long the oldest message that is not settled has been waiting.",
            Some(&Unit::Seconds),
            MetricType::Gauge,
        )?;
        ConstGauge::new(numbers.oldest.as_secs_f64()).encode(oldest)?;
        let mut sizes = encoder.encode_descriptor(
            "store_size",
            "Size of the database's files.",
            Some(&Unit::Bytes),
            MetricType::Gauge,
        )?;
        let files = [
            ("database", numbers.database_bytes),
            ("wal", numbers.wal_bytes),
        ];
        for (file, bytes) in files {
            ConstGauge::new(bytes).encode(sizes.encode_family(&FileLabels { file })?)?;
        }
        Ok(())
    }
}
