//! Watches of the audit log, and how far they lag behind it.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// Knows every open watch and the log's head.
#[derive(Debug, Clone, Default)]
pub struct WatchMetrics(Arc<Watches>);

#[derive(Debug, Default)]
struct Watches {
    head: AtomicI64,
    places: Mutex<Vec<Weak<AtomicI64>>>,
}

/// The place that a watch has come to. Dropping it ends the watch.
#[derive(Debug)]
pub struct Place(Arc<AtomicI64>);

impl Place {
    /// Every event up to this one was read.
    pub fn reached(&self, sequence: i64) {
        self.0.store(sequence, Ordering::Relaxed);
    }
}

impl WatchMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register_collector(Box::new(self.clone()));
    }

    /// A watch was opened behind this event.
    #[must_use]
    pub fn opened(&self, after: i64) -> Place {
        let place = Arc::new(AtomicI64::new(after));
        let mut places = self.places();
        places.retain(|place| place.strong_count() > 0);
        places.push(Arc::downgrade(&place));
        Place(place)
    }

    /// The last event of the log.
    pub fn head(&self, sequence: i64) {
        self.0.head.store(sequence, Ordering::Relaxed);
    }

    fn places(&self) -> MutexGuard<'_, Vec<Weak<AtomicI64>>> {
        self.0.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Collector for WatchMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let head = self.0.head.load(Ordering::Relaxed);
        let (mut open, mut lag) = (0_u64, 0);
        for place in self.places().iter().filter_map(Weak::upgrade) {
            open += 1;
            lag = lag.max(head.saturating_sub(place.load(Ordering::Relaxed)));
        }
        let events = encoder.encode_descriptor(
            "audit_events",
            "Events in the audit log.",
            None,
            MetricType::Counter,
        )?;
        ConstCounter::new(u64::try_from(head).unwrap_or(0)).encode(events)?;
        let watchers = encoder.encode_descriptor(
            "audit_watchers",
            "Watches of the audit log that are open.",
            None,
            MetricType::Gauge,
        )?;
        ConstGauge::new(open).encode(watchers)?;
        let behind = encoder.encode_descriptor(
            "audit_watch_lag_events",
            "How many events the slowest open watch has not read yet.",
            None,
            MetricType::Gauge,
        )?;
        ConstGauge::new(lag).encode(behind)
    }
}
