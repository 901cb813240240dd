//! Commands that run until they are told to end.

use super::Failure;
use crate::shutdown::{self, Shutdown};

/// Runs a service on all cores until it ends, which SIGINT and SIGTERM tell it to.
pub(super) fn run_until_told(
    service: impl AsyncFnOnce(Shutdown) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|why| Failure::told(format_args!("the system refused an event loop: {why}")))?;
    runtime.block_on(async {
        let shutdown = shutdown::on_signals()
            .map_err(|why| Failure::told(format_args!("signals cannot be listened to: {why}")))?;
        service(shutdown).await
    })
}
