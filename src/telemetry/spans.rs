//! The way of spans to the collector: what has no business there stays here, and nobody waits.

use crate::metrics::TraceMetrics;
use crate::traces::ATTRIBUTES;
use opentelemetry::Context;
use opentelemetry::trace::Status;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    Span, SpanData, SpanEvents, SpanExporter, SpanLinks, SpanProcessor,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// Places for spans that are not yet at the collector.
#[derive(Debug)]
pub(super) struct Places {
    taken: AtomicUsize,
    most: usize,
    full: AtomicBool,
    metrics: TraceMetrics,
}

impl Places {
    /// So many, all of them free.
    pub(super) fn new(most: usize, metrics: TraceMetrics) -> Self {
        Self {
            taken: AtomicUsize::new(0),
            most,
            full: AtomicBool::new(false),
            metrics,
        }
    }

    fn take(&self) -> bool {
        let taken = self.taken.fetch_add(1, Ordering::AcqRel);
        if taken < self.most {
            return true;
        }
        self.taken.fetch_sub(1, Ordering::AcqRel);
        self.metrics.dropped(1);
        self.full.store(true, Ordering::Relaxed);
        false
    }

    fn leave(&self, spans: usize) {
        self.taken.fetch_sub(spans, Ordering::AcqRel);
    }
}

/// Drops the spans for which there is no place, and counts them.
#[derive(Debug)]
pub(super) struct Bounded<P> {
    inner: P,
    places: Arc<Places>,
}

impl<P> Bounded<P> {
    /// Before `inner`, which holds at least as many spans as there are places.
    pub(super) fn new(inner: P, places: Arc<Places>) -> Self {
        Self { inner, places }
    }
}

impl<P: SpanProcessor> SpanProcessor for Bounded<P> {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.inner.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        if self.places.take() {
            self.inner.on_end(span);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}

/// Takes out of spans what is not meant for the collector, and tells when it cannot be reached and when it can
/// again. Runs on the thread that exports, where nobody waits for it.
#[derive(Debug)]
pub(super) struct Told<E> {
    inner: E,
    places: Arc<Places>,
    lost: AtomicBool,
    overflowed: AtomicBool,
}

impl<E> Told<E> {
    /// Around `inner`, which gets the spans that took these places.
    pub(super) fn new(inner: E, places: Arc<Places>) -> Self {
        Self {
            inner,
            places,
            lost: AtomicBool::new(false),
            overflowed: AtomicBool::new(false),
        }
    }

