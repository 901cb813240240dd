//! `relatch pepper`: makes and rotates the peppers. Works on their file, not through a running service.

use super::{Failure, Output};
use crate::config::PepperFile;
use crate::domain::password::{PepperId, Peppers};
use crate::random::{self, NoEntropy, Random};
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// Make and rotate the peppers, secrets that go into every password hash
///
/// They are one file, mode 0600. A stolen copy of the database verifies no password without it: keep it apart from the
/// database and its backups, and keep a copy, for without it nobody signs in. One pepper goes into new hashes; the others
/// verify the hashes they went into before, until their owners sign in. A service reads the file when it starts.
#[derive(Debug, Args)]
pub(super) struct PepperArgs {
    #[command(subcommand)]
    command: PepperCommand,
    /// The peppers
    #[arg(
        long,
        value_name = "PATH",
        global = true,
        env = "RELATCH_PASSWORD__PEPPER_FILE",
        default_value = "pepper.toml"
    )]
    file: PathBuf,
    /// Accept a file that its group may read
    #[arg(long, global = true)]
    allow_group_read: bool,
}

#[derive(Debug, Subcommand)]
enum PepperCommand {
    /// Make a file of one pepper
    #[command(after_long_help = "\
Example:
  relatch pepper init --file /etc/relatch/pepper.toml")]
    Init,
    /// List the peppers and what each is for
    #[command(after_long_help = "\
Example:
  relatch pepper list --file /etc/relatch/pepper.toml")]
    List,
    /// Add a pepper that verifies, to be promoted once every replica has it
    #[command(after_long_help = "\
A rotation takes two steps, and a restart after each:
  relatch pepper add
  relatch pepper promote 1f2e3d4c

With one replica, a restart after the second step is enough. Each hash is made anew when its owner signs in; until then
it needs the pepper it was made with. `relatch doctor` says how many do.")]
    Add,
    /// Make a pepper the one that goes into new hashes; the one before it goes on verifying
    #[command(after_long_help = "\
Example:
  relatch pepper promote 1f2e3d4c")]
    Promote {
        /// The pepper, as `relatch pepper list` names it
        #[arg(value_parser = pepper_id)]
        id: PepperId,
    },
}

impl PepperArgs {
    pub(super) fn run(self, random: &dyn Random, output: &mut Output<'_>) -> Result<(), Failure> {
        let file = PepperFile::new(self.file, self.allow_group_read);
        match self.command {
            PepperCommand::Init => init(&file, random, output),
            PepperCommand::List => list(&file, output),
            PepperCommand::Add => add(&file, random, output),
            PepperCommand::Promote { id } => promote(&file, id, output),
        }
    }
}

fn init(file: &PepperFile, random: &dyn Random, output: &mut Output<'_>) -> Result<(), Failure> {
    let (id, secret) = fresh(random)?;
    file.create(&Peppers::of(id, secret))?;
    output.line(format_args!(
        "Made {} with the pepper {id}. Keep a copy of it, then name it in the configuration and restart:\n\n[password]\npepper_file = {}",
        file.path().display(),
        super::quoted(file.path()),
    ))
}

fn list(file: &PepperFile, output: &mut Output<'_>) -> Result<(), Failure> {
    let peppers = file.read()?;
    peppers.ids().try_for_each(|id| {
        let current = peppers.current() == Some(id);
        let state = if current { "current" } else { "verifying" };
        output.line(format_args!("{id}  {state}"))
    })
}

fn add(file: &PepperFile, random: &dyn Random, output: &mut Output<'_>) -> Result<(), Failure> {
    let (id, secret) = fresh(random)?;
    file.change(|peppers| peppers.add(id, secret))?;
    output.line(format_args!(
        "Added the pepper {id}, which verifies. Once every replica has been restarted with the file:\n\n  relatch pepper promote {id} --file {}",
        file.path().display()
    ))
}

fn promote(file: &PepperFile, id: PepperId, output: &mut Output<'_>) -> Result<(), Failure> {
    file.change(|peppers| peppers.promote(id))?;
    output.line(format_args!(
        "The pepper {id} goes into new hashes from the next start on. Keep the others for as long as `relatch doctor` says that accounts need them."
    ))
}

fn fresh(random: &dyn Random) -> Result<(PepperId, [u8; 32]), NoEntropy> {
    Ok((PepperId(random::array(random)?), random::array(random)?))
}

fn pepper_id(text: &str) -> Result<PepperId, &'static str> {
    PepperId::parse(text).ok_or("must be eight lower-case hexadecimal digits")
}
