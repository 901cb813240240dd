//! What the process tells of itself: a log on standard error, and traces to a collector if there is one. What
//! happened to accounts is the audit log's business.

mod export;
mod spans;

pub use export::TracesRefused;

use crate::config::{Log, LogFormat, Traces};
use crate::metrics::Metrics;
use crate::traces::TARGET;
use export::Export;
use opentelemetry_sdk::trace::SdkTracer;
use std::io::{IsTerminal as _, stderr};
use std::panic::{self, PanicHookInfo};
use std::thread;
use std::time::Duration;
use thiserror::Error;
use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::{MakeWriter, layer};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};
use tracing_subscriber::{Layer, Registry, registry};

/// Why nothing can be told.
#[derive(Debug, Error)]
pub enum TelemetryRefused {
    /// The process has a log already.
    #[error("the log was set up twice")]
    AlreadySet(#[from] TryInitError),
    /// There is no way to the collector.
    #[error(transparent)]
    Traces(#[from] TracesRefused),
}

/// What tells of the process.
#[derive(Debug)]
pub struct Telemetry {
    /// What it is measured with; traces are already.
    pub metrics: Metrics,
    export: Option<Export>,
}

impl Telemetry {
    /// Sets up the log of the process, has panics told in it, and begins with traces; once, and within the tokio runtime
    /// that the process runs on.
    pub fn begin(log: &Log, traces: Option<&Traces>) -> Result<Self, TelemetryRefused> {
        let metrics = Metrics::default();
        let export = traces
            .map(|traces| Export::start(traces, metrics.traces.clone()))
            .transpose()?;
        let makes_spans = export.as_ref().map(Export::tracer);
        subscriber(log, stderr().is_terminal(), stderr, makes_spans).try_init()?;
        panic::set_hook(Box::new(tell));
        Ok(Self { metrics, export })
    }

    /// Hands over what is still to be told, for so long at the most.
    pub async fn end(self, patience: Duration) {
        if let Some(export) = self.export {
            export.end(patience).await;
        }
    }
}

/// Tells where a panic was raised. Its words are told where they stand in the source; others are made
/// of data, and a string cut in the wrong place quotes all of itself, a password included.
fn tell(panic: &PanicHookInfo<'_>) {
    let words: Option<&&'static str> = panic.payload().downcast_ref();
    tracing::error!(
        location = panic.location().map(tracing::field::display),
        thread = thread::current().name(),
        words,
        "a panic"
    );
}

fn subscriber<W>(
    log: &Log,
    terminal: bool,
    writer: W,
    tracer: Option<SdkTracer>,
) -> impl Subscriber + Send + Sync
where
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    let pretty = match log.format {
        LogFormat::Auto => terminal,
        LogFormat::Pretty => true,
        LogFormat::Json => false,
    };
    // Complaining about a log that cannot be written would panic, for it goes the same way.
    let output = layer().with_writer(writer).log_internal_errors(false);
    let output = if pretty {
        output.with_ansi(terminal).boxed()
    } else {
        output.json().flatten_event(true).boxed()
    };
    let filter = log.filter.clone().with_target(TARGET, LevelFilter::OFF);
    let mut layers = vec![output.with_filter(filter).boxed()];
    layers.extend(tracer.map(spans_to));
    registry().with(layers)
}

/// Gives the spans of [`crate::traces`] to a tracer, and nothing that they do not say themselves.
fn spans_to(tracer: SdkTracer) -> Box<dyn Layer<Registry> + Send + Sync> {
    OpenTelemetryLayer::new(tracer)
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_tracked_inactivity(false)
        .with_context_activation(false)
        .with_filter(Targets::new().with_target(TARGET, LevelFilter::INFO))
        .boxed()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::MessageId;
    use crate::domain::message::ChannelKind;
    use crate::traces::{self, CallSpan};
    use opentelemetry::trace::{SpanId, TracerProvider as _};
    use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
    use std::sync::Arc;
    use tempfile::NamedTempFile;
    use tracing::Span;

    /// What is logged of one line each at info and at debug.
    fn logged(format: LogFormat, terminal: bool) -> String {
        let written = NamedTempFile::new().unwrap();
        let log = Log {
            filter: "info".parse().unwrap(),
            format,
        };
        let subscriber = subscriber(&log, terminal, Arc::new(written.reopen().unwrap()), None);
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(port = 50_051, "listening");
            tracing::debug!("not told");
        });
        std::fs::read_to_string(written.path()).unwrap()
    }

    #[test]
    fn machines_read_an_object_a_line() {
        for format in [LogFormat::Auto, LogFormat::Json] {
            let line = logged(format, false);
            let object: serde_json::Value = serde_json::from_str(&line).unwrap();
            assert_eq!(object["message"], "listening");
            assert_eq!(object["port"], 50_051);
            assert_eq!(object["level"], "INFO");
        }
    }

    /// An attempt at delivery, and another span, each with a line in it, as this log has them.
    fn log_beside(filter: &str, tracer: Option<SdkTracer>) -> String {
        let written = NamedTempFile::new().unwrap();
        let writer = Arc::new(written.reopen().unwrap());
        let subscriber = subscriber(&json(filter), false, writer, tracer);
        tracing::subscriber::with_default(subscriber, || {
            attempt().in_scope(|| tracing::info!("within it"));
            tracing::info_span!("another").in_scope(|| tracing::info!("without it"));
        });
        std::fs::read_to_string(written.path()).unwrap()
    }

    fn json(filter: &str) -> Log {
        Log {
            filter: filter.parse().unwrap(),
            format: LogFormat::Json,
        }
    }

    fn attempt() -> Span {
        traces::attempt(MessageId::from_bytes([1; 16]), 1, ChannelKind::Email)
    }

    /// A provider keeps what it exported for as long as it is there.
    fn provider(exported: &InMemorySpanExporter) -> SdkTracerProvider {
        SdkTracerProvider::builder()
            .with_simple_exporter(exported.clone())
            .build()
    }

    #[test]
    fn spans_are_the_collectors_and_the_log_does_not_have_them() {
        // With a single dispatcher alive, what another test's thread thinks of a span would count here.
        let _second = tracing::Dispatch::new(registry());
        let exported = InMemorySpanExporter::default();
        let provider = provider(&exported);
        for filter in ["off", "trace", "relatch.traces=trace,info"] {
            for tracer in [None, Some(provider.tracer("test"))] {
                let log = log_beside(filter, tracer);
                assert!(!log.contains("delivery.attempt"), "{filter}: {log}");
                assert_eq!(log.contains("another"), filter != "off", "{log}");
            }
        }
        let spans = exported.get_finished_spans().unwrap();
        assert_eq!(spans.len(), 3);
        for span in spans {
            assert_eq!(span.name, "delivery.attempt");
            assert!(span.events.is_empty(), "{span:?}");
        }
    }

    /// What is exported of what is done meanwhile.
    fn exported(meanwhile: impl FnOnce()) -> Vec<SpanData> {
        let _second = tracing::Dispatch::new(registry());
        let exported = InMemorySpanExporter::default();
        let provider = provider(&exported);
        let tracer = Some(provider.tracer("test"));
        let subscriber = subscriber(&json("off"), false, std::io::sink, tracer);
        tracing::subscriber::with_default(subscriber, meanwhile);
        exported.get_finished_spans().unwrap()
    }

    #[test]
    fn a_call_ends_when_that_is_said_and_not_when_it_was_last_worked_on() {
        let spans = exported(|| {
            let call = CallSpan::begin(None, None);
            call.span().in_scope(|| {});
            drop(attempt());
            call.end("web", "OK", false, "");
        });
        let [before, call] = spans.as_slice() else {
            panic!("{spans:?}")
        };
        assert_eq!(call.name, "grpc");
        assert!(call.end_time >= before.end_time, "{spans:?}");
    }

    #[test]
    fn an_attempt_is_no_part_of_the_call_around_it() {
        let spans = exported(|| {
            let call = CallSpan::begin(None, None).span();
            call.in_scope(|| drop(attempt()));
        });
        assert_eq!(spans[0].name, "delivery.attempt");
        assert_eq!(spans[0].parent_span_id, SpanId::INVALID);
    }

    #[test]
    fn without_a_collector_nobody_even_asks_whether_a_span_is_wanted() {
        let _second = tracing::Dispatch::new(registry());
        let span = tracing::subscriber::with_default(registry(), attempt);
        let metadata = span.metadata().unwrap();
        let wanted = |tracer| {
            subscriber(&json("trace"), false, std::io::sink, tracer).register_callsite(metadata)
        };
        assert!(wanted(None).is_never());
        let provider = provider(&InMemorySpanExporter::default());
        assert!(!wanted(Some(provider.tracer("test"))).is_never());
    }

    #[test]
    fn people_read_text_in_colour_only_on_a_terminal() {
        assert!(logged(LogFormat::Auto, true).contains("\u{1b}["));
        let plain = logged(LogFormat::Pretty, false);
        assert!(plain.ends_with("listening port=50051\n"), "{plain}");
        assert!(!plain.contains('\u{1b}'));
    }
}
