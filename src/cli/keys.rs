//! `relatch keys`: makes and rotates the keyring. Works on its file, not through a running service.

use super::{Failure, Output};
use crate::config::KeyringFile;
use crate::domain::keyring::{KeyId, KeyState, Keyring};
use crate::random::{self, NoEntropy, Random};
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// Make and rotate the keys that links and codes are derived from
///
/// The keyring is one file, mode 0600. Whoever has it can mint links: keep it apart from the database and its backups.
/// One key signs; the others verify what they minted before, or are revoked. A running service takes up a change
/// within a second.
#[derive(Debug, Args)]
pub(super) struct KeysArgs {
    #[command(subcommand)]
    command: KeysCommand,
    /// The keyring
    #[arg(
        long,
        value_name = "PATH",
        global = true,
        env = "RELATCH_KEYS__FILE",
        default_value = "keyring.toml"
    )]
    file: PathBuf,
    /// Accept a keyring that the file's group may read
    #[arg(long, global = true)]
    allow_group_read: bool,
}

#[derive(Debug, Subcommand)]
enum KeysCommand {
    /// Make a keyring of one signing key
    #[command(after_long_help = "\
Example:
  relatch keys init --file /etc/relatch/keyring.toml")]
    Init,
    /// List the keys and what each may do
    #[command(after_long_help = "\
Example:
  relatch keys list --file /etc/relatch/keyring.toml")]
    List,
    /// Add a key that verifies, to be promoted once every replica has it
    #[command(after_long_help = "\
A rotation takes three steps, some time apart:
  relatch keys add
  relatch keys promote 1f2e3d4c
  relatch keys revoke 0a1b2c3d

Promote the new key once every replica has the file. Revoke the old one once what it minted has died: after 72 hours,
or links.invitation_lifetime if that is longer.")]
    Add,
    /// Make a key the one that signs; the one before it goes on verifying
    #[command(after_long_help = "\
Example:
  relatch keys promote 1f2e3d4c

A replica that does not have the key yet refuses the links of one that does: see `relatch keys add --help`.")]
    Promote {
        /// The key, as `relatch keys list` names it
        #[arg(value_parser = key_id)]
        id: KeyId,
    },
    /// Kill a key and every link it minted, for good
    #[command(after_long_help = "\
Example, when the key 0a1b2c3d may have been seen:
  relatch keys add
  relatch keys promote 1f2e3d4c
  relatch keys revoke 0a1b2c3d")]
    Revoke {
        /// The key, as `relatch keys list` names it
        #[arg(value_parser = key_id)]
        id: KeyId,
    },
}

impl KeysArgs {
    pub(super) fn run(self, random: &dyn Random, output: &mut Output<'_>) -> Result<(), Failure> {
        let file = KeyringFile::new(self.file, self.allow_group_read);
        match self.command {
            KeysCommand::Init => init(&file, random, output),
            KeysCommand::List => list(&file, output),
            KeysCommand::Add => add(&file, random, output),
            KeysCommand::Promote { id } => promote(&file, id, output),
            KeysCommand::Revoke { id } => revoke(&file, id, output),
        }
    }
}

fn init(file: &KeyringFile, random: &dyn Random, output: &mut Output<'_>) -> Result<(), Failure> {
    let id = fresh_id(random)?;
    file.create(&Keyring::of(id, random::array(random)?))?;
    output.line(format_args!(
        "Made {} with the signing key {id}. Name it in the configuration:\n\n[keys]\nfile = {}",
        file.path().display(),
        super::quoted(file.path()),
    ))
}

fn list(file: &KeyringFile, output: &mut Output<'_>) -> Result<(), Failure> {
    let ring = file.read()?;
    ring.keys()
        .try_for_each(|key| output.line(format_args!("{}  {}", key.id(), key.state().as_str())))
}

fn add(file: &KeyringFile, random: &dyn Random, output: &mut Output<'_>) -> Result<(), Failure> {
    let (id, root) = (fresh_id(random)?, random::array(random)?);
    file.change(|ring| ring.add(id, root))?;
    output.line(format_args!(
        "Added the key {id}, which verifies. Once every replica has the file:\n\n  relatch keys promote {id} --file {}",
        file.path().display()
    ))
}

fn promote(file: &KeyringFile, id: KeyId, output: &mut Output<'_>) -> Result<(), Failure> {
    file.change(|ring| ring.promote(id))?;
    output.line(format_args!(
        "The key {id} signs. The others verify what they minted, until they are revoked."
    ))
}

fn revoke(file: &KeyringFile, id: KeyId, output: &mut Output<'_>) -> Result<(), Failure> {
    file.change(|ring| ring.revoke(id))?;
    let ring = file.read()?;
    let left = ring
        .keys()
        .filter(|key| key.state() != KeyState::Revoked)
        .count();
    output.line(format_args!(
        "The key {id} is revoked, and every link it minted is dead. {left} left."
    ))
}

fn fresh_id(random: &dyn Random) -> Result<KeyId, NoEntropy> {
    random::array(random).map(KeyId::from_bytes)
}

fn key_id(text: &str) -> Result<KeyId, &'static str> {
    KeyId::parse(text).ok_or("must be eight lower-case hexadecimal digits")
}
