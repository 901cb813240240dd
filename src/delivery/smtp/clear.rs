//! A connection before TLS, of which no more is read than was asked for.

use lettre::transport::smtp::client::AsyncTokioStream;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// How a TLS handshake begins (RFC 8446 §5.1), and no SMTP command does.
const HANDSHAKE: u8 = 0x16;

/// A connection that gives one byte at a time, until TLS begins.
///
/// Whoever stands between may send answers in clear ahead of their questions. A buffer would keep them
/// and hand them out as if they had come through TLS (CVE-2011-0411 and its kin). Read byte by byte they
/// stay with the system, where the handshake trips over them.
#[derive(Debug)]
pub(super) struct InClear {
    tcp: TcpStream,
    has_begun_tls: bool,
}

impl InClear {
    /// Speaks in clear over this connection.
    pub(super) fn new(tcp: TcpStream) -> Self {
        Self {
            tcp,
            has_begun_tls: false,
        }
    }
}

impl AsyncTokioStream for InClear {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.peer_addr()
    }
}

impl AsyncRead for InClear {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.has_begun_tls || buffer.remaining() == 0 {
            return Pin::new(&mut self.tcp).poll_read(context, buffer);
        }
        let mut byte = [0];
        let mut one = ReadBuf::new(&mut byte);
        ready!(Pin::new(&mut self.tcp).poll_read(context, &mut one))?;
        buffer.put_slice(one.filled());
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for InClear {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.has_begun_tls |= bytes.first() == Some(&HANDSHAKE);
        Pin::new(&mut self.tcp).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn nothing_is_read_ahead_until_a_handshake_begins() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let tcp = TcpStream::connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        let (mut server, _) = listener.accept().await.unwrap();
        server
            .write_all(b"220 go\r\n250 injected\r\n")
            .await
            .unwrap();
        let mut stream = InClear::new(tcp);
        let mut buffer = [0; 64];
        for expected in b"220 go\r\n" {
            assert_eq!(stream.read(&mut buffer).await.unwrap(), 1);
            assert_eq!(buffer[0], *expected);
        }
        stream.write_all(b"NOOP\r\n").await.unwrap();
        assert_eq!(stream.read(&mut buffer).await.unwrap(), 1);
        stream.write_all(&[HANDSHAKE, 3, 1]).await.unwrap();
        let rest = stream.read(&mut buffer).await.unwrap();
        assert_eq!(&buffer[..rest], b"50 injected\r\n");
    }
}
