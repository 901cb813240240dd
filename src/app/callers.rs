//! Who may call, as the configuration says it now.

use crate::config::{Config, ConfigRefused};
use crate::domain::caller::CallerStanza;
use crate::grpc::callers::Callers;
use crate::shutdown::Shutdown;
use arc_swap::ArcSwap;
use std::sync::Arc;
use tokio::signal::unix::Signal;

/// Reads the configuration again.
pub type Reread = Box<dyn Fn() -> Result<Config, ConfigRefused> + Send + Sync>;

/// Reads the configured callers again at each `hangup`, until `shutdown`; `in_force` makes of them who may
/// call. A configuration with faults is told to the log, and the callers before it stay in force.
pub(super) async fn follow(
    mut hangup: Signal,
    reread: Reread,
    in_force: impl Fn(Vec<CallerStanza>) -> Callers,
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
                callers.store(Arc::new(in_force(config.callers)));
            }
            Err(error) => {
                tracing::error!(%error, "the configuration has faults: callers stay as they were");
            }
        }
    }
}
