//! What the layers know about a refused call.

use crate::domain::audit::EventName;
use thiserror::Error;
use tonic::Status;

/// What the layers need to know about a refusal; the source of its status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{reason}")]
pub struct Refused {
    /// The reason as in the `ErrorInfo`.
    pub reason: &'static str,
    /// What the audit log counts it as; `None` when an event of its own tells it, or nothing needs to.
    pub summary: Option<Summary>,
}

/// What a refusal that changed nothing counts as in the audit log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// The summary's name.
    pub event: EventName,
    /// Why, more closely than the caller is told.
    pub reason: &'static str,
}

impl Refused {
    /// What a status was made from; `None` if it was not made here.
    #[must_use]
    pub fn of(status: &Status) -> Option<Self> {
        std::error::Error::source(status)?.downcast_ref().copied()
    }
}
