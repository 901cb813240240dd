//! Connections that are given up when their peer falls silent.
//!
//! HTTP/2 pings find a peer that is gone, but only once it has greeted, and tonic sets no time for that:
//! who connects and says nothing, or a byte at a time, would hold a connection for ever.

use super::limits::{GREETING_TIME, LONGEST_SILENCE};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};
use tonic::transport::server::Connected;

/// Bytes that every HTTP/2 client begins with (RFC 9113 §3.4).
const PREFACE: usize = 24;

/// A connection whose reads fail when nothing comes for too long.
pub(super) struct Attentive<IO> {
    io: IO,
    patience: Pin<Box<Sleep>>,
    /// How much of the preface has come.
    greeted: usize,
}

impl<IO> Attentive<IO> {
    /// Waits for the peer's greeting from now on.
    pub(super) fn new(io: IO) -> Self {
        Self {
            io,
            patience: Box::pin(sleep(GREETING_TIME)),
            greeted: 0,
        }
    }
}

impl<IO: AsyncRead + Unpin> AsyncRead for Attentive<IO> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buf.filled().len();
        if let Poll::Ready(read) = Pin::new(&mut this.io).poll_read(cx, buf) {
            this.greeted = this.greeted.saturating_add(buf.filled().len() - before);
            if this.greeted >= PREFACE {
                this.patience
                    .as_mut()
                    .reset(Instant::now() + LONGEST_SILENCE);
            }
            return Poll::Ready(read);
        }
        this.patience
            .as_mut()
            .poll(cx)
            .map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<IO: AsyncWrite + Unpin> AsyncWrite for Attentive<IO> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

impl<IO: Connected> Connected for Attentive<IO> {
    type ConnectInfo = IO::ConnectInfo;

    fn connect_info(&self) -> IO::ConnectInfo {
        self.io.connect_info()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};
    use tokio::time::advance;

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_does_not_greet_is_given_up_however_slowly_it_speaks() {
        let (mut peer, server) = duplex(64);
        let mut server = Attentive::new(server);
        let begun = Instant::now();
        let speaking = tokio::spawn(async move {
            while peer.write_all(b"P").await.is_ok() {
                sleep(GREETING_TIME / 4).await;
            }
        });
        let mut byte = [0];
        let failed = loop {
            if let Err(error) = server.read_exact(&mut byte).await {
                break error;
            }
        };
        assert_eq!(failed.kind(), io::ErrorKind::TimedOut);
        assert_eq!(begun.elapsed().as_secs(), GREETING_TIME.as_secs());
        speaking.abort();
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_greeted_may_be_silent_for_longer_than_its_pings_take() {
        let (mut peer, server) = duplex(64);
        let mut server = Attentive::new(server);
        peer.write_all(&[0; PREFACE]).await.unwrap();
        server.read_exact(&mut [0; PREFACE]).await.unwrap();
        for _ in 0..3 {
            advance(LONGEST_SILENCE * 9 / 10).await;
            peer.write_all(&[0]).await.unwrap();
            assert_eq!(server.read_u8().await.unwrap(), 0);
        }
        let begun = Instant::now();
        assert_eq!(
            server.read_u8().await.unwrap_err().kind(),
            io::ErrorKind::TimedOut
        );
        assert_eq!(begun.elapsed().as_secs(), LONGEST_SILENCE.as_secs());
    }
}
