//! Calls of the API.

use crate::domain::limit::Bucket;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use std::time::Duration;

/// Upper bounds in seconds, from the cheapest refusal to the longest a unary call may take.
const DURATIONS: [f64; 13] = [
    0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0,
];

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
struct MethodLabels {
    service: &'static str,
    method: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    service: &'static str,
    method: &'static str,
    code: &'static str,
    reason: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabels {
    kind: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LimitLabels {
    limit: &'static str,
}

/// Counts and times calls.
#[derive(Debug, Clone)]
pub struct CallMetrics {
    finished: Family<CallLabels, Counter>,
    durations: Family<MethodLabels, Histogram, fn() -> Histogram>,
    in_flight: Family<KindLabels, Gauge>,
    limit_hits: Family<LimitLabels, Counter>,
}

impl Default for CallMetrics {
    fn default() -> Self {
        let metrics = Self {
            finished: Family::default(),
            durations: Family::new_with_constructor(|| Histogram::new(DURATIONS)),
            in_flight: Family::default(),
            limit_hits: Family::default(),
        };
        for bucket in Bucket::ALL {
            metrics.limit_hits(bucket.name());
        }
        for streams in [false, true] {
            metrics.in_flight(streams);
        }
        metrics
    }
}

impl CallMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "grpc_calls",
            "Calls that have ended, by code and reason",
            self.finished.clone(),
        );
        registry.register_with_unit(
            "grpc_call_duration",
            "How long unary calls took",
            Unit::Seconds,
            self.durations.clone(),
        );
        registry.register(
            "grpc_calls_in_flight",
            "Calls under way",
            self.in_flight.clone(),
        );
        registry.register(
            "limit_hits",
            "How often a limit was met",
            self.limit_hits.clone(),
        );
    }

    /// The handles of one method, so that its labels are looked up once. `path` is `/service/method`, from
    /// the table of methods and never from a request.
    #[must_use]
    pub fn of(&self, path: &'static str, streams: bool) -> MethodMetrics {
        let (service, method) = path
            .strip_prefix('/')
            .and_then(|path| path.split_once('/'))
            .unwrap_or((path, path));
        let labels = MethodLabels { service, method };
        let ok = CallLabels {
            service,
            method,
            code: "OK",
            reason: "",
        };
        MethodMetrics {
            labels,
            ok: self.finished.get_or_create_owned(&ok),
            finished: self.finished.clone(),
            // A stream lasts as long as its caller likes.
            duration: (!streams).then(|| self.durations.get_or_create_owned(&labels)),
            in_flight: self.in_flight(streams),
        }
    }

    /// Counts a limit that was met, by its name.
    pub fn limit_hit(&self, limit: &'static str) {
        self.limit_hits(limit).inc();
    }

    /// Counts that the limit per typed address was met so many times.
    pub fn identifier_limit_hits(&self, times: u32) {
        self.limit_hits(Bucket::Identifier.name())
            .inc_by(times.into());
    }

    fn limit_hits(&self, limit: &'static str) -> Counter {
        self.limit_hits.get_or_create_owned(&LimitLabels { limit })
    }

    fn in_flight(&self, streams: bool) -> Gauge {
        let kind = if streams { "stream" } else { "unary" };
        self.in_flight.get_or_create_owned(&KindLabels { kind })
    }
}

/// Counts and times the calls of one method.
#[derive(Debug)]
pub struct MethodMetrics {
    labels: MethodLabels,
    ok: Counter,
    finished: Family<CallLabels, Counter>,
    duration: Option<Histogram>,
    in_flight: Gauge,
}

impl MethodMetrics {
    /// One more call is under way.
    pub fn begin(&self) {
        self.in_flight.inc();
    }

    /// A call that had begun has ended. `code` and `reason` are of the API's own lists; "" is no reason.
    pub fn finish(&self, code: &'static str, reason: &'static str, took: Duration) {
        self.in_flight.dec();
        if let Some(duration) = &self.duration {
            duration.observe(took.as_secs_f64());
        }
        if code == "OK" {
            self.ok.inc();
            return;
        }
        let MethodLabels { service, method } = self.labels;
        let labels = CallLabels {
            service,
            method,
            code,
            reason,
        };
        self.finished.get_or_create(&labels).inc();
    }
}
