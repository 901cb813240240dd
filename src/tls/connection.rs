//! A connection, with or without TLS.

use crate::domain::caller::{CertSan, ProvenNames};
use crate::peers::{Guarded, Peer};
use rustls::pki_types::CertificateDer;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;
use tonic::transport::server::Connected;
use x509_parser::extensions::GeneralName;

/// A connection that somebody made.
#[derive(Debug)]
pub enum Connection {
    /// In plain text.
    Plain(Guarded<TcpStream>),
    /// With TLS, and perhaps a client certificate.
    Tls(Box<TlsStream<Guarded<TcpStream>>>, ProvenNames),
}

impl Connection {
    /// A connection whose handshake is done, in which the client's certificate was verified if it showed
    /// one.
    pub(super) fn after_handshake(stream: TlsStream<Guarded<TcpStream>>) -> Self {
        let shown = stream.get_ref().1.peer_certificates();
        let names = shown.and_then(<[_]>::first).map(names).unwrap_or_default();
        Self::Tls(Box::new(stream), names)
    }

    /// The address of the other end.
    #[must_use]
    pub fn remote(&self) -> Option<IpAddr> {
        let stream = match self {
            Self::Plain(stream) => stream,
            Self::Tls(stream, _) => stream.get_ref().0,
        };
        stream
            .get_ref()
            .peer_addr()
            .ok()
            .map(|address| address.ip())
    }
}

/// The subject alternative names of a certificate; one that cannot be read has none.
fn names(certificate: &CertificateDer<'_>) -> ProvenNames {
    let Ok((_, certificate)) = x509_parser::parse_x509_certificate(certificate) else {
        return ProvenNames::default();
    };
    let Ok(Some(extension)) = certificate.subject_alternative_name() else {
        return ProvenNames::default();
    };
    let names = extension.value.general_names.iter();
    let names = names.filter_map(|name| match name {
        GeneralName::DNSName(name) => Some(CertSan::of_dns(name)),
        GeneralName::URI(uri) => Some(CertSan::of_uri(uri)),
        _ => None,
    });
    ProvenNames(names.collect::<Arc<[_]>>())
}

impl Connected for Connection {
    type ConnectInfo = Peer;

    fn connect_info(&self) -> Peer {
        match self {
            Self::Plain(stream) => stream.connect_info(),
            Self::Tls(stream, names) => Peer {
                names: names.clone(),
                ..stream.get_ref().0.connect_info()
            },
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Tls(stream, _) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Tls(stream, _) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
            Self::Tls(stream, _) => Pin::new(stream).poll_write_vectored(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(stream) => stream.is_write_vectored(),
            Self::Tls(stream, _) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream, _) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream, _) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
