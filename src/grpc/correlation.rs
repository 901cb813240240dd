//! The layer that gives a call its name.
//!
//! The caller's `x-request-id`, if it is a clean one, or a name of our own: in every log line of the
//! call, in its audit events, and in the answer's `x-request-id`.

use super::methods::Method;
use crate::domain::call::CorrelationId;
use crate::random::{self, Random};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body::{Body as HttpBody, Frame, SizeHint};
use pin_project_lite::pin_project;
use prost::bytes::Bytes;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tonic::Status;
use tonic::body::Body;
use tower::Service;
use tracing::instrument::{Instrument as _, Instrumented};
use tracing::{Span, info_span};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Runs each call in a span that carries its [`CorrelationId`], which it also puts into the request.
#[derive(Clone)]
pub(super) struct Correlate<S> {
    inner: S,
    random: Arc<dyn Random>,
}

impl<S> Correlate<S> {
    /// Names the calls of `inner`.
    pub(super) fn new(inner: S, random: Arc<dyn Random>) -> Self {
        Self { inner, random }
    }

    fn name(&self, headers: &HeaderMap) -> CorrelationId {
        let given = headers
            .get(REQUEST_ID)
            .and_then(|value| value.to_str().ok());
        given.and_then(CorrelationId::parse).unwrap_or_else(|| {
            // Without entropy calls lose their names, which is no reason to refuse them.
            CorrelationId::from_random(random::array(&*self.random).unwrap_or_default())
        })
    }
}

impl<S> Service<Request<Body>> for Correlate<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = CorrelateFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let streams = Method::of(request.uri().path()).is_some_and(|method| method.streams);
        let id = self.name(request.headers());
        let header = HeaderValue::from_str(id.as_str()).ok();
        let span = info_span!("call", request_id = %id);
        request.extensions_mut().insert(id);
        let inner = span.in_scope(|| self.inner.call(request));
        CorrelateFuture {
            inner: inner.instrument(span),
            header,
            streams,
        }
    }
}

pin_project! {
    /// The answer of [`Correlate`].
    pub(super) struct CorrelateFuture<F> {
        #[pin]
        inner: Instrumented<F>,
        header: Option<HeaderValue>,
        streams: bool,
    }
}

impl<F, E> Future for CorrelateFuture<F>
where
    F: Future<Output = Result<Response<Body>, E>>,
{
    type Output = Result<Response<Body>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let mut response = ready!(this.inner.as_mut().poll(cx))?;
        if let Some(header) = this.header.take() {
            response.headers_mut().insert(REQUEST_ID, header);
        }
        if *this.streams {
            response = in_span(response, this.inner.span());
        }
        Poll::Ready(Ok(response))
    }
}

/// A stream goes on in the span of its call.
fn in_span(response: Response<Body>, span: &Span) -> Response<Body> {
    response.map(|body| {
        Body::new(InSpan {
            inner: body.instrument(span.clone()),
        })
    })
}

pin_project! {
    struct InSpan {
        #[pin]
        inner: Instrumented<Body>,
    }
}

impl HttpBody for InSpan {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let inner = self.project().inner;
        let span = inner.span().clone();
        span.in_scope(|| inner.inner_pin_mut().poll_frame(cx))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.inner().is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.inner().size_hint()
    }
}
