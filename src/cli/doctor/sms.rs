//! The SMS gateway.

use super::report::Report;
use crate::app;
use crate::cli::Failure;
use crate::config::Config;
use crate::random::SystemRandom;
use std::sync::Arc;

/// Checks that the gateway can be used as it is configured; unless `offline`, that it is where it should be.
pub(super) async fn check(
    report: &mut Report<'_, '_>,
    config: &Config,
    offline: bool,
) -> Result<(), Failure> {
    const WHAT: &str = "SMS gateway";
    let Some(settings) = &config.sms.gateway else {
        return Ok(());
    };
    let random = Arc::new(SystemRandom);
    let channel = match app::sms::channel(settings, config.keys.allow_group_read, random) {
        Ok(channel) => channel,
        Err(why) => return report.problem(WHAT, why),
    };
    let host = settings.url.host().unwrap_or_default();
    if offline {
        return report.note(WHAT, "not asked, as --offline says");
    }
    match channel.check().await {
        Ok(()) => report.ok(
            WHAT,
            format_args!(
                "{host}: takes connections; {} messages a day at the most",
                settings.budgets.per_day
            ),
        ),
        Err(why) => report.problem(WHAT, format_args!("{host}: {why}")),
    }
}
