//! Listeners: bound before anything slow is done, so that a taken address is told at once.

use crate::clock::Clock;
use crate::config::Tls;
use crate::tls::{IdentityHandle, IdentityRefused, IdentityWatch, Protocol, Socket};
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use thiserror::Error;
use tokio::net::TcpListener;

/// An address is taken, or not of this machine.
#[derive(Debug, Error)]
#[error("cannot listen on {address}, which {key} names: {cause}")]
pub struct ListenRefused {
    /// The setting.
    key: &'static str,
    /// The address.
    address: SocketAddr,
    /// What the operating system says.
    cause: io::Error,
}

/// A certificate of the configuration, if it has one.
pub(super) fn identity(
    files: Option<&Tls>,
    allow_group_read: bool,
    clock: &Arc<dyn Clock>,
) -> Result<Option<IdentityWatch>, IdentityRefused> {
    let open =
        |files: &Tls| IdentityWatch::open(files.clone(), allow_group_read, Arc::clone(clock));
    files.map(open).transpose()
}

/// Listens on this address, which `key` names, and tells the port that it really has.
pub(super) async fn bind(
    key: &'static str,
    address: SocketAddr,
    tls: Option<(&IdentityHandle, Protocol)>,
) -> Result<(Socket, SocketAddr), ListenRefused> {
    let refused = |cause| ListenRefused {
        key,
        address,
        cause,
    };
    let listener = TcpListener::bind(address).await.map_err(refused)?;
    let address = listener.local_addr().map_err(refused)?;
    let socket = match tls {
        Some((identity, protocol)) => Socket::with_tls(listener, Arc::clone(identity), protocol),
        None => listener.into(),
    };
    Ok((socket, address))
}

/// Follows files beside the service. That it ends early is told: from then on they are not followed.
pub(super) fn spawn_watch(
    what: &'static str,
    watch: impl Future<Output = io::Result<()>> + Send + 'static,
) {
    tokio::spawn(async move {
        if let Err(error) = watch.await {
            tracing::error!(what, %error, "a file is not followed any more");
        }
    });
}
