//! Who may call a demonstration.

use crate::config::{Config, ConfigRefused};
use crate::domain::call::CallerName;
use crate::domain::caller::{AuditScope, CallerCredential, CallerStanza, CallerToken, Scope};
use crate::grpc::callers::Callers;
use crate::shutdown::Shutdown;
use arc_swap::ArcSwap;
use std::sync::Arc;
use tokio::signal::unix::Signal;

/// Reads the configuration again.
pub type Reread = Box<dyn Fn() -> Result<Config, ConfigRefused> + Send + Sync>;

/// The callers that the configuration names, and the one of `dev.json`, which may do everything.
pub(super) fn in_force(stanzas: Vec<CallerStanza>, token: &CallerToken) -> Callers {
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
        credential: CallerCredential::TokenSha256(token.sha256()),
        scopes: everything.into_iter().collect(),
    };
    Callers::new(stanzas.into_iter().chain([demo]))
}

/// Reads the configured callers again at each `hangup`, until `shutdown`. A configuration with faults is
/// told to the log, and the callers before it stay in force.
pub(super) async fn follow(
    mut hangup: Signal,
    reread: Reread,
    token: CallerToken,
    callers: Arc<ArcSwap<Callers>>,
    shutdown: Shutdown,
) {
    loop {
        tokio::select! {
            () = shutdown.clone().requested() => return,
            _ = hangup.recv() => {}
        }
        match reread() {
            Ok(config) => {
                tracing::info!(configured = config.callers.len(), "callers were read again");
                callers.store(Arc::new(in_force(config.callers, &token)));
            }
            Err(error) => {
                tracing::error!(%error, "the configuration has faults: callers stay as they were");
            }
        }
    }
}
