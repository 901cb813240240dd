//! Who may call a demonstration.

use crate::domain::call::CallerName;
use crate::domain::caller::{AuditScope, CallerCredential, CallerStanza, Scope};
use crate::grpc::callers::Callers;

/// The callers that the configuration names, the console, and the one of `dev.json`, which may do everything.
pub(super) fn with_demo(
    stanzas: Vec<CallerStanza>,
    demo: CallerCredential,
    console: &CallerStanza,
) -> Callers {
    let everything = [
        Scope::Reset,
        Scope::Profile,
        Scope::Signin,
        Scope::Factors,
        Scope::Accounts,
        Scope::Import,
        Scope::ExportHashes,
        Scope::RemoveFactor,
        Scope::Delivery,
        Scope::Audit(AuditScope::All),
    ];
    let demo = CallerStanza {
        name: CallerName::demo(),
        credential: demo,
        scopes: everything.into_iter().collect(),
    };
    Callers::new(stanzas.into_iter().chain([demo, console.clone()]))
}
