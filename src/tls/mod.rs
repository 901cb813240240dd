//! TLS of the listeners, by rustls with ring: TLS 1.3 and 1.2, the suites that rustls offers (ASVS 12.1.1, 12.1.2).
//!
//! Certificates are read from files and followed, so that a renewal needs no restart; handshakes never
//! keep other connections waiting.

mod connection;
mod identity;
mod incoming;
mod watch;

pub use connection::Connection;
pub use identity::{Identity, IdentityRefused, Protocol};
pub use incoming::{Incoming, Socket};
pub use watch::{IdentityHandle, IdentityWatch};
