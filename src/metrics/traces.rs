//! Traces.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;

/// Counts what became of spans.
#[derive(Debug, Clone, Default)]
pub struct TraceMetrics {
    exported: Counter,
    dropped: Counter,
}

impl TraceMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "trace_spans_exported",
            "Spans that the collector took",
            self.exported.clone(),
        );
        registry.register(
            "trace_spans_dropped",
            "Spans that found no place, or that the collector did not take",
            self.dropped.clone(),
        );
    }

    /// The collector took so many spans.
    pub fn exported(&self, spans: usize) {
        self.exported
            .inc_by(u64::try_from(spans).unwrap_or(u64::MAX));
    }

    /// So many spans were lost.
    pub fn dropped(&self, spans: usize) {
        self.dropped
            .inc_by(u64::try_from(spans).unwrap_or(u64::MAX));
    }

    /// How many spans were lost so far.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.dropped.get()
    }
}
