//! `relatch store`: the database as a whole.

use super::{Failure, Output};
use crate::clock::SystemClock;
use crate::config::{Config, Profile, Source};
use crate::random::SystemRandom;
use crate::store::sqlite::{self, BackupRefused, Contents, RestoreRefused};
use clap::{Args, Subcommand};
use data_encoding::HEXLOWER;
use std::path::PathBuf;

/// Back the database up and restore it
#[derive(Debug, Subcommand)]
pub(super) enum StoreCommand {
    Backup(BackupArgs),
    Restore(RestoreArgs),
}

/// Copy the database into a new file, while a service goes on using it
///
/// The copy is of one moment, and is read through: structure, references, and the audit log down to its last event. No
/// key is in it; keep the keyring elsewhere.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  relatch store backup --directory /var/lib/relatch/data /var/backups/relatch-2026-11-24.db")]
pub(super) struct BackupArgs {
    /// The file to make
    #[arg(value_name = "FILE")]
    to: PathBuf,
    #[command(flatten)]
    which: WhichArgs,
}

/// Make the database of a backup, where there is none
///
/// What happened after the backup is forgotten, so everything ends that may have ended meanwhile: every link, every session,
/// every proof; people sign in anew, with the passwords of that time. A new audit log begins, whose first event names the old
/// one, its size and its root; the old log stays in the backup. Root gives what it makes to the owner of the directory it finds.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  relatch store restore --directory /var/lib/relatch/data /var/backups/relatch-2026-11-24.db")]
pub(super) struct RestoreArgs {
    /// The backup
    #[arg(value_name = "FILE")]
    from: PathBuf,
    #[command(flatten)]
    which: WhichArgs,
}

/// Which database.
#[derive(Debug, Args)]
struct WhichArgs {
    /// The configuration whose store.directory it is in, unless --directory is given
    #[arg(
        long,
        value_name = "FILE",
        env = "RELATCH_CONFIG",
        required_unless_present = "directory"
    )]
    config: Option<PathBuf>,
    /// The directory it is in, whatever a configuration says
    #[arg(long, value_name = "DIR")]
    directory: Option<PathBuf>,
}

impl From<BackupRefused> for Failure {
    fn from(why: BackupRefused) -> Self {
        Self::told(why)
    }
}

impl From<RestoreRefused> for Failure {
    fn from(why: RestoreRefused) -> Self {
        Self::told(why)
    }
}

impl WhichArgs {
    fn directory(&self, source: &dyn Source) -> Result<PathBuf, Failure> {
        if let Some(directory) = &self.directory {
            return Ok(directory.clone());
        }
        let config = Config::read(Profile::Serve, self.config.as_deref(), Vec::new(), source)?;
        Ok(config.store.directory)
    }
}

impl StoreCommand {
    pub(super) fn run(self, source: &dyn Source, output: &mut Output<'_>) -> Result<(), Failure> {
        match self {
            Self::Backup(args) => {
                let contents = sqlite::backup(&args.which.directory(source)?, &args.to)?;
                output.line(format_args!(
                    "{} holds {}.",
                    args.to.display(),
                    described(&contents)
                ))
            }
            Self::Restore(args) => {
                let directory = args.which.directory(source)?;
                let restored =
                    sqlite::restore(&args.from, &directory, &SystemClock, &SystemRandom)?;
                output.line(format_args!(
                    "{} holds what the backup holds: {}.\n\
                     Every link, session and proof has ended. The audit log {} begins; its first event names the old one.",
                    directory.display(),
                    described(&restored.backup),
                    restored.log_origin,
                ))
            }
        }
    }
}

fn described(contents: &Contents) -> String {
    format!(
        "{} accounts, and the audit log {} of {} events with the root {}",
        contents.accounts,
        contents.log_origin,
        contents.log_size,
        HEXLOWER.encode(&contents.log_root),
    )
}
