//! What callers can rely on at the wire.

mod errors;
mod health;
mod uniform;
mod watch;
