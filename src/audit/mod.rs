//! The audit log, read.

#[cfg(test)]
pub(crate) mod fake_log;
pub mod watch;
mod watch_stream;

pub use watch_stream::WatchStream;
