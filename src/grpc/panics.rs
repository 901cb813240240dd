//! The layer that turns a panic into an answer, so that it ends one call and nothing else.

use super::refusal::Refusal;
use http::{Request, Response};
use pin_project_lite::pin_project;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};
use tonic::body::Body;
use tower::Service;

/// Answers INTERNAL where `inner` panics.
#[derive(Debug, Clone)]
pub(super) struct CatchPanics<S> {
    inner: S,
}

impl<S> CatchPanics<S> {
    /// Catches the panics of `inner`.
    pub(super) fn new(inner: S) -> Self {
        Self { inner }
    }
}

impl<S> Service<Request<Body>> for CatchPanics<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = CatchPanicsFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        // Generated services do nothing but box their futures here.
        CatchPanicsFuture {
            inner: self.inner.call(request),
        }
    }
}

pin_project! {
    /// The answer of [`CatchPanics`].
    pub(super) struct CatchPanicsFuture<F> {
        #[pin]
        inner: F,
    }
}

impl<F, E> Future for CatchPanicsFuture<F>
where
    F: Future<Output = Result<Response<Body>, E>>,
{
    type Output = Result<Response<Body>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let inner = self.project().inner;
        // Whatever a panic leaves half-done is dropped with the call: what calls share is behind locks
        // that recover from poisoning, or in the store.
        catch_unwind(AssertUnwindSafe(|| inner.poll(cx))).unwrap_or_else(|_| {
            // The panic hook has said where; its words may quote data and stay out of the log.
            let refusal = Refusal::Internal("a handler panicked".to_owned());
            Poll::Ready(Ok(refusal.into_response()))
        })
    }
}
