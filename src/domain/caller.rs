//! Calling services: how one proves who it is and what it may then do.

mod san;
mod scope;
mod token;

pub use san::{CertSan, CertSanUnreadable, ProvenNames};
pub use scope::{AuditScope, Scope, ScopeUnreadable, Scopes};
pub use token::{CallerCredential, CallerToken, CallerTokenUnreadable, DigestUnreadable};

use super::call::CallerName;

/// One `[[callers]]` stanza of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallerStanza {
    /// Who it is, in logs and in the audit trail.
    pub name: CallerName,
    /// How it proves that.
    pub credential: CallerCredential,
    /// What it may do.
    pub scopes: Scopes,
}
