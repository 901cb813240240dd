//! Connections as they come, their handshakes done.

use super::connection::Connection;
use super::identity::Protocol;
use super::watch::IdentityHandle;
use crate::peers::{Guarded, Places};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Sleep, sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_stream::Stream;

/// How long a handshake may take: several times what a slow mobile network needs.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// How long to wait after the system could not give a connection: it is out of file descriptors, and asking
/// again at once would only take the processor from those who could close some.
const PAUSE: Duration = Duration::from_millis(100);

/// Where connections are to come.
#[derive(Debug)]
pub struct Socket {
    listener: TcpListener,
    tls: Option<(IdentityHandle, Protocol)>,
}

/// In plain text.
impl From<TcpListener> for Socket {
    fn from(listener: TcpListener) -> Self {
        Self {
            listener,
            tls: None,
        }
    }
}

impl Socket {
    /// With TLS by the identity that is in force when a connection comes.
    #[must_use]
    pub fn with_tls(listener: TcpListener, identity: IdentityHandle, protocol: Protocol) -> Self {
        Self {
            listener,
            tls: Some((identity, protocol)),
        }
    }

    /// Its connections, each in one of these places from the moment it comes.
    #[must_use]
    pub fn incoming(self, places: Places) -> Incoming {
        Incoming {
            socket: self,
            places,
            handshakes: JoinSet::new(),
            pause: None,
            told: false,
        }
    }
}

/// The connections of one listener. A handshake keeps nobody else waiting.
#[derive(Debug)]
pub struct Incoming {
    socket: Socket,
    places: Places,
    handshakes: JoinSet<Option<Connection>>,
    pause: Option<Pin<Box<Sleep>>>,
    /// Whether the log knows that no connection can be accepted.
    told: bool,
}

impl Incoming {
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
            match ready!(self.socket.listener.poll_accept(cx)) {
                Ok((stream, _)) => {
                    self.told = false;
                    // Answers are small and waited for; where the system cannot, they only come later.
                    let _ = stream.set_nodelay(true);
                    let stream = Guarded::new(stream, self.places.seat());
                    match &self.socket.tls {
                        None => return Poll::Ready(Connection::Plain(stream)),
                        Some((identity, protocol)) => {
                            let config = identity.load().config(*protocol);
                            self.shake_hands(TlsAcceptor::from(config), stream);
                        }
                    }
                }
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    if !std::mem::replace(&mut self.told, true) {
                        tracing::warn!(%error, "no connection can be accepted at the moment");
                    }
                    self.pause = Some(Box::pin(sleep(PAUSE)));
                }
            }
        }
    }

    fn shake_hands(&mut self, acceptor: TlsAcceptor, stream: Guarded<TcpStream>) {
        self.handshakes.spawn(async move {
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
        });
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

impl Stream for Incoming {
    type Item = io::Result<Connection>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_connection(cx).map(|io| Some(Ok(io)))
    }
}