    fn tell(&self, spans: usize, result: &OTelSdkResult) {
        let metrics = &self.places.metrics;
        match result {
            Ok(()) => {
                metrics.exported(spans);
                if self.lost.swap(false, Ordering::Relaxed) {
                    tracing::info!(dropped = metrics.lost(), "the collector takes spans again");
                }
            }
            Err(error) => {
                metrics.dropped(spans);
                if !self.lost.swap(true, Ordering::Relaxed) {
                    tracing::warn!(%error, "the collector does not take spans, which are dropped until it does");
                }
            }
        }
        if self.places.full.load(Ordering::Relaxed)
            && !self.overflowed.swap(true, Ordering::Relaxed)
        {
            tracing::warn!(
                "there are more spans than the collector takes, and the surplus is dropped: see [traces] ratio"
            );
        }
    }
}

impl<E: SpanExporter> SpanExporter for Told<E> {
    async fn export(&self, mut batch: Vec<SpanData>) -> OTelSdkResult {
        batch.iter_mut().for_each(keep_what_may_be_told);
        let spans = batch.len();
        let result = self.inner.export(batch).await;
        self.places.leave(spans);
        self.tell(spans, &result);
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn shutdown(&self) -> OTelSdkResult {
        self.inner.shutdown()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}

/// Names, ids and [`ATTRIBUTES`]; words that somebody else chose are none of it.
fn keep_what_may_be_told(span: &mut SpanData) {
    span.attributes
        .retain(|attribute| ATTRIBUTES.contains(&attribute.key.as_str()));
    span.events = SpanEvents::default();
    span.links = SpanLinks::default();
    if let Status::Error { description } = &mut span.status {
        *description = "".into();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use opentelemetry::KeyValue;
    use opentelemetry::trace::{
        Span as _, SpanBuilder, SpanContext, Tracer as _, TracerProvider as _,
    };
    use opentelemetry_sdk::error::OTelSdkError;
    use opentelemetry_sdk::trace::{SdkTracerProvider, SimpleSpanProcessor};
    use std::sync::Mutex;
    use tempfile::NamedTempFile;

    /// Keeps what it takes; refuses everything while it is away.
    #[derive(Debug, Clone, Default)]
    struct Collector {
        taken: Arc<Mutex<Vec<SpanData>>>,
        away: Arc<AtomicBool>,
    }

    impl SpanExporter for Collector {
        async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
            if self.away.load(Ordering::Relaxed) {
                return Err(OTelSdkError::InternalFailure("away".to_owned()));
            }
            self.taken.lock().unwrap().extend(batch);
            Ok(())
        }
    }

    /// Hands every span to the collector at once.
    fn provider(collector: &Collector, places: &Arc<Places>) -> SdkTracerProvider {
        let told = Told::new(collector.clone(), Arc::clone(places));
        SdkTracerProvider::builder()
            .with_span_processor(Bounded::new(
                SimpleSpanProcessor::new(told),
                Arc::clone(places),
            ))
            .build()
    }

    fn places(most: usize) -> Arc<Places> {
        Arc::new(Places::new(most, TraceMetrics::default()))
    }

    #[test]
    fn nothing_leaves_but_what_may_be_told() {
        let collector = Collector::default();
        let provider = provider(&collector, &places(1));
        let attributes = [
            KeyValue::new("email", "canary@example.com"),
            KeyValue::new("rpc.method", "a/B"),
            KeyValue::new("exception.message", "canary"),
        ];
        let builder = SpanBuilder::from_name("call").with_attributes(attributes);
        let mut span = builder.start(&provider.tracer("test"));
        span.add_event("canary", vec![KeyValue::new("rpc.method", "canary")]);
        span.add_link(
            SpanContext::empty_context(),
            vec![KeyValue::new("rpc.method", "canary")],
        );
        span.set_status(Status::error("canary"));
        span.end();
        let taken = collector.taken.lock().unwrap();
        let [span] = taken.as_slice() else {
            panic!("{taken:?}")
        };
        assert_eq!(span.attributes, [KeyValue::new("rpc.method", "a/B")]);
        assert_eq!(span.status, Status::error(""));
        let everything = format!("{span:?}");
        assert!(!everything.contains("canary"), "{everything}");
    }

    /// Holds spans and hands none over.
    #[derive(Debug, Default)]
    struct Full(Mutex<usize>);

    impl SpanProcessor for Full {
        fn on_start(&self, _: &mut Span, _: &Context) {}

        fn on_end(&self, _: SpanData) {
            *self.0.lock().unwrap() += 1;
        }

        fn force_flush(&self) -> OTelSdkResult {
            Ok(())
        }

        fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
            Ok(())
        }
    }

    #[test]
    fn a_span_without_a_place_is_dropped_and_counted() {
        let collector = Collector::default();
        provider(&collector, &places(1))
            .tracer("test")
            .start("call")
            .end();
        let span = collector.taken.lock().unwrap().remove(0);

        let places = places(2);
        let bounded = Bounded::new(Full::default(), Arc::clone(&places));
        for (held, lost) in [(1, 0), (2, 0), (2, 1), (2, 2)] {
            bounded.on_end(span.clone());
            assert_eq!(
                (*bounded.inner.0.lock().unwrap(), places.metrics.lost()),
                (held, lost)
            );
        }
        places.leave(2);
        bounded.on_end(span);
        assert_eq!(*bounded.inner.0.lock().unwrap(), 3);
    }

    /// What is logged meanwhile.
    fn told(meanwhile: impl FnOnce()) -> String {
        let written = NamedTempFile::new().unwrap();
        let log = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(Arc::new(written.reopen().unwrap()))
            .finish();
        tracing::subscriber::with_default(log, meanwhile);
        std::fs::read_to_string(written.path()).unwrap()
    }

    #[test]
    fn a_collector_that_goes_and_comes_back_is_told_once_each_time() {
        let (collector, places) = (Collector::default(), places(1));
        let tracer = provider(&collector, &places).tracer("test");
        let told = told(|| {
            for away in [false, true, true, true, false, false, true] {
                collector.away.store(away, Ordering::Relaxed);
                tracer.start("call").end();
            }
        });
        let count = |words| told.matches(words).count();
        assert_eq!(count("the collector does not take spans"), 2, "{told}");
        assert_eq!(count("takes spans again dropped=3"), 1, "{told}");
        assert_eq!(places.metrics.lost(), 4);
        assert_eq!(collector.taken.lock().unwrap().len(), 3);
    }

    #[test]
    fn too_many_spans_are_told_once() {
        let (collector, places) = (Collector::default(), places(1));
        let tracer = provider(&collector, &places).tracer("test");
        let told = told(|| {
            for _ in 0..3 {
                assert!(places.take());
                tracer.start("call").end();
                places.leave(1);
                tracer.start("call").end();
            }
        });
        assert_eq!(told.matches("more spans than").count(), 1, "{told}");
        assert_eq!(places.metrics.lost(), 3);
    }
}
