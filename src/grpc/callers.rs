//! Who may call what.
//!
//! A method that is not in the table is denied; a test holds the table against the descriptors.

use super::refusal::Refusal;
use crate::domain::call::CallerName;
use crate::domain::caller::{
    AuditScope, CallerCredential, CallerStanza, CallerToken, ProvenNames, Scope, Scopes,
};
use std::sync::Arc;
use subtle::ConstantTimeEq as _;

/// A calling service that showed its credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Its configured name.
    pub name: CallerName,
    /// What it may do.
    pub scopes: Scopes,
}

impl Caller {
    /// Refuses unless the caller was granted the scope; for handlers whose fields decide which scope a
    /// call needs.
    pub fn require(&self, scope: &Scope) -> Result<(), Refusal> {
        if self.scopes.contains(scope) {
            Ok(())
        } else {
            Err(Refusal::ScopeMissing)
        }
    }

    /// What the caller sees of the audit log.
    pub fn audit(&self) -> Result<&AuditScope, Refusal> {
        self.scopes.audit().ok_or(Refusal::ScopeMissing)
    }
}

/// Every calling service; swapped as a whole when the configuration is read again.
#[derive(Debug, Default)]
pub struct Callers(Vec<(CallerCredential, Arc<Caller>)>);

impl Callers {
    /// The services that these stanzas name.
    #[must_use]
    pub fn new(stanzas: impl IntoIterator<Item = CallerStanza>) -> Self {
        let caller = |stanza: CallerStanza| {
            let CallerStanza {
                name,
                credential,
                scopes,
            } = stanza;
            (credential, Arc::new(Caller { name, scopes }))
        };
        Self(stanzas.into_iter().map(caller).collect())
    }

    /// The service whose token this is.
    ///
    /// Every digest is compared, each in constant time (ASVS 11.2.4): how long it takes says nothing.
    #[must_use]
    pub fn by_token(&self, token: &CallerToken) -> Option<&Arc<Caller>> {
        let shown = token.sha256();
        self.0
            .iter()
            .fold(None, |found, (credential, caller)| match credential {
                CallerCredential::TokenSha256(digest) if digest.ct_eq(&shown).into() => {
                    Some(caller)
                }
                CallerCredential::TokenSha256(_) | CallerCredential::CertSan(_) => found,
            })
    }

    /// The first service that is known by one of these names of a certificate.
    #[must_use]
    pub fn by_names(&self, names: &ProvenNames) -> Option<&Arc<Caller>> {
        self.0
            .iter()
            .find(|(credential, _)| match credential {
                CallerCredential::CertSan(name) => names.0.contains(name),
                CallerCredential::TokenSha256(_) => false,
            })
            .map(|(_, caller)| caller)
    }
}
