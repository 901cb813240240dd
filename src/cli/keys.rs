//! `relatch keys`: makes and rotates the keyring. Works on its file, not through a running service.

use super::{Failure, Output};
use crate::config::{Config, KeyringFile, Profile, Source};
use crate::domain::keyring::{KeyId, KeyState, Keyring};
use crate::random::{self, NoEntropy, Random};
use crate::store::sqlite;
use clap::{Args, Subcommand};
use std::collections::BTreeMap;
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
  relatch keys list --file /etc/relatch/keyring.toml --directory /var/lib/relatch/data

With --directory or --config it also tells how many secrets of authenticator apps are sealed with each key.")]
    List {
        #[command(flatten)]
        data: DataArgs,
    },
    /// Add a key that verifies, to be promoted once every replica has it
    #[command(after_long_help = "\
A rotation takes three steps, some time apart:
  relatch keys add
  relatch keys promote 1f2e3d4c
  relatch keys revoke 0a1b2c3d --directory /var/lib/relatch/data

Promote the new key once every replica has the file. Revoke the old one once what it minted has died: after 72 hours,
or links.invitation_lifetime if that is longer. Within seconds of the promotion a running service seals with the new key
what the old one had sealed.")]
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
    ///
    /// Secrets of authenticator apps that are still sealed with it would be lost: their owners would need a recovery code. So
    /// it looks into the database first, and refuses while there are any.
    #[command(after_long_help = "\
Example, when the key 0a1b2c3d may have been seen:
  relatch keys add
  relatch keys promote 1f2e3d4c
  relatch keys revoke 0a1b2c3d --directory /var/lib/relatch/data

A running service seals everything anew within seconds of the promotion. A backup from before it holds what the old key sealed.")]
    Revoke {
        /// The key, as `relatch keys list` names it
        #[arg(value_parser = key_id)]
        id: KeyId,
        #[command(flatten)]
        data: DataArgs,
        /// Revoke it whatever is still sealed with it
        #[arg(long, required_unless_present_any = ["config", "directory"])]
        force: bool,
    },
}

/// Which database may have secrets that are sealed with a key.
#[derive(Debug, Args)]
struct DataArgs {
    /// The configuration whose store.directory it is in, unless --directory is given
    #[arg(long, value_name = "FILE", env = "RELATCH_CONFIG")]
    config: Option<PathBuf>,
    /// The directory it is in, whatever a configuration says
    #[arg(long, value_name = "DIR")]
    directory: Option<PathBuf>,
}

impl DataArgs {
    /// How many secrets are sealed with each key; `None` if it is not said where they would be.
    fn sealed(self, source: &dyn Source) -> Result<Option<BTreeMap<KeyId, u32>>, Failure> {
        let directory = match (self.directory, self.config) {
            (Some(directory), _) => directory,
            (None, Some(config)) => {
                Config::read(Profile::Serve, Some(&config), Vec::new(), source)?
                    .store
                    .directory
            }
            (None, None) => return Ok(None),
        };
        Ok(Some(sqlite::sealed_with(&directory)?))
    }
}

impl KeysArgs {
    pub(super) fn run(
        self,
        source: &dyn Source,
        random: &dyn Random,
        output: &mut Output<'_>,
    ) -> Result<(), Failure> {
        let file = KeyringFile::new(self.file, self.allow_group_read);
        match self.command {
            KeysCommand::Init => init(&file, random, output),
            KeysCommand::List { data } => list(&file, data.sealed(source)?.as_ref(), output),
            KeysCommand::Add => add(&file, random, output),
            KeysCommand::Promote { id } => promote(&file, id, output),
            KeysCommand::Revoke {
                id, force: true, ..
            } => revoke(&file, id, output),
            KeysCommand::Revoke { id, data, .. } => {
                refuse_losses(id, data.sealed(source)?.as_ref())?;
                revoke(&file, id, output)
            }
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

fn list(
    file: &KeyringFile,
    sealed: Option<&BTreeMap<KeyId, u32>>,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let ring = file.read()?;
    ring.keys().try_for_each(|key| {
        let (id, state) = (key.id(), key.state().as_str());
        match sealed.map(|sealed| sealed.get(&id).unwrap_or(&0)) {
            None => output.line(format_args!("{id}  {state}")),
            Some(secrets) => output.line(format_args!("{id}  {state:<9}  {secrets} sealed")),
        }
    })
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

/// Refuses to lose secrets that are sealed with this key.
fn refuse_losses(id: KeyId, sealed: Option<&BTreeMap<KeyId, u32>>) -> Result<(), Failure> {
    match sealed.and_then(|sealed| sealed.get(&id)) {
        None | Some(0) => Ok(()),
        Some(secrets) => Err(Failure::told(format_args!(
            "{secrets} secrets of authenticator apps are sealed with the key {id} and would be lost: promote another key, \
             and let the service run until `relatch keys list` says that none is left, or use --force"
        ))),
    }
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
