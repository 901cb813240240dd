//! Connections that end when their place is somebody else's, or when their peer takes nothing.
//!
//! A peer may ask and never read the answer. Nothing above ends such a connection: hyper's keep-alive wants to
//! say goodbye first, and waits for that as it does for everything else.

use super::{Peer, Seat};
use crate::domain::caller::ProvenNames;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};
use tonic::transport::server::Connected;

/// How long a peer may take nothing of what there is for it: several times what a network needs to recover.
const STALL: Duration = Duration::from_secs(30);

/// A connection in its place.
#[derive(Debug)]
pub struct Guarded<IO> {
    io: IO,
    seat: Seat,
    /// Runs while the peer takes nothing.
    stall: Option<Pin<Box<Sleep>>>,
}

impl<IO> Guarded<IO> {
    /// Ends with its seat.
    pub fn new(io: IO, seat: Seat) -> Self {
        Self {
            io,
            seat,
            stall: None,
        }
    }

    /// What it guards.
    pub const fn get_ref(&self) -> &IO {
        &self.io
    }

    fn check(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        match self.seat.poll_cut(cx) {
            Poll::Ready(()) => Err(io::ErrorKind::ConnectionAborted.into()),
            Poll::Pending => Ok(()),
        }
    }

    /// Has `write` done, which must not take for ever.
    fn poll_progress<T>(
        &mut self,
        cx: &mut Context<'_>,
        write: impl FnOnce(&mut IO, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        self.check(cx)?;
        let written = write(&mut self.io, cx);
        if written.is_ready() {
            self.stall = None;
            return written;
        }
        let stall = self.stall.get_or_insert_with(|| Box::pin(sleep(STALL)));
        stall
            .as_mut()
            .poll(cx)
            .map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<IO: AsyncRead + Unpin> AsyncRead for Guarded<IO> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check(cx)?;
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl<IO: AsyncWrite + Unpin> AsyncWrite for Guarded<IO> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_progress(cx, |io, cx| Pin::new(io).poll_write(cx, buf))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_progress(cx, |io, cx| Pin::new(io).poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_progress(cx, |io, cx| Pin::new(io).poll_flush(cx))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_progress(cx, |io, cx| Pin::new(io).poll_shutdown(cx))
    }
}

/// A peer that has shown no certificate.
impl<IO> Connected for Guarded<IO> {
    type ConnectInfo = Peer;

    fn connect_info(&self) -> Peer {
        Peer {
            names: ProvenNames::default(),
            standing: self.seat.standing(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Places;
    use super::*;
    use crate::metrics::{ConnectionMetrics, Listener};
    use std::num::NonZeroUsize;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
    use tokio::time::Instant;

    /// A peer, and a connection with it in the only place there is.
    fn connection() -> (DuplexStream, Guarded<DuplexStream>, Places) {
        let metrics = ConnectionMetrics::default();
        let places = Places::new(Listener::Grpc, NonZeroUsize::MIN, &metrics);
        let (peer, io) = duplex(8);
        (peer, Guarded::new(io, places.seat()), places)
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_takes_nothing_is_given_up() {
        let (_peer, mut connection, _places) = connection();
        let begun = Instant::now();
        let failed = connection.write_all(&[0; 9]).await.unwrap_err();
        assert_eq!(failed.kind(), io::ErrorKind::TimedOut);
        assert_eq!(begun.elapsed().as_secs(), STALL.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_may_take_its_time_while_it_takes_something() {
        let (mut peer, mut connection, _places) = connection();
        let taking = tokio::spawn(async move {
            for _ in 0..92 {
                sleep(STALL * 9 / 10).await;
                peer.read_u8().await.unwrap();
            }
            peer
        });
        connection.write_all(&[0; 100]).await.unwrap();
        taking.await.unwrap();
    }

    #[tokio::test]
    async fn who_reads_or_writes_hears_that_the_place_is_gone() {
        for writes in [false, true] {
            let (_peer, mut connection, places) = connection();
            let waiting = tokio::spawn(async move {
                let failed = if writes {
                    connection.write_all(&[0; 9]).await.unwrap_err()
                } else {
                    connection.read_u8().await.unwrap_err()
                };
                let again = connection.shutdown().await.unwrap_err();
                (failed.kind(), again.kind())
            });
            tokio::task::yield_now().await;
            assert!(!waiting.is_finished());
            let _newcomer = places.seat();
            let aborted = io::ErrorKind::ConnectionAborted;
            assert_eq!(waiting.await.unwrap(), (aborted, aborted));
        }
    }
}
