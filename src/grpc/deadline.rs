//! The layer that lets no call take for ever.
//!
//! A unary call has 5 s, or what its `grpc-timeout` says if that is less; a stream has an hour, and ends
//! before when the service is about to. Tonic's own timeout would answer CANCELLED.

use super::context::Deadline;
use super::limits::{STREAM_TIME, UNARY_TIME};
use super::methods::Method;
use super::refusal::Refusal;
use crate::shutdown::Shutdown;
use http::{HeaderMap, Request, Response};
use http_body::{Body as HttpBody, Frame};
use pin_project_lite::pin_project;
use prost::bytes::Bytes;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep_until};
use tonic::Status;
use tonic::body::Body;
use tower::Service;

/// Answers in time where `inner` does not, and tells it how long it has.
#[derive(Debug, Clone)]
pub(super) struct KeepDeadline<S> {
    inner: S,
    shutdown: Shutdown,
}

impl<S> KeepDeadline<S> {
    /// Limits the calls of `inner`; its streams end when a shutdown is requested.
    pub(super) fn new(inner: S, shutdown: Shutdown) -> Self {
        Self { inner, shutdown }
    }
}

impl<S> Service<Request<Body>> for KeepDeadline<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = KeepDeadlineFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let streams = Method::of(request.uri().path()).is_some_and(|method| method.streams);
        let time = if streams {
            STREAM_TIME
        } else {
            time_for(request.headers())
        };
        let deadline = Instant::now() + time;
        request.extensions_mut().insert(Deadline(deadline));
        KeepDeadlineFuture {
            inner: self.inner.call(request),
            sleep: sleep_until(deadline),
            shutdown: streams.then(|| self.shutdown.clone()),
        }
    }
}

/// How long a unary call may take.
fn time_for(headers: &HeaderMap) -> Duration {
    let asked = headers
        .get("grpc-timeout")
        .and_then(|value| grpc_timeout(value.to_str().ok()?));
    asked.map_or(UNARY_TIME, |asked| asked.min(UNARY_TIME))
}

/// Reads a timeout: up to eight digits and a unit (the gRPC protocol over HTTP/2).
fn grpc_timeout(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if !(1..=8).contains(&digits.len()) || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let amount = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_hours(amount)),
        "M" => Some(Duration::from_mins(amount)),
        "S" => Some(Duration::from_secs(amount)),
        "m" => Some(Duration::from_millis(amount)),
        "u" => Some(Duration::from_micros(amount)),
        "n" => Some(Duration::from_nanos(amount)),
        _ => None,
    }
}

pin_project! {
    /// The answer of [`KeepDeadline`].
    pub(super) struct KeepDeadlineFuture<F> {
        #[pin]
        inner: F,
        #[pin]
        sleep: Sleep,
        // Of a stream.
        shutdown: Option<Shutdown>,
    }
}

impl<F, E> Future for KeepDeadlineFuture<F>
where
    F: Future<Output = Result<Response<Body>, E>>,
{
    type Output = Result<Response<Body>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Poll::Ready(answer) = this.inner.poll(cx) {
            let deadline = this.sleep.deadline();
            return Poll::Ready(answer.map(|response| match this.shutdown.take() {
                Some(shutdown) => {
                    response.map(|body| Body::new(Expiring::new(body, deadline, shutdown)))
                }
                None => response,
            }));
        }
        this.sleep.poll(cx).map(|()| {
            let refusal = match this.shutdown {
                Some(_) => Refusal::StreamExpired,
                None => Refusal::DeadlineExceeded,
            };
            Ok(Status::from(refusal).into_http())
        })
    }
}

pin_project! {
    /// A stream that ends with STREAM_EXPIRED when its time is over.
    struct Expiring {
        #[pin]
        inner: Body,
        end: Pin<Box<dyn Future<Output = ()> + Send>>,
        ended: bool,
    }
}

impl Expiring {
    fn new(inner: Body, deadline: Instant, shutdown: Shutdown) -> Self {
        let end = Box::pin(async move {
            tokio::select! {
                () = sleep_until(deadline) => {}
                () = shutdown.requested() => {}
            }
        });
        Self {
            inner,
            end,
            ended: false,
        }
    }
}

impl HttpBody for Expiring {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = self.project();
        if *this.ended {
            return Poll::Ready(None);
        }
        if this.end.as_mut().poll(cx).is_ready() {
            *this.ended = true;
            let mut trailers = HeaderMap::new();
            let written = Status::from(Refusal::StreamExpired).add_header(&mut trailers);
            return Poll::Ready(Some(written.map(|()| Frame::trailers(trailers))));
        }
        this.inner.poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.ended || self.inner.is_end_stream()
    }
}
