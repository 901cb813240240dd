//! The layer that gives the transport's own errors a reason.
//!
//! Tonic answers for itself when it cannot read a request, and h2 does when the headers are long. Their words say more about this server
//! than callers need, or nothing, and their codes are not those of the API: OUT_OF_RANGE for a long message, INTERNAL
//! for one that is not protobuf.

use super::limits::{LONGEST_HEADERS, LONGEST_MESSAGE};
use super::read::FieldViolations;
use super::refusal::Refusal;
use super::refused::Refused;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tonic::body::Body;
use tonic::{Code, Status};
use tower::Service;

/// Answers in the API's words where tonic answered in its own.
#[derive(Debug, Clone)]
pub(super) struct GiveReasons<S> {
    inner: S,
}

impl<S> GiveReasons<S> {
    /// Gives the errors of `inner` reasons.
    pub(super) fn new(inner: S) -> Self {
        Self { inner }
    }
}

/// What the API has to say for a status that was not made by it; `None` leaves it as it is.
fn in_our_words(status: &Status) -> Option<Refusal> {
    if Refused::of(status).is_some() {
        return None;
    }
    match status.code() {
        Code::OutOfRange => Some(unreadable(format!(
            "must be at most {LONGEST_MESSAGE} bytes"
        ))),
        Code::Internal => Some(unreadable(
            "must be one message of the method's request type".to_owned(),
        )),
        Code::Unimplemented => Some(Refusal::Unimplemented(
            "the service or encoding is not available",
        )),
        Code::Unknown => Some(Refusal::Internal(status.message().to_owned())),
        // The health and reflection services have protocols of their own; and nobody waits for the
        // answer to a cancelled call.
        _ => None,
    }
}

/// The request as a whole is what cannot be read, hence no field is named.
fn unreadable(why: String) -> Refusal {
    FieldViolations::of("", why).into()
}

/// Refuses headers over the limit, which the transport would answer without a word.
fn too_long(headers: &HeaderMap) -> Option<Refusal> {
    // As HTTP/2 counts them (RFC 9113 §6.5.2).
    let field = |(name, value): (&HeaderName, &HeaderValue)| name.as_str().len() + value.len() + 32;
    let length: usize = headers.iter().map(field).sum();
    (length > LONGEST_HEADERS).then(|| {
        unreadable(format!(
            "must have at most {LONGEST_HEADERS} bytes of headers"
        ))
    })
}

impl<S> Service<Request<Body>> for GiveReasons<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = GiveReasonsFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        GiveReasonsFuture {
            refusal: too_long(request.headers()),
            inner: self.inner.call(request),
        }
    }
}

pin_project! {
    /// The answer of [`GiveReasons`].
    pub(super) struct GiveReasonsFuture<F> {
        // Of a request that is not read.
        refusal: Option<Refusal>,
        #[pin]
        inner: F,
    }
}

impl<F, E> Future for GiveReasonsFuture<F>
where
    F: Future<Output = Result<Response<Body>, E>>,
{
    type Output = Result<Response<Body>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Some(refusal) = this.refusal.take() {
            return Poll::Ready(Ok(refusal.into_response()));
        }
        let response = ready!(this.inner.poll(cx))?;
        let refusal = response.extensions().get::<Status>().and_then(in_our_words);
        Poll::Ready(Ok(match refusal {
            Some(refusal) => refusal.into_response(),
            None => response,
        }))
    }
}
