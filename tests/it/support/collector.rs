//! A collector of traces that keeps what it is sent.

use super::certificates::Pair;
use data_encoding::HEXLOWER;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Identity;
use tonic::transport::server::{Server, ServerTlsConfig};
use tonic::{Request, Response, Status};

/// A collector that listens on loopback. Dropping it ends it.
pub(crate) struct Collector {
    pub(crate) address: SocketAddr,
    taken: Arc<Mutex<Vec<ExportTraceServiceRequest>>>,
    serving: JoinHandle<()>,
}

/// A span as a test looks at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    pub name: String,
    /// The ids, in hexadecimal digits; a root has no parent.
    pub trace: String,
    pub id: String,
    pub parent: String,
    /// The number that OTLP has for it: 1 is internal, 2 a server.
    pub kind: i32,
    /// Likewise: 0 is unset, 2 an error.
    pub status: i32,
    pub attributes: BTreeMap<String, String>,
}

struct Desk {
    taken: Arc<Mutex<Vec<ExportTraceServiceRequest>>>,
    answers: bool,
}

#[tonic::async_trait]
impl TraceService for Desk {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        if !self.answers {
            std::future::pending::<()>().await;
        }
        self.taken.lock().unwrap().push(request.into_inner());
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

impl Collector {
    /// One that takes everything.
    pub(crate) async fn start() -> Self {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        Self::serve(any, None, true).await
    }

    /// One that takes everything, on a port where perhaps another was.
    pub(crate) async fn start_at(address: SocketAddr) -> Self {
        Self::serve(address, None, true).await
    }

    /// One that takes everything, by TLS.
    pub(crate) async fn start_with_tls(certificate: &Pair) -> Self {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let identity = Identity::from_pem(&certificate.cert, &certificate.key);
        Self::serve(any, Some(ServerTlsConfig::new().identity(identity)), true).await
    }

    /// One that listens and never answers.
    pub(crate) async fn start_hanging() -> Self {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        Self::serve(any, None, false).await
    }

    async fn serve(address: SocketAddr, tls: Option<ServerTlsConfig>, answers: bool) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let taken = Arc::<Mutex<Vec<_>>>::default();
        let desk = Desk {
            taken: Arc::clone(&taken),
            answers,
        };
        let mut server = Server::builder();
        if let Some(tls) = tls {
            server = server.tls_config(tls).unwrap();
        }
        let serving = server
            .add_service(TraceServiceServer::new(desk))
            .serve_with_incoming(TcpListenerStream::new(listener));
        Self {
            address,
            taken,
            serving: tokio::spawn(async move { serving.await.unwrap() }),
        }
    }

    /// The spans that it took.
    pub(crate) fn spans(&self) -> Vec<Told> {
        let taken = self.taken.lock().unwrap();
        taken
            .iter()
            .flat_map(|request| &request.resource_spans)
            .flat_map(|resource| &resource.scope_spans)
            .flat_map(|scope| &scope.spans)
            .map(Told::from)
            .collect()
    }

    /// The spans of this name that it took.
    pub(crate) fn named(&self, name: &str) -> Vec<Told> {
        let mut spans = self.spans();
        spans.retain(|span| span.name == name);
        spans
    }

    /// Everything that it took, as it came over the wire.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let taken = self.taken.lock().unwrap();
        taken.iter().flat_map(Message::encode_to_vec).collect()
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl From<&Span> for Told {
    fn from(span: &Span) -> Self {
        assert_eq!(span.events.len() + span.links.len(), 0, "{span:?}");
        assert!(span.trace_state.is_empty(), "{span:?}");
        let status = span.status.as_ref();
        assert!(
            status.is_none_or(|status| status.message.is_empty()),
            "{span:?}"
        );
        let attributes = span.attributes.iter().map(|attribute| {
            let value = attribute
                .value
                .as_ref()
                .and_then(|value| value.value.as_ref());
            let text = match value {
                Some(Value::StringValue(text)) => text.clone(),
                Some(Value::IntValue(number)) => number.to_string(),
                other => panic!("{other:?}"),
            };
            (attribute.key.clone(), text)
        });
        Self {
            name: span.name.clone(),
            trace: HEXLOWER.encode(&span.trace_id),
            id: HEXLOWER.encode(&span.span_id),
            parent: HEXLOWER.encode(&span.parent_span_id),
            kind: span.kind,
            status: status.map_or(0, |status| status.code),
            attributes: attributes.collect(),
        }
    }
}
