//! The layer that tells what became of a call: one log line, and one count in the audit log if it was
//! refused. Every answer passes here, whoever gave it.

use super::authenticate::Attributed;
use super::callers::Caller;
use super::methods::Method;
use super::refused::Refused;
use super::status::end_of_stream;
use crate::domain::call::CallerName;
use crate::service::refusals::Refusals;
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

/// Logs every call and counts the refused ones.
#[derive(Clone)]
pub(super) struct TellFinished<S> {
    inner: S,
    refusals: Arc<Refusals>,
}

impl<S> TellFinished<S> {
    /// Tells of the calls of `inner`.
    pub(super) fn new(inner: S, refusals: Arc<Refusals>) -> Self {
        Self { inner, refusals }
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
        TellFinishedFuture {
            line: Some(Line {
                method,
                caller: None,
                begun: Instant::now(),
                told: false,
            }),
            refusals: Arc::clone(&self.refusals),
            inner: self.inner.call(request),
        }
    }
}

pin_project! {
    /// The answer of [`TellFinished`].
    pub(super) struct TellFinishedFuture<F> {
        line: Option<Line>,
        refusals: Arc<Refusals>,
        #[pin]
        inner: F,
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
        if let Some(status) = status {
            count(this.refusals, status, caller.as_deref());
        }
        let Some(mut line) = this.line.take() else {
            return Poll::Ready(Ok(response));
        };
        line.caller = caller;
        match status {
            Some(status) => line.tell(status.code(), reason(status)),
            None if line.streams() => {
                return Poll::Ready(Ok(response.map(|inner| Body::new(Told { inner, line }))));
            }
            None => line.tell(Code::Ok, ""),
        }
        Poll::Ready(Ok(response))
    }
}

fn count(refusals: &Refusals, status: &Status, caller: Option<&Caller>) {
    if let Some(summary) = Refused::of(status).and_then(|refused| refused.summary) {
        match caller {
            Some(caller) => refusals.note(summary.event, summary.reason, &caller.name),
            None => refusals.note(summary.event, summary.reason, &CallerName::unknown()),
        }
    }
}

fn reason(status: &Status) -> &'static str {
    Refused::of(status).map_or("", |refused| refused.reason)
}

/// The log line of a call; a call that nobody waits for any more tells so when it is dropped.
struct Line {
    method: Option<&'static Method>,
    caller: Option<Arc<Caller>>,
    begun: Instant,
    told: bool,
}

impl Line {
    fn streams(&self) -> bool {
        self.method.is_some_and(|method| method.streams)
    }

    fn tell(&mut self, code: Code, reason: &str) {
        self.told = true;
        tracing::info!(
            method = self.method.map_or("unlisted", |method| method.path),
            caller = self
                .caller
                .as_ref()
                .map_or("", |caller| caller.name.as_str()),
            ?code,
            reason,
            micros = u64::try_from(self.begun.elapsed().as_micros()).unwrap_or(u64::MAX),
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
            this.line.tell(code, &reason);
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
