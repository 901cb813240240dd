//! `relatch breach`: the file of passwords that are known from breaches.

use super::{Failure, Output};
use crate::breach::{self, BreachFile, BreachFileRefused, Header, SaveRefused};
use crate::clock::Clock;
use clap::{Args, Subcommand};
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

/// How much of a list is read at a time.
const BUFFER: usize = 1 << 20;

/// Make and check the file of passwords that are known from breaches
#[derive(Debug, Subcommand)]
pub(super) enum BreachCommand {
    Build(BuildArgs),
    Verify(VerifyArgs),
}

/// Make a breach file of the public list of Have I Been Pwned
///
/// The list is text, HASH:COUNT a line: the SHA-1 hash of a password and how often it was seen, sorted by the hash.
/// Lines may end in CRLF and may lack the count. The list is read once, from beginning to end; the file takes about three
/// bytes for each of a thousand million hashes and replaces the one before as a whole, which a running service takes up
/// within a second.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  relatch breach build --from pwnedpasswords.txt --to /var/lib/relatch/pwned.breach
  relatch breach build --from - --to pwned.breach --at-least 10

With `-` the list comes by standard input, as in `unzip -p pwnedpasswords.zip | relatch breach build …`.
docs/breach.md says where the list is to be had.")]
pub(super) struct BuildArgs {
    /// The list; `-` is standard input
    #[arg(long, value_name = "FILE|-")]
    from: PathBuf,
    /// The breach file to make, or to replace
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
    /// Leave out passwords that were seen less often
    #[arg(long, value_name = "COUNT", default_value_t = 1)]
    at_least: u64,
}

/// Read a breach file through, to its last hash
///
/// A service checks the length, the header and the index when it opens the file, and each part of the rest when it is asked
/// for it. This checks everything now, which takes up to a minute for three gigabytes.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Example:
  relatch breach verify /var/lib/relatch/pwned.breach")]
pub(super) struct VerifyArgs {
    /// The breach file
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl From<SaveRefused> for Failure {
    fn from(why: SaveRefused) -> Self {
        Self::told(why)
    }
}

impl From<BreachFileRefused> for Failure {
    fn from(why: BreachFileRefused) -> Self {
        Self::told(why)
    }
}

impl BreachCommand {
    pub(super) fn run(self, clock: &dyn Clock, output: &mut Output<'_>) -> Result<(), Failure> {
        match self {
            Self::Build(args) => args.run(clock, output),
            Self::Verify(VerifyArgs { file }) => {
                let header = *BreachFile::open_verified(&file)?.header();
                output.line(format_args!(
                    "{} is whole. It holds {}.",
                    file.display(),
                    Described(header)
                ))
            }
        }
    }
}

impl BuildArgs {
    fn run(self, clock: &dyn Clock, output: &mut Output<'_>) -> Result<(), Failure> {
        let list = open_list(&self.from)?;
        let mut told = |lines| output.note(format_args!("{lines} lines read"));
        let built_at = clock.now();
        let header = breach::save(&self.to, list, self.at_least, built_at, &mut told)?;
        let path = self.to.canonicalize().unwrap_or(self.to);
        let quoted = toml::Value::from(&*path.to_string_lossy());
        output.line(format_args!(
            "{} holds {}. Name it in the configuration:\n\n[password]\nbreach_file = {quoted}",
            path.display(),
            Described(header),
        ))
    }
}

fn open_list(from: &Path) -> Result<Box<dyn BufRead>, Failure> {
    if from == Path::new("-") {
        return Ok(Box::new(BufReader::with_capacity(BUFFER, io::stdin())));
    }
    let file = File::open(from).map_err(|why| {
        Failure::told(format_args!(
            "the list {} cannot be read: {why}",
            from.display()
        ))
    })?;
    Ok(Box::new(BufReader::with_capacity(BUFFER, file)))
}

/// What a file holds, as people read it.
struct Described(Header);

impl fmt::Display for Described {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Header {
            keys,
            at_least,
            built_at,
            ..
        } = self.0;
        let bytes = self.0.file_length().unwrap_or(u64::MAX);
        write!(f, "{keys} hashes of passwords in {bytes} bytes, ")?;
        if at_least > 1 {
            write!(f, "seen at least {at_least} times, ")?;
        }
        write!(
            f,
            "built at {built_at}; of {} other passwords one would be refused too",
            self.0.one_wrong_in()
        )
    }
}
