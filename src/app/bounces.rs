//! The webhook for mails that came back, from its configuration and the file that it names.

use super::App;
use crate::config::{Bounces, PrivateFile, PrivateFileError};
use crate::delivery::bounces;
use crate::delivery::standard_webhooks::{Secrets, SecretsUnreadable};
use axum::Router;
use std::path::PathBuf;
use std::sync::Arc;
use thiserror::Error;

/// Why bounces cannot be told. The messages say how to mend it.
#[derive(Debug, Error)]
pub enum BouncesRefused {
    /// The file with the secrets.
    #[error("[bounces] secret_file: {0}")]
    File(#[from] PrivateFileError),
    /// What it holds.
    #[error("[bounces] secret_file: {0} {1}")]
    Secrets(PathBuf, SecretsUnreadable),
}

/// What senders may sign with by these settings. The group may read the file that holds it only if
/// `allow_group_read`.
pub fn secrets(settings: &Bounces, allow_group_read: bool) -> Result<Secrets, BouncesRefused> {
    let path = &settings.secret_file;
    let text = PrivateFile::new(path, allow_group_read).read()?;
    Secrets::parse(&text).map_err(|why| BouncesRefused::Secrets(path.clone(), why))
}

impl App {
    /// What listens for bounces by these settings; see [`secrets`].
    pub fn bounces(
        &self,
        settings: &Bounces,
        allow_group_read: bool,
    ) -> Result<Router, BouncesRefused> {
        let secrets = secrets(settings, allow_group_read)?;
        let store = Arc::clone(&self.service.store);
        Ok(bounces::router(
            secrets,
            store,
            Arc::clone(&self.service.clock),
            self.service.metrics.delivery.clone(),
        ))
    }
}
