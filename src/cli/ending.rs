//! Commands that run until they are told to end.

use super::Failure;
use crate::config::Config;
use crate::shutdown::{self, Shutdown};
use crate::telemetry::Telemetry;

/// Runs a service on all cores until it ends, which SIGINT and SIGTERM tell it to. It is given its configuration,
/// by which it is logged and traced. What a thread is stuck in by then, such as a look-up of a host name, is not
/// waited for: the service has let go of whatever matters.
pub(super) fn run_until_told(
    config: Config,
    service: impl AsyncFnOnce(Config, &Telemetry, Shutdown) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let shutdown = shutdown::on_signals()
        .map_err(|why| Failure::told(format_args!("signals cannot be listened to: {why}")))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|why| Failure::told(format_args!("the system refused an event loop: {why}")))?;
    let ended = runtime.block_on(async {
        let telemetry =
            Telemetry::begin(&config.log, config.traces.as_ref()).map_err(Failure::told)?;
        let grace = config.shutdown.grace;
        let ended = service(config, &telemetry, shutdown).await;
        telemetry.end(grace).await;
        ended
    });
    runtime.shutdown_background();
    ended
}
