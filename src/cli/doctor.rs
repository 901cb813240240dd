//! `relatch doctor`: tries out what a service would stand on.

mod breach;
mod clock;
mod dns;
mod files;
mod keys;
mod mail;
mod pepper;
mod report;
mod sms;
mod store;
mod tls;

use self::clock::Watch;
use self::report::Report;
use super::{Failure, Output};
use crate::clock::SystemClock;
use crate::config::{Config, ConfigRefused, Profile, Source};
use crate::domain::email::Email;
use clap::Args;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Try out what `relatch serve` would stand on
///
/// Reads the configuration, the files it names and the database, logs in to the mail server, looks the sender's
/// domain up in DNS and connects to the SMS gateway. Changes nothing, and may run beside a service. Each line is ok, a note, a warning or a problem, and says
/// how to mend it; with a problem the exit code is 1.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  relatch doctor --config /etc/relatch/relatch.toml
  relatch doctor --config relatch.toml --mail-to you@example.com
  relatch doctor --config relatch.toml --offline")]
pub(super) struct DoctorArgs {
    /// The configuration
    #[arg(long, value_name = "PATH")]
    config: PathBuf,
    /// Send a mail to this address too
    #[arg(long, value_name = "ADDRESS", value_parser = Email::parse, conflicts_with = "offline")]
    mail_to: Option<Email>,
    /// Ask neither the mail server nor DNS nor the SMS gateway
    #[arg(long)]
    offline: bool,
    /// Ask this DNS server instead of the system's
    #[arg(long, value_name = "ADDRESS:PORT")]
    dns: Option<SocketAddr>,
}

impl DoctorArgs {
    pub(super) async fn run(
        self,
        source: &dyn Source,
        output: &mut Output<'_>,
    ) -> Result<(), Failure> {
        let mut report = Report::new(output);
        let watch = Watch::start(&SystemClock);
        files::configuration(&mut report, &self.config)?;
        match Config::read(Profile::Serve, Some(&self.config), Vec::new(), source) {
            Ok(config) => self.check(&mut report, &config, watch).await?,
            Err(ConfigRefused::Faulty(_, faults)) => {
                for fault in faults {
                    report.problem("configuration", fault)?;
                }
                report.note("the rest", "is tried once the configuration can be read")?;
            }
            Err(unreadable) => report.problem("configuration", unreadable)?,
        }
        report.end()
    }

    async fn check(
        self,
        report: &mut Report<'_, '_>,
        config: &Config,
        watch: Watch,
    ) -> Result<(), Failure> {
        report.ok("configuration", "has no fault")?;
        keys::check(report, config)?;
        tls::check(report, config)?;
        let peppers = store::check(report, config)?;
        pepper::check(report, config, &peppers)?;
        breach::check(report, config)?;
        clock::check(report, &SystemClock, &[&self.config, &config.keys.file])?;
        mail::files(report, config)?;
        if self.offline {
            report.note("mail server", "not asked, as --offline says")?;
            report.note("DNS", "not asked, as --offline says")?;
        } else {
            mail::check(report, config, self.mail_to.as_ref()).await?;
            dns::check(report, config, self.dns).await?;
        }
        sms::check(report, config, self.offline).await?;
        watch.end(report, &SystemClock)
    }
}
