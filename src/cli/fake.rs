//! A service for the tests of commands, reached through memory, so that time can stand still.

use super::server::Server;
use super::{Failure, Output};
use crate::domain::caller::CallerToken;
use hyper_util::rt::TokioIo;
use std::io;
use tokio::io::DuplexStream;
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::service::Routes;
use tonic::transport::Endpoint;
use tower::service_fn;

/// Begins to serve, and gives the way there. The caller's token is made of 32 sevens.
pub(super) fn serve(routes: Routes) -> Server {
    let (connections, incoming) = mpsc::unbounded_channel::<io::Result<DuplexStream>>();
    tokio::spawn(
        tonic::transport::Server::builder()
            .add_routes(routes)
            .serve_with_incoming(UnboundedReceiverStream::new(incoming)),
    );
    let channel = Endpoint::from_static("http://fake").connect_with_connector_lazy(service_fn(
        move |_: http::Uri| {
            let (near, far) = tokio::io::duplex(64 * 1_024);
            let sent = connections.send(Ok(far));
            async move { sent.map(|()| TokioIo::new(near)).map_err(io::Error::other) }
        },
    ));
    Server::new(
        "fake:1".to_owned(),
        channel,
        &CallerToken::from_bytes(&[7; 32]),
    )
    .unwrap()
}

/// How a command ended, what it printed and what it noted.
pub(super) async fn printed(
    command: impl AsyncFnOnce(&mut Output<'_>) -> Result<(), Failure>,
) -> (Result<(), Failure>, String, String) {
    let (mut out, mut notes) = (Vec::new(), Vec::new());
    let ended = command(&mut Output::new(&mut out, &mut notes)).await;
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (ended, text(out), text(notes))
}
