//! The layer that lets nobody pass without a credential and a scope for the method. Who has shown one is a stranger
//! to the listener no more.

use super::callers::{Caller, Callers};
use super::methods::{Access, Method};
use super::refusal::Refusal;
use crate::domain::caller::{CallerToken, ProvenNames};
use crate::peers::Peer;
use crate::traces;
use arc_swap::ArcSwap;
use http::header::AUTHORIZATION;
use http::{HeaderMap, Request, Response};
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tonic::body::Body;
use tower::Service;

/// An answer, and whom it is for.
#[derive(Debug)]
pub(super) struct Attributed {
    /// The caller; `None` when no credential was shown, or none was needed.
    pub(super) caller: Option<Arc<Caller>>,
    /// The answer.
    pub(super) response: Response<Body>,
}

/// Puts the [`Caller`] into the request of every call that may pass, and refuses the others.
#[derive(Debug, Clone)]
pub(super) struct Authenticate<S> {
    inner: S,
    callers: Arc<ArcSwap<Callers>>,
}

impl<S> Authenticate<S> {
    /// Guards `inner`. Whoever swaps the callers changes what the next call may do.
    pub(super) fn new(inner: S, callers: Arc<ArcSwap<Callers>>) -> Self {
        Self { inner, callers }
    }
}

/// Who calls; `None` where nobody is asked. A token goes before a certificate, so that services behind
/// one proxy can be told apart.
fn identify(
    callers: &Callers,
    method: Option<&Method>,
    headers: &HeaderMap,
    names: Option<&ProvenNames>,
) -> Result<Option<Arc<Caller>>, Refusal> {
    if method.is_some_and(|method| matches!(method.access, Access::Anyone)) {
        return Ok(None);
    }
    let caller = if headers.contains_key(AUTHORIZATION) {
        bearer_token(headers).and_then(|token| callers.by_token(&token))
    } else {
        names.and_then(|names| callers.by_names(names))
    };
    caller
        .map(|caller| Some(Arc::clone(caller)))
        .ok_or(Refusal::CallerUnknown)
}

/// The token of `authorization: Bearer TOKEN` (RFC 6750 §2.1); the scheme in any case (RFC 9110 §11.1).
fn bearer_token(headers: &HeaderMap) -> Option<CallerToken> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let token = scheme.eq_ignore_ascii_case("bearer").then_some(token)?;
    CallerToken::parse(token).ok()
}

/// Whether who calls may call this; what is not listed nobody may.
fn admit(method: Option<&Method>, caller: Option<&Caller>) -> Result<(), Refusal> {
    let permitted = method.is_some_and(|method| match caller {
        Some(caller) => method.permits(&caller.scopes),
        None => matches!(method.access, Access::Anyone),
    });
    if permitted {
        Ok(())
    } else {
        Err(Refusal::ScopeMissing)
    }
}

impl<S> Service<Request<Body>> for Authenticate<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
{
    type Response = Attributed;
    type Error = S::Error;
    type Future = AuthenticateFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let method = Method::of(request.uri().path());
        let peer = request.extensions().get::<Peer>();
        let names = peer.map(|peer| &peer.names);
        let caller = match identify(&self.callers.load(), method, request.headers(), names) {
            Ok(caller) => caller,
            Err(refusal) => return AuthenticateFuture::refused(None, refusal),
        };
        if let (Some(peer), Some(_)) = (peer, &caller) {
            peer.standing.called();
        }
        if let Err(refusal) = admit(method, caller.as_deref()) {
            return AuthenticateFuture::refused(caller, refusal);
        }
        if let Some(caller) = &caller {
            // Not of strangers: they would decide what is traced.
            traces::follow(request.headers());
            request.extensions_mut().insert(Arc::clone(caller));
        }
        AuthenticateFuture {
            caller,
            answer: Answer::Awaited {
                inner: self.inner.call(request),
            },
        }
    }
}

pin_project! {
    /// The answer of [`Authenticate`].
    pub(super) struct AuthenticateFuture<F> {
        caller: Option<Arc<Caller>>,
        #[pin]
        answer: Answer<F>,
    }
}

pin_project! {
    #[project = AnswerProjection]
    enum Answer<F> {
        Refused { response: Option<Response<Body>> },
        Awaited { #[pin] inner: F },
    }
}

impl<F> AuthenticateFuture<F> {
    fn refused(caller: Option<Arc<Caller>>, refusal: Refusal) -> Self {
        let response = Some(refusal.into_response());
        Self {
            caller,
            answer: Answer::Refused { response },
        }
    }
}

impl<F, E> Future for AuthenticateFuture<F>
where
    F: Future<Output = Result<Response<Body>, E>>,
{
    type Output = Result<Attributed, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let response = match this.answer.project() {
            AnswerProjection::Refused { response } => match response.take() {
                Some(response) => response,
                // A finished future is not polled again.
                None => return Poll::Pending,
            },
            AnswerProjection::Awaited { inner } => ready!(inner.poll(cx))?,
        };
        Poll::Ready(Ok(Attributed {
            caller: this.caller.take(),
            response,
        }))
    }
}
