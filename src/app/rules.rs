//! What the configuration says, as the use cases keep to it.

use crate::config::Config;
use crate::domain::password::{Policy, PolicyError};
use crate::service::Rules;
use std::sync::Arc;

/// The rules in force.
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
