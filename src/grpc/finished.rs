//! The layer that tells what became of a call: one log line, one span, the metrics, and one count in the audit log
//! if it was refused. Every answer passes here, whoever gave it.

use super::authenticate::Attributed;
use super::callers::Caller;
use super::measured::Measured;
use super::methods::Method;
use super::reasons::{code_name, is_fault, known};
use super::refused::Refused;
use super::status::end_of_stream;
use crate::domain::audit::EventName;
use crate::domain::call::{CallerName, CorrelationId};
use crate::service::refusals::Refusals;
use crate::shutdown::Shutdown;
use crate::traces::CallSpan;
use http::{Request, Response};
use http_body::{Body as HttpBody, Frame, SizeHint};
use pin_project_lite::pin_project;
use prost::bytes::Bytes;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::time::Instant;
use tonic::body::Body;
use tonic::{Code, Status};
use tower::Service;
use tracing::instrument::{Instrument as _, Instrumented};

/// Who is told.
pub(super) struct Listeners {
    /// Counts refusals for the audit log.
    pub(super) refusals: Arc<Refusals>,
    /// Counts and times calls.
    pub(super) measured: Measured,
    /// Held until the last call has been told of, for whoever waits for that.
    pub(super) _until_told: Shutdown,
}

/// Logs and traces every call, measures it, and counts the refused ones.
#[derive(Clone)]
pub(super) struct TellFinished<S> {
    inner: S,
    listeners: Arc<Listeners>,
}

impl<S> TellFinished<S> {
    /// Tells of the calls of `inner`.
    pub(super) fn new(inner: S, listeners: Arc<Listeners>) -> Self {
        Self { inner, listeners }
    }
}

impl<S> Service<Request<Body>> for TellFinished<S>
where
    S: Service<Request<Body>, Response = Attributed>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = TellFinishedFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let method = Method::of(request.uri().path());
        let id = request.extensions().get::<CorrelationId>();
        let span = CallSpan::begin(method.map(|method| method.path), id);
        let within = span.span();
        TellFinishedFuture {
            line: Some(Line::begin(method, span, Arc::clone(&self.listeners))),
            inner: within
                .in_scope(|| self.inner.call(request))
                .instrument(within),
        }
    }
}

pin_project! {
    /// The answer of [`TellFinished`].
    pub(super) struct TellFinishedFuture<F> {
        line: Option<Line>,
        #[pin]
        inner: Instrumented<F>,
    }
}

impl<F, E> Future for TellFinishedFuture<F>
where
    F: Future<Output = Result<Attributed, E>>,
{
    type Output = Result<Response<Body>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Attributed { caller, response } = ready!(this.inner.poll(cx))?;
        let status = response.extensions().get::<Status>();
        let Some(mut line) = this.line.take() else {
            return Poll::Ready(Ok(response));
        };
        line.caller = caller;
        match status {
            Some(status) => line.tell_refused(status),
            None if line.streams() => {
                return Poll::Ready(Ok(response.map(|inner| Body::new(Told { inner, line }))));
            }
            None => line.tell(Code::Ok, ""),
        }
        Poll::Ready(Ok(response))
    }
}

/// The log line of a call, and its span; a call that nobody waits for any more tells so when it is dropped.
struct Line {
    method: Option<&'static Method>,
    caller: Option<Arc<Caller>>,
    span: CallSpan,
    listeners: Arc<Listeners>,
    begun: Instant,
    told: bool,
}

impl Line {
    fn begin(method: Option<&'static Method>, span: CallSpan, listeners: Arc<Listeners>) -> Self {
        listeners.measured.of(method).begin();
        Self {
            method,
            caller: None,
            span,
            listeners,
            begun: Instant::now(),
            told: false,
        }
    }

    fn streams(&self) -> bool {
        self.method.is_some_and(|method| method.streams)
    }

    fn tell_refused(&mut self, status: &Status) {
        let refused = Refused::of(status);
        if let Some(summary) = refused.and_then(|refused| refused.summary) {
            let Listeners {
                refusals, measured, ..
            } = &*self.listeners;
            match &self.caller {
                Some(caller) => refusals.note(summary.event, summary.reason, &caller.name),
                None => refusals.note(summary.event, summary.reason, &CallerName::unknown()),
            }
            if summary.event == EventName::RateLimited {
                measured.limit_hit(summary.reason);
            }
        }
        self.tell(status.code(), refused.map_or("", |refused| refused.reason));
    }

    fn tell(&mut self, code: Code, reason: &'static str) {
        self.told = true;
        let (fault, code, took) = (is_fault(code), code_name(code), self.begun.elapsed());
        let caller = self.caller.as_ref();
        let caller = caller.map_or("", |caller| caller.name.as_str());
        let measured = self.listeners.measured.of(self.method);
        measured.finish(code, reason, took);
        self.span.end(caller, code, fault, reason);
        tracing::info!(
            method = self.method.map_or("unlisted", |method| method.path),
            caller,
            code,
            reason,
            trace_id = self.span.trace_id().map(tracing::field::display),
            micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
            "call finished"
        );
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if !self.told {
            self.tell(Code::Cancelled, "");
        }
    }
}

pin_project! {
    /// A stream whose end is told.
    struct Told {
        #[pin]
        inner: Body,
        line: Line,
    }
}

impl HttpBody for Told {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = self.project();
        let frame = ready!(this.inner.poll_frame(cx));
        let trailers = frame
            .as_ref()
            .and_then(|frame| frame.as_ref().ok()?.trailers_ref());
        if let Some((code, reason)) = trailers.and_then(end_of_stream) {
            this.line.tell(code, known(&reason));
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::fake_log::{NotRandom, StoppedClock};
    use crate::metrics::CallMetrics;
    use crate::shutdown;
    use std::convert::Infallible;
    use tower::service_fn;

    #[tokio::test]
    async fn who_waits_for_the_last_call_waits_until_it_has_been_told_of() {
        let (trigger, until_told) = shutdown::channel();
        let listeners = Listeners {
            refusals: Arc::new(Refusals::new(Arc::new(StoppedClock), Arc::new(NotRandom))),
            measured: Measured::new(CallMetrics::default()),
            _until_told: until_told,
        };
        let never = service_fn(|_| std::future::pending::<Result<Attributed, Infallible>>());
        let mut service = TellFinished::new(never, Arc::new(listeners));
        let call = service.call(Request::new(Body::empty()));
        drop(service);
        let waiting = tokio::spawn(async move { trigger.nobody_left().await });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(call);
        waiting.await.unwrap();
    }
}
