//! What a list of passwords that are known from breaches is asked.

use thiserror::Error;

/// The length of a SHA-1 hash in bytes.
pub const SHA1_BYTES: usize = 20;

/// A list of passwords that are known from breaches, each by its SHA-1 hash as the public lists have
/// it. May block for as long as a disk takes.
pub trait Breaches: Send + Sync {
    /// Whether the list has the password of this hash.
    fn have(&self, sha1: &[u8; SHA1_BYTES]) -> Result<bool, BreachesUnreadable>;
}

/// The list could not be asked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct BreachesUnreadable(pub String);
