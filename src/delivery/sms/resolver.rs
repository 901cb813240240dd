//! Looking up the gateway's name, with an eye on where it leads.

use hyper_util::client::legacy::connect::dns::Name;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::vec;
use tower::Service;

use crate::domain::egress::Egress;

/// Why no address of a name is used.
pub(super) const NOT_PERMITTED: &str =
    "its address is not one on the internet, and sms.allowed_networks does not have it";

/// Gives of a name's addresses those that may be connected to. They are the ones that are connected to: nothing
/// looks them up again, so a name that leads elsewhere the next moment gains nothing.
#[derive(Clone)]
pub(super) struct Resolver(Arc<Egress>);

impl Resolver {
    pub(super) fn new(egress: Egress) -> Self {
        Self(Arc::new(egress))
    }
}

impl Service<Name> for Resolver {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let egress = Arc::clone(&self.0);
        Box::pin(async move {
            // The connector has the port.
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let permitted: Vec<_> = found
                .filter(|address| egress.permits(address.ip()))
                .collect();
            if permitted.is_empty() {
                return Err(io::Error::other(NOT_PERMITTED));
            }
            Ok(permitted.into_iter())
        })
    }
}
