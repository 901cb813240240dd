//! Commands that run until they are told to end.

use super::Failure;
use crate::config::{Log, Traces};
use crate::shutdown::{self, Shutdown};
use crate::telemetry::Telemetry;
use std::time::Duration;

/// Runs a service on all cores until it ends, which SIGINT and SIGTERM tell it to, logged and traced as it says. Traces may
/// take the `grace` to be handed over. What a thread is stuck in by then, such as a look-up of a host name, is not waited
/// for: the service has let go of whatever matters.
pub(super) fn run_until_told(
    log: &Log,
    traces: Option<&Traces>,
    grace: Duration,
    service: impl AsyncFnOnce(&Telemetry, Shutdown) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let shutdown = shutdown::on_signals()
        .map_err(|why| Failure::told(format_args!("signals cannot be listened to: {why}")))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|why| Failure::told(format_args!("the system refused an event loop: {why}")))?;
    let ended = runtime.block_on(async {
        let telemetry = Telemetry::begin(log, traces).map_err(Failure::told)?;
        let ended = service(&telemetry, shutdown).await;
        telemetry.end(grace).await;
        ended
    });
    runtime.shutdown_background();
    ended
}
