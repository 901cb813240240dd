//! The channel to the mail server, from its configuration and the files that it names.

use crate::config::{PrivateFile, PrivateFileError, Smtp as Settings, SmtpSecurity};
use crate::delivery::smtp::{Login, Security, Smtp, SmtpSettings, SmtpUnusable};
use crate::random::Random;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use thiserror::Error;
use zeroize::Zeroizing;

/// Why no mail can leave. The messages say how to mend it.
#[derive(Debug, Error)]
pub enum SmtpRefused {
    /// The file with the password.
    #[error("[smtp] password_file: {0}")]
    Password(#[from] PrivateFileError),
    /// There is nothing in it.
    #[error("[smtp] password_file: {0} is empty: write the password into it, on one line")]
    NoPassword(PathBuf),
    /// The file with the authorities' certificates.
    #[error("[smtp] ca_file: {0} cannot be read: {1}")]
    Authorities(PathBuf, io::Error),
    /// The settings.
    #[error("[smtp] {0}")]
    Unusable(#[from] SmtpUnusable),
}

/// The channel by these settings. The group may read the file with the password only if
/// `allow_group_read`. Reads files; connects to nothing yet.
pub fn channel(
    settings: &Settings,
    allow_group_read: bool,
    random: Arc<dyn Random>,
) -> Result<Smtp, SmtpRefused> {
    let login = match &settings.login {
        None => None,
        Some(login) => {
            let file = PrivateFile::new(&login.password_file, allow_group_read);
            // Read anew for each connection; that it cannot be is told before anybody waits.
            password(&file)?;
            Some(Login {
                username: login.username.clone(),
                password: Arc::new(move || password(&file).map_err(|why| why.to_string())),
            })
        }
    };
    let authorities = match &settings.ca_file {
        None => None,
        Some(path) => {
            Some(std::fs::read(path).map_err(|why| SmtpRefused::Authorities(path.clone(), why))?)
        }
    };
    let settings = SmtpSettings {
        host: settings.host.clone(),
        port: settings.port,
        security: match settings.security {
            SmtpSecurity::Tls => Security::Tls(authorities),
            SmtpSecurity::StartTls => Security::StartTls(authorities),
            SmtpSecurity::Plain => Security::Plain,
        },
        login,
        from: settings.from.clone(),
        reply_to: settings.reply_to.clone(),
        helo: settings.helo.clone(),
        timeout: settings.timeout,
        connections: settings.connections,
    };
    Ok(Smtp::new(settings, random)?)
}

fn password(file: &PrivateFile) -> Result<Zeroizing<String>, SmtpRefused> {
    let password = file.read_line()?;
    if password.is_empty() {
        return Err(SmtpRefused::NoPassword(file.path().to_owned()));
    }
    Ok(password)
}
