//! The layer that lets no call take for ever.
//!
//! A unary call has 5 s, or what its `grpc-timeout` says if that is less; a stream has an hour, and ends
//! before when the service is about to. Tonic's own timeout would answer CANCELLED.

use super::context::Deadline;
use super::limits::{STREAM_TIME, UNARY_TIME};
use super::methods::Method;
use super::overdue::Overdue;
use super::refusal::Refusal;
use crate::peers::Peer;
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
        let peer = request.extensions().get::<Peer>();
        let stream = streams.then(|| Streaming {
            shutdown: self.shutdown.clone(),
            overdue: peer.map(|peer| Overdue::new(deadline, peer.standing.clone())),
        });
        KeepDeadlineFuture {
            inner: self.inner.call(request),
            sleep: sleep_until(deadline),
            stream,
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
        stream: Option<Streaming>,
    }
}

/// What ends a stream.
struct Streaming {
    shutdown: Shutdown,
    /// `None` where there is no connection to cut.
    overdue: Option<Overdue>,
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
            return Poll::Ready(answer.map(|response| match this.stream.take() {
                Some(stream) => {
                    response.map(|body| Body::new(Expiring::new(body, deadline, stream)))
                }
                None => response,
            }));
        }
        this.sleep.poll(cx).map(|()| {
            let refusal = match this.stream {
                Some(_) => Refusal::StreamExpired,
                None => Refusal::DeadlineExceeded,
            };
            Ok(refusal.into_response())
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
        _overdue: Option<Overdue>,
    }
}

impl Expiring {
    fn new(inner: Body, deadline: Instant, stream: Streaming) -> Self {
        let Streaming { shutdown, overdue } = stream;
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
            _overdue: overdue,
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
            let trailers = Refusal::StreamExpired.into_trailers();
            return Poll::Ready(Some(trailers.map(Frame::trailers)));
        }
        this.inner.poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.ended || self.inner.is_end_stream()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grpc::refused::Refused;
    use crate::shutdown;
    use proptest::prelude::*;
    use std::convert::Infallible;
    use tower::{ServiceExt as _, service_fn};

    /// What a method that never answers comes to, and after how long.
    async fn unanswered(path: &str, timeout: Option<&str>) -> (Option<&'static str>, Duration) {
        let never = service_fn(|_| std::future::pending::<Result<Response<Body>, Infallible>>());
        let (_trigger, shutdown) = shutdown::channel();
        let mut request = Request::builder().uri(path);
        if let Some(timeout) = timeout {
            request = request.header("grpc-timeout", timeout);
        }
        let begun = Instant::now();
        let request = request.body(Body::empty()).unwrap();
        let response = KeepDeadline::new(never, shutdown)
            .oneshot(request)
            .await
            .unwrap();
        let status = response.extensions().get::<Status>().and_then(Refused::of);
        (
            status.map(|refused| refused.reason),
            begun.elapsed().min(STREAM_TIME),
        )
    }

    #[tokio::test(start_paused = true)]
    async fn a_unary_call_has_five_seconds_or_less_if_its_caller_has_less() {
        const UNARY: &str = "/relatch.v1.PasswordService/RequestReset";
        for (timeout, seconds) in [
            (None, 5),
            (Some("2S"), 2),
            (Some("1H"), 5),
            (Some("soon"), 5),
        ] {
            let (reason, waited) = unanswered(UNARY, timeout).await;
            assert_eq!(
                (reason, waited.as_secs()),
                (Some("DEADLINE_EXCEEDED"), seconds),
                "{timeout:?}"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_has_an_hour_to_begin_and_to_end() {
        let (reason, waited) = unanswered("/relatch.v1.AuditService/WatchEvents", Some("2S")).await;
        assert_eq!((reason, waited), (Some("STREAM_EXPIRED"), STREAM_TIME));
    }

    #[test]
    fn a_timeout_is_up_to_eight_digits_and_a_unit() {
        assert_eq!(grpc_timeout("3H"), Some(Duration::from_hours(3)));
        assert_eq!(grpc_timeout("5M"), Some(Duration::from_mins(5)));
        assert_eq!(
            grpc_timeout("99999999S"),
            Some(Duration::from_secs(99_999_999))
        );
        assert_eq!(grpc_timeout("100m"), Some(Duration::from_millis(100)));
        assert_eq!(grpc_timeout("7u"), Some(Duration::from_micros(7)));
        assert_eq!(grpc_timeout("0n"), Some(Duration::ZERO));
        for wrong in ["", "S", "5", "5s", "-5S", "+5S", "123456789S", "5 S", "5é"] {
            assert_eq!(grpc_timeout(wrong), None, "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn no_timeout_panics(text in ".*") {
            let _ = grpc_timeout(&text);
        }
    }
}
