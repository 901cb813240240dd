//! The gRPC server: the services, the layers around them, and what the transport bears.

use super::attentive::Attentive;
use super::audit::AuditApi;
use super::authenticate::Authenticate;
use super::callers::Callers;
use super::correlation::Correlate;
use super::deadline::KeepDeadline;
use super::delivery::DeliveryApi;
use super::finished::{Listeners, TellFinished};
use super::foreign::GiveReasons;
use super::limits::{
    CONNECTION_WINDOW, LOCAL_RESETS, LONGEST_FRAME, LONGEST_MESSAGE, LONGEST_RESPONSE,
    MOST_HEADERS, PENDING_RESETS, PING_EVERY, PING_TIME, STREAM_WINDOW, STREAMS,
};
use super::measured::Measured;
use super::panics::CatchPanics;
use crate::clock::Clock;
use crate::domain::keyring::Keyring;
use crate::metrics::Metrics;
use crate::pb;
use crate::pb::account_service_server::{AccountService, AccountServiceServer};
use crate::pb::audit_service_server::AuditServiceServer;
use crate::pb::delivery_service_server::DeliveryServiceServer;
use crate::pb::factor_service_server::{FactorService, FactorServiceServer};
use crate::pb::password_service_server::{PasswordService, PasswordServiceServer};
use crate::random::Random;
use crate::service::refusals::Refusals;
use crate::shutdown::Shutdown;
use crate::store::Store;
use arc_swap::ArcSwap;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_stream::{Stream, StreamExt as _};
use tonic::service::Routes;
use tonic::transport::server::{Connected, Server};
use tonic_health::pb::health_server::HealthServer;
use tonic_health::server::HealthService;
use tonic_reflection::server::Builder as Reflection;
use tower::ServiceBuilder;
use tower::layer::layer_fn;

/// What the server is made of.
pub struct Parts<P, A, F> {
    /// `PasswordService`.
    pub password: P,
    /// `AccountService`.
    pub account: A,
    /// `FactorService`.
    pub factor: F,
    /// `grpc.health.v1.Health`.
    pub health: HealthServer<HealthService>,
    /// What is remembered.
    pub store: Arc<dyn Store>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where names of calls come from.
    pub random: Arc<dyn Random>,
    /// What page tokens are derived from.
    pub keyring: Arc<ArcSwap<Keyring>>,
    /// Who may call what; replaced when the configuration is read again.
    pub callers: Arc<ArcSwap<Callers>>,
    /// Where refusals are counted.
    pub refusals: Arc<Refusals>,
    /// What calls and watches are measured with.
    pub metrics: Metrics,
    /// Whether the reflection services are served.
    pub reflection: bool,
    /// When to end. It is held until every connection has ended and every call has been told of.
    pub shutdown: Shutdown,
}

/// A server, for any number of listeners.
#[derive(Clone)]
pub struct GrpcServer {
    routes: Routes,
    random: Arc<dyn Random>,
    callers: Arc<ArcSwap<Callers>>,
    listeners: Arc<Listeners>,
    shutdown: Shutdown,
}

macro_rules! limited {
    ($service:expr) => {
        $service
            .max_decoding_message_size(LONGEST_MESSAGE)
            .max_encoding_message_size(LONGEST_RESPONSE)
    };
}

