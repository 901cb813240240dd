//! The parts of a service that follow from its configuration alone.

use crate::config::Config;
use crate::delivery::render::{Brand, Renderer, TemplateDirs, TemplateError};
use crate::domain::password::{Argon2Params, Argon2ParamsError, Peppers, Policy, PolicyError};
use crate::metrics::Metrics;
use crate::service::Rules;
use crate::service::hasher::HasherSettings;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread::available_parallelism;

/// What writes the messages: tries every template, so that a mistake is told before a message is wanted.
pub fn renderer(config: &Config) -> Result<Renderer, TemplateError> {
    let brand = Brand {
        product_name: config.mail.product_name.clone(),
        support_contact: config.mail.support_contact.clone(),
    };
    let own = TemplateDirs {
        mail: config.mail.templates_dir.as_deref(),
        sms: config.sms.templates_dir.as_deref(),
    };
    Renderer::new(&brand, own)
}

/// The rules of the use cases.
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
        sms_lifetime: config.links.sms_lifetime,
        invitation_lifetime: config.links.invitation_lifetime,
        intake_cap: config.intake.cap,
        email_code: config.sign_in.email_code,
        product_name: config.mail.product_name.clone(),
        retention: config.retention.messages,
        policy: Arc::new(Policy::new(
            password.min_length,
            password.min_score,
            &names,
        )?),
    })
}

/// What hashing may take.
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
