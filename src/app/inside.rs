//! A way to the API for who shares the process: connections that are memory, and a caller like any other at their end.

use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::io;
use tokio::io::{DuplexStream, duplex};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt as _};
use tonic::transport::{Channel, Endpoint};
use tower::service_fn;

/// Bytes that may be on their way in each direction.
const BUFFER: usize = 64 * 1024;

/// What the server is to serve.
pub(super) struct Connections(ReceiverStream<DuplexStream>);

impl Connections {
    /// Each as it is made, until nobody is left who could make one.
    pub(super) fn incoming(self) -> impl Stream<Item = Result<DuplexStream, Infallible>> {
        self.0.map(Ok)
    }
}

/// A channel, and what comes of it at the other end. It connects when it is first used, and again when it has to.
pub(super) fn way() -> (Channel, Connections) {
    let (sender, receiver) = mpsc::channel(1);
    let connect = service_fn(move |_| {
        let sender = sender.clone();
        async move {
            let (near, far) = duplex(BUFFER);
            let sent = sender.send(far).await;
            sent.map_err(|_| io::Error::from(io::ErrorKind::ConnectionRefused))?;
            Ok::<_, io::Error>(TokioIo::new(near))
        }
    });
    // The name is never looked up.
    let channel = Endpoint::from_static("http://relatch").connect_with_connector_lazy(connect);
    (channel, Connections(ReceiverStream::new(receiver)))
}
