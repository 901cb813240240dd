//! Connections as they come, their handshakes done.

use super::connection::Connection;
use super::identity::Protocol;
use super::watch::IdentityHandle;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Sleep, sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_stream::Stream;

/// How long a handshake may take: several times what a slow mobile network needs.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Handshakes under way at a time. Over it whoever has taken longest is cut off, which is nobody in
/// earnest unless the machine is overrun.
const HANDSHAKES: usize = 1_024;

/// How long to wait after the system could not give a connection: it is out of file descriptors, and asking
/// again at once would only take the processor from those who could close some.
const PAUSE: Duration = Duration::from_millis(100);

/// The connections of one listener. A handshake keeps nobody else waiting.
#[derive(Debug)]
pub struct Incoming {
    listener: TcpListener,
    tls: Option<(IdentityHandle, Protocol)>,
    handshakes: JoinSet<Option<Connection>>,
    /// The same, the longest under way first.
    begun: VecDeque<AbortHandle>,
    pause: Option<Pin<Box<Sleep>>>,
}

/// In plain text.
impl From<TcpListener> for Incoming {
    fn from(listener: TcpListener) -> Self {
        Self {
            listener,
            tls: None,
            handshakes: JoinSet::new(),
            begun: VecDeque::new(),
            pause: None,
        }
    }
}

impl Incoming {
    /// With TLS by the identity that is in force when a connection comes.
    #[must_use]
    pub fn with_tls(listener: TcpListener, identity: IdentityHandle, protocol: Protocol) -> Self {
        Self {
            tls: Some((identity, protocol)),
            ..Self::from(listener)
        }
    }

    fn poll_connection(&mut self, cx: &mut Context<'_>) -> Poll<Connection> {
        loop {
            if let Poll::Ready(Some(done)) = self.handshakes.poll_join_next(cx) {
                match done {
                    Ok(Some(connection)) => return Poll::Ready(connection),
                    // It failed or was cut off.
                    Ok(None) | Err(_) => continue,
                }
            }
            if let Some(pause) = &mut self.pause {
                ready!(pause.as_mut().poll(cx));
                self.pause = None;
            }
            match ready!(self.listener.poll_accept(cx)) {
                Ok((stream, _)) => {
                    // Answers are small and waited for; where the system cannot, they only come later.
                    let _ = stream.set_nodelay(true);
                    match &self.tls {
                        None => return Poll::Ready(Connection::Plain(stream)),
                        Some((identity, protocol)) => {
                            let config = identity.load().config(*protocol);
                            self.shake_hands(TlsAcceptor::from(config), stream);
                        }
                    }
                }
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    tracing::warn!(%error, "no connection can be accepted at the moment");
                    self.pause = Some(Box::pin(sleep(PAUSE)));
                }
            }
        }
    }

    fn shake_hands(&mut self, acceptor: TlsAcceptor, stream: TcpStream) {
        while self.begun.front().is_some_and(AbortHandle::is_finished) {
            self.begun.pop_front();
        }
        if self.begun.len() >= HANDSHAKES
            && let Some(longest) = self.begun.pop_front()
        {
            longest.abort();
        }
        self.begun.push_back(self.handshakes.spawn(async move {
            match timeout(HANDSHAKE, acceptor.accept(stream)).await {
                Ok(Ok(stream)) => Some(Connection::after_handshake(stream)),
                Ok(Err(error)) => {
                    tracing::debug!(%error, "a TLS handshake failed");
                    None
                }
                Err(_) => {
                    tracing::debug!("a TLS handshake took too long");
                    None
                }
            }
        }));
    }
}

/// The peer has gone again; the next connection is another matter.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
    )
}

/// For gRPC.
impl Stream for Incoming {
    type Item = io::Result<Connection>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_connection(cx).map(|io| Some(Ok(io)))
    }
}

/// For the web listeners.
impl axum::serve::Listener for Incoming {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        let connection = poll_fn(|cx| self.poll_connection(cx)).await;
        let peer = match &connection {
            Connection::Plain(stream) => stream.peer_addr(),
            Connection::Tls(stream, _) => stream.get_ref().0.peer_addr(),
        };
        // One that has gone already is served all the same, and found to be gone.
        let unknown = SocketAddr::from(([0, 0, 0, 0], 0));
        (connection, peer.unwrap_or(unknown))
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}
