//! What waits, for who looks after the service.

use crate::domain::time::Timestamp;

/// What waits in the store at one moment, and how large it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backlog {
    /// Operations that wait to be written; of this process only.
    pub operations: u64,
    /// Requests for links that are not resolved.
    pub unresolved: u64,
    /// Messages whose next attempt is due.
    pub due: u64,
    /// Messages that are leased, or wait for their next attempt.
    pub later: u64,
    /// When the oldest of both was asked for.
    pub oldest: Option<Timestamp>,
    /// Bytes that the tables take up.
    pub database_bytes: u64,
    /// Bytes of changes that are not in the tables yet.
    pub log_bytes: u64,
}
