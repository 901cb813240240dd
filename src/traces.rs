//! What traces tell: every span there is, with every attribute that it may have.
//!
//! Spans are made here and nowhere else, out of names that stand in the source, numbers, and the ids by which log
//! and audit log name calls and messages. Nothing of a person has a place in them, and what is not in [`ATTRIBUTES`]
//! does not leave the process. Without a collector a span costs a look at a flag.
//!
//! Calls are named as the OpenTelemetry conventions for RPC have it (the release candidate after 1.37).

use crate::domain::call::CorrelationId;
use crate::domain::id::MessageId;
use crate::domain::message::ChannelKind;
use crate::metrics::{AttemptEnd, Operation};
use http::HeaderMap;
use opentelemetry::propagation::{Extractor, TextMapPropagator as _};
use opentelemetry::trace::{TraceContextExt as _, TraceId};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::field::Empty;
use tracing::{Level, Span, info_span, span_enabled};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// The target of spans that are told to the collector, and of nothing else. The log does not have them.
pub const TARGET: &str = "relatch.traces";

/// What may be told of a span.
pub const ATTRIBUTES: [&str; 11] = [
    "rpc.system.name",
    "rpc.method",
    "rpc.response.status_code",
    "error.type",
    "relatch.caller",
    "relatch.reason",
    "relatch.request_id",
    "relatch.message_id",
    "relatch.channel",
    "relatch.attempt",
    "relatch.outcome",
];

const TRACEPARENT: &str = "traceparent";

/// The span of a call, from its headers to its answer or the end of its stream.
#[derive(Debug, Clone)]
pub struct CallSpan(Span);

impl CallSpan {
    /// Begins the span of a call to the method of this path; `None` is one that is not served.
    #[must_use]
    pub fn begin(path: Option<&'static str>, request_id: Option<&CorrelationId>) -> Self {
        let method = path.map(|path| path.trim_start_matches('/'));
        Self(info_span!(
            target: TARGET,
            "call",
            otel.name = method.unwrap_or("grpc"),
            otel.kind = "server",
            otel.status_code = Empty,
            rpc.system.name = "grpc",
            rpc.method = method.unwrap_or("_OTHER"),
            rpc.response.status_code = Empty,
            error.type = Empty,
            relatch.caller = Empty,
            relatch.reason = Empty,
            relatch.request_id = request_id.map(tracing::field::display),
        ))
    }

    /// What is done within it is told as a part of it.
    #[must_use]
    pub fn span(&self) -> Span {
        self.0.clone()
    }

    /// The id of its trace, if the collector is told of it.
    #[must_use]
    pub fn trace_id(&self) -> Option<TraceId> {
        if self.0.is_disabled() {
            return None;
        }
        let context = self.0.context();
        let span = context.span();
        let told = span.span_context();
        told.is_sampled().then(|| told.trace_id())
    }

    /// Says how the call ended: its caller, if it was known, the code, whether that is a fault of this side, and the
    /// API's reason.
    pub fn end(&self, caller: &str, code: &'static str, is_fault: bool, reason: &'static str) {
        if self.0.is_disabled() {
            return;
        }
        // The end of a span is when it was left for the last time.
        let _entered = self.0.enter();
        self.0.record("rpc.response.status_code", code);
        if is_fault {
            self.0.record("otel.status_code", "error");
            self.0.record("error.type", code);
        }
        if !caller.is_empty() {
            self.0.record("relatch.caller", caller);
        }
        if !reason.is_empty() {
            self.0.record("relatch.reason", reason);
        }
    }
}

/// Makes the present call a part of the trace that its caller names in `traceparent` (W3C Trace Context). What cannot be
/// read, or is there twice, counts as absent; `tracestate` is other people's words and is left behind.
pub fn follow(headers: &HeaderMap) {
    let call = present();
    if !call.is_disabled() && headers.contains_key(TRACEPARENT) {
        let parent = TraceContextPropagator::new().extract(&Traceparent(headers));
        // It can be set: nothing was done within the call yet.
        let _ = call.set_parent(parent);
    }
}

struct Traceparent<'a>(&'a HeaderMap);

impl Extractor for Traceparent<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        let mut values = self.0.get_all(name).iter();
        let value = values.next().filter(|_| name == TRACEPARENT)?;
        values.next().is_none().then(|| value.to_str().ok())?
    }

    fn keys(&self) -> Vec<&str> {
        vec![TRACEPARENT]
    }
}

/// The way of a job through the hashing threads: first it waits, then it is worked on.
#[derive(Debug)]
pub struct HashingSpans {
    call: Span,
    /// Ends when it is dropped.
    _waiting: Span,
}

impl HashingSpans {
    /// The job of the present call begins to wait.
    #[must_use]
    pub fn wait() -> Self {
        let call = present();
        let waiting = if call.is_disabled() {
            Span::none()
        } else {
            info_span!(target: TARGET, parent: &call, "hashing.wait")
        };
        Self {
            call,
            _waiting: waiting,
        }
    }

    /// A thread begins to work on it. The span ends when it is dropped.
    #[must_use]
    pub fn work(self, operation: Operation) -> Span {
        if self.call.is_disabled() {
            return Span::none();
        }
        let name = format_args!("hashing.{}", operation.name());
        info_span!(target: TARGET, parent: &self.call, "hashing", otel.name = %name)
    }
}

/// The present call waits until what it wrote is on the disk. What nobody calls for is told nobody.
#[must_use]
pub fn commit() -> Span {
    let call = present();
    if call.is_disabled() {
        return Span::none();
    }
    info_span!(target: TARGET, parent: &call, "store.commit")
}

/// An attempt to deliver a message.
///
/// It begins a trace of its own: whoever reads the trace of a RequestReset must not learn from it whether anybody
/// was written to.
#[must_use]
pub fn attempt(message_id: MessageId, attempt: u32, channel: ChannelKind) -> Span {
    info_span!(
        target: TARGET,
        parent: None,
        "delivery.attempt",
        otel.status_code = Empty,
        relatch.message_id = %message_id,
        relatch.attempt = attempt,
        relatch.channel = channel.name(),
        relatch.outcome = Empty,
    )
}

/// The present attempt has ended like this.
pub fn attempted(end: AttemptEnd) {
    let attempt = present();
    attempt.record("relatch.outcome", end.name());
    if end != AttemptEnd::Accepted {
        attempt.record("otel.status_code", "error");
    }
}

/// The innermost span around that is told to the collector; none, and at no cost, without one.
fn present() -> Span {
    if !span_enabled!(target: TARGET, Level::INFO) {
        return Span::none();
    }
    let present = Span::current();
    let is_told = present
        .metadata()
        .is_some_and(|metadata| metadata.target() == TARGET);
    if is_told { present } else { Span::none() }
}