impl GrpcServer {
    /// Puts the services together.
    pub fn new<P: PasswordService, A: AccountService, F: FactorService>(
        parts: Parts<P, A, F>,
    ) -> Self {
        let delivery = DeliveryApi::new(
            Arc::clone(&parts.store),
            parts.keyring,
            Arc::clone(&parts.clock),
            Arc::clone(&parts.random),
        );
        let audit = AuditApi::new(parts.store, parts.clock, parts.metrics.watches);
        let routes = Routes::new(limited!(PasswordServiceServer::new(parts.password)))
            .add_service(limited!(AccountServiceServer::new(parts.account)))
            .add_service(limited!(FactorServiceServer::new(parts.factor)))
            .add_service(limited!(DeliveryServiceServer::new(delivery)))
            .add_service(limited!(AuditServiceServer::new(audit)))
            .add_service(limited!(parts.health));
        Self {
            routes: if parts.reflection {
                with_reflection(routes)
            } else {
                routes
            },
            random: parts.random,
            callers: parts.callers,
            listeners: Arc::new(Listeners {
                refusals: parts.refusals,
                measured: Measured::new(parts.metrics.calls),
                _until_told: parts.shutdown.clone(),
            }),
            shutdown: parts.shutdown,
        }
    }

    /// The same server, whose listeners are told to end by this instead.
    #[must_use]
    pub fn until(self, shutdown: Shutdown) -> Self {
        Self { shutdown, ..self }
    }

    /// Serves every connection of a listener until the shutdown; then takes no more, and ends when those
    /// there are have been served. Calls under way are finished, streams are told to resume elsewhere.
    pub async fn serve<IO, E>(
        self,
        incoming: impl Stream<Item = Result<IO, E>>,
    ) -> Result<(), tonic::transport::Error>
    where
        IO: AsyncRead + AsyncWrite + Connected + Unpin + Send + 'static,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let Self {
            routes,
            random,
            callers,
            listeners,
            shutdown,
        } = self;
        let ending = shutdown.clone();
        let layers = ServiceBuilder::new()
            // Whatever happens in a call is told under the call's name.
            .layer(layer_fn(move |inner| {
                Correlate::new(inner, Arc::clone(&random))
            }))
            // Every answer is told and measured and every refusal counted, whoever gave it.
            .layer(layer_fn(move |inner| {
                TellFinished::new(inner, Arc::clone(&listeners))
            }))
            // Nobody gets further without a credential and a scope for the method.
            .layer(layer_fn(move |inner| {
                Authenticate::new(inner, Arc::clone(&callers))
            }))
            // No call takes for ever, and every handler knows how long it has.
            .layer(layer_fn(move |inner| {
                KeepDeadline::new(inner, shutdown.clone())
            }))
            // A panic ends its call and nothing else.
            .layer(layer_fn(CatchPanics::new))
            // What the transport refuses by itself is refused in the API's words.
            .layer(layer_fn(GiveReasons::new))
            .into_inner();
        transport()
            .layer(layers)
            .add_routes(routes)
            .serve_with_incoming_shutdown(
                // Who connects has to say something.
                incoming.map(|io| io.map(Attentive::new)),
                ending.requested(),
            )
            .await
    }
}

/// HTTP/2 with every limit set (CVE-2023-44487; tonic sets few by itself).
fn transport() -> Server {
    Server::builder()
        .max_concurrent_streams(STREAMS)
        .max_frame_size(LONGEST_FRAME)
        .http2_max_header_list_size(MOST_HEADERS)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .http2_max_pending_accept_reset_streams(Some(PENDING_RESETS))
        .http2_max_local_error_reset_streams(Some(LOCAL_RESETS))
        .http2_keepalive_interval(Some(PING_EVERY))
        .http2_keepalive_timeout(Some(PING_TIME))
}

/// Reflection in both of its versions, so that `grpcurl` needs no files.
#[expect(
    clippy::expect_used,
    reason = "the descriptors are compiled in, and a test serves them"
)]
fn with_reflection(routes: Routes) -> Routes {
    let reflection = || {
        Reflection::configure()
            .register_encoded_file_descriptor_set(pb::FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            // So that clients can show the details of an error.
            .register_encoded_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET)
    };
    let v1 = reflection().build_v1().expect("the descriptors are whole");
    let v1alpha = reflection()
        .build_v1alpha()
        .expect("the descriptors are whole");
    routes
        .add_service(limited!(v1))
        .add_service(limited!(v1alpha))
}

#[cfg(test)]
mod tests;
