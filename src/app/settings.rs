//! What the configuration means to the parts that it is put together of.

use crate::config::Config;
use crate::domain::password::{Argon2Params, Argon2ParamsError, Peppers, Policy, PolicyError};
use crate::metrics::Metrics;
use crate::service::Rules;
use crate::service::hasher::HasherSettings;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread::available_parallelism;

/// What the use cases go by.
pub(super) fn rules(config: &Config) -> Result<Rules, PolicyError> {
    let password = &config.password;
    let names: Vec<String> = password
        .service_words
        .iter()
        .chain([&config.mail.product_name])
        .cloned()
        .collect();
    Ok(Rules {
        rates: config.limits,
        lifetime: config.links.lifetime,
        intake_cap: config.intake.cap,
        retention: config.retention.messages,
        policy: Arc::new(Policy::new(
            password.min_length,
            password.min_score,
            &names,
        )?),
    })
}

/// How passwords are hashed.
pub(super) fn hashing(
    config: &Config,
    peppers: Peppers,
    metrics: &Metrics,
) -> Result<HasherSettings, Argon2ParamsError> {
    let threads = config
        .hashing
        .threads
        .or(available_parallelism().ok())
        .unwrap_or(NonZeroUsize::MIN);
    Ok(HasherSettings {
        threads,
        queue: config.hashing.queue,
        params: Argon2Params::new(config.argon2.memory_kib, config.argon2.iterations, 1)?,
        peppers,
        metrics: metrics.hasher.clone(),
    })
}
