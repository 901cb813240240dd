//! The channel to the SMS gateway, from its configuration and the files that it names.

use crate::config::{PrivateFile, PrivateFileError, SmsGateway};
use crate::delivery::sms::{Sms, SmsSettings, SmsUnusable};
use crate::delivery::standard_webhooks::{Secrets, SecretsUnreadable};
use crate::random::Random;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use thiserror::Error;

/// Why no text message can leave. The messages say how to mend it.
#[derive(Debug, Error)]
pub enum SmsRefused {
    /// The file with the secret.
    #[error("[sms] secret_file: {0}")]
    File(#[from] PrivateFileError),
    /// What it holds.
    #[error("[sms] secret_file: {0} {1}")]
    Secrets(PathBuf, SecretsUnreadable),
    /// The file with the authorities' certificates.
    #[error("[sms] ca_file: {0} cannot be read: {1}")]
    Authorities(PathBuf, io::Error),
    /// The settings.
    #[error("[sms] {0}")]
    Unusable(#[from] SmsUnusable),
}

/// The channel by these settings. The group may read the file with the secret only if `allow_group_read`. Reads
/// files; connects to nothing yet.
pub fn channel(
    settings: &SmsGateway,
    allow_group_read: bool,
    random: Arc<dyn Random>,
) -> Result<Sms, SmsRefused> {
    let file = PrivateFile::new(&settings.secret_file, allow_group_read);
    // Read anew for each message; that it cannot be is told before anybody waits.
    secrets(&file)?;
    let authorities = match &settings.ca_file {
        None => None,
        Some(path) => {
            Some(std::fs::read(path).map_err(|why| SmsRefused::Authorities(path.clone(), why))?)
        }
    };
    let settings = SmsSettings {
        url: settings.url.clone(),
        secrets: Arc::new(move || secrets(&file).map_err(|why| why.to_string())),
        authorities,
        timeout: settings.timeout,
        egress: settings.egress.clone(),
    };
    Ok(Sms::new(settings, random)?)
}

fn secrets(file: &PrivateFile) -> Result<Secrets, SmsRefused> {
    let text = file.read()?;
    Secrets::parse(&text).map_err(|why| SmsRefused::Secrets(file.path().to_owned(), why))
}
