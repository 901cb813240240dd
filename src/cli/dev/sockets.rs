//! What a demonstration listens on.

use crate::cli::{DevArgs, Failure};
use crate::config::Config;
use std::net::{Ipv4Addr, SocketAddr};
use tokio::net::TcpListener;

/// Every listener, bound before anything else is done.
pub(super) struct Sockets {
    pub(super) grpc: Socket,
    pub(super) console: Socket,
    pub(super) inbox: Socket,
    pub(super) ops: Socket,
}

/// A listener, and the address it really has.
pub(super) struct Socket {
    pub(super) listener: TcpListener,
    pub(super) address: SocketAddr,
}

impl Sockets {
    /// Binds all of them; what the configuration leaves out gets a free port.
    pub(super) async fn bind(args: &DevArgs, config: &Config) -> Result<Self, Failure> {
        let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Ok(Self {
            grpc: Socket::bind("--grpc-listen", config.grpc.listen).await?,
            console: Socket::bind("--console-listen", config.console.listen.unwrap_or(free))
                .await?,
            inbox: Socket::bind("--inbox-listen", args.inbox_listen).await?,
            ops: Socket::bind("--ops-listen", config.ops.listen.unwrap_or(free)).await?,
        })
    }
}

impl Socket {
    async fn bind(flag: &str, address: SocketAddr) -> Result<Self, Failure> {
        let refused = |why| {
            Failure::told(format_args!(
                "cannot listen on {address}: {why}; choose another address with {flag}"
            ))
        };
        let listener = TcpListener::bind(address).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        Ok(Self { listener, address })
    }

    /// Where a browser finds it.
    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}
