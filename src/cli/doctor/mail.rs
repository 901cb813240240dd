//! The mails, and the server that takes them.

use super::report::Report;
use crate::app;
use crate::cli::Failure;
use crate::clock::{Clock as _, SystemClock};
use crate::config::{Config, SmtpSecurity};
use crate::domain::email::Email;
use crate::domain::id::MessageId;
use crate::random::{self, SystemRandom};
use std::sync::Arc;

/// Checks that the mails can be written, and those believed who tell of bounces.
pub(super) fn files(report: &mut Report<'_, '_>, config: &Config) -> Result<(), Failure> {
    match app::renderer(config) {
        Ok(_) => report.ok("mails", "every mail can be written")?,
        Err(why) => report.problem("mails", why)?,
    }
    match &config.bounces {
        None => Ok(()),
        Some(settings) => match app::bounces::secrets(settings, config.keys.allow_group_read) {
            Ok(_) => report.ok(
                "bounces",
                format_args!(
                    "{}: its secrets can be read",
                    settings.secret_file.display()
                ),
            ),
            Err(why) => report.problem("bounces", why),
        },
    }
}

/// Checks that the mail server can be used; sends a mail if somebody is to get one.
pub(super) async fn check(
    report: &mut Report<'_, '_>,
    config: &Config,
    mail_to: Option<&Email>,
) -> Result<(), Failure> {
    const WHAT: &str = "mail server";
    let Some(settings) = &config.smtp else {
        return Ok(());
    };
    let random = Arc::new(SystemRandom);
    let channel = match app::smtp::channel(settings, config.keys.allow_group_read, random) {
        Ok(channel) => channel,
        Err(why) => return report.problem(WHAT, why),
    };
    let server = format!("{}:{}", settings.host, settings.port);
    if let Err(why) = channel.check().await {
        return report.problem(WHAT, format_args!("{server}: {why}"));
    }
    let protection = match settings.security {
        SmtpSecurity::Tls => "TLS from the first byte",
        SmtpSecurity::StartTls => "TLS by STARTTLS",
        SmtpSecurity::Plain => "without TLS, within this machine",
    };
    let login = match &settings.login {
        Some(_) => "logged in",
        None => "no login",
    };
    report.ok(WHAT, format_args!("{server}: {protection}, {login}"))?;
    if let Some(to) = mail_to {
        let (id, product) = (random::array(&SystemRandom)?, &config.mail.product_name);
        let (id, now) = (MessageId::from_bytes(id), SystemClock.now());
        match channel.send_canary(id, to, product, now).await {
            Ok(()) => report.ok(
                WHAT,
                format_args!(
                    "{server}: took a mail to {}; see whether it arrives",
                    to.masked()
                ),
            )?,
            Err(why) => report.problem(WHAT, format_args!("{server}: {why}"))?,
        }
    }
    Ok(())
}
