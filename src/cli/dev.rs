//! `relatch dev`.

use super::{DevArgs, Failure, Output, ending};
use crate::app::dev::{Demonstration, DevError};
use crate::config::System;

impl From<DevError> for Failure {
    fn from(error: DevError) -> Self {
        Self::told(error)
    }
}

/// Runs until it is told to end.
pub(super) fn run(args: DevArgs, output: &mut Output<'_>) -> Result<(), Failure> {
    let config = args.configuration(&System)?;
    let (log, traces, grace) = (
        config.log.clone(),
        config.traces.clone(),
        config.shutdown.grace,
    );
    ending::run_until_told(&log, traces.as_ref(), grace, async |telemetry, shutdown| {
        let demonstration = Demonstration {
            config,
            data_dir: args.data_dir.clone(),
            inbox_listen: args.inbox_listen,
            metrics: telemetry.metrics.clone(),
            reread: Box::new(move || args.configuration(&System)),
        };
        // On the heap: it is the whole service, too large for a stack that others share.
        Box::pin(demonstration.run(shutdown, |banner| output.line(banner))).await
    })
}
