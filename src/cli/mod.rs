//! The command line: one file for each subcommand.
//!
//! What a command was asked for goes to standard output, everything else to standard error. Exit codes:
//! 0 for done, 1 for refused or failed, 2 for a command line that cannot be read.

mod account;
mod audit;
mod breach;
mod caller;
mod config;
mod console;
mod dev;
mod dev_args;
mod doctor;
mod ending;
mod failure;
#[cfg(test)]
mod fake;
mod keys;
mod output;
mod pepper;
mod serve;
mod server;
mod store;

pub use dev_args::DevArgs;
pub use failure::Failure;
pub use output::Output;

use crate::clock::SystemClock;
use crate::config::{Source, System};
use crate::random::SystemRandom;
use clap::{Parser, Subcommand};
use std::ffi::OsString;
use std::future::Future;
use std::io::IsTerminal as _;
use std::path::Path;
use std::process::ExitCode;

/// Relatch, a password service: reset links by email and SMS, over gRPC, with an audit log that proves itself.
#[derive(Debug, Parser)]
#[command(name = "relatch", version, after_long_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  Try it, with demo accounts and a mailbox:
    relatch dev
  See what happens there, from another terminal:
    relatch audit tail --follow
  Prepare a service of your own:
    relatch config example > /etc/relatch/relatch.toml
    relatch keys init --file /etc/relatch/keyring.toml
    relatch caller new web --scopes reset,signin
  Try out what it stands on, and run it:
    relatch doctor --config /etc/relatch/relatch.toml
    relatch serve --config /etc/relatch/relatch.toml";

/// What can be done; each is described where it is done.
#[derive(Debug, Subcommand)]
enum Command {
    Dev(DevArgs),
    Serve(serve::ServeArgs),
    Console(console::ConsoleArgs),
    Doctor(doctor::DoctorArgs),
    Keys(keys::KeysArgs),
    Pepper(pepper::PepperArgs),
    #[command(subcommand)]
    Config(config::ConfigCommand),
    #[command(subcommand)]
    Caller(caller::CallerCommand),
    #[command(subcommand)]
    Account(account::AccountCommand),
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    #[command(subcommand)]
    Store(store::StoreCommand),
    #[command(subcommand)]
    Breach(breach::BreachCommand),
}

/// Does what the command line says, program name first, and tells how that ended.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(answer) => {
            // Help that nobody reads is no failure.
            let _ = answer.print();
            return if answer.use_stderr() {
                ExitCode::from(2)
            } else {
                ExitCode::SUCCESS
            };
        }
    };
    let (mut stdout, mut stderr) = (std::io::stdout(), std::io::stderr());
    let watched = stderr.is_terminal();
    let mut output = Output::new(&mut stdout, &mut stderr).watched(watched);
    match cli.command.run(&System, &mut output) {
        Ok(()) | Err(Failure::NobodyReads) => ExitCode::SUCCESS,
        Err(Failure::Told(why)) => {
            output.note(format_args!("error: {why}"));
            ExitCode::FAILURE
        }
    }
}

impl Command {
    fn run(self, source: &dyn Source, output: &mut Output<'_>) -> Result<(), Failure> {
        match self {
            Self::Dev(args) => dev::run(args, output),
            Self::Serve(args) => args.run(),
            Self::Console(args) => args.run(),
            Self::Doctor(args) => block_on(args.run(source, output)),
            Self::Keys(args) => args.run(source, &SystemRandom, output),
            Self::Pepper(args) => args.run(&SystemRandom, output),
            Self::Config(command) => command.run(output),
            Self::Caller(command) => command.run(&SystemRandom, output),
            Self::Account(command) => block_on(command.run(source, output)),
            Self::Audit(command) => block_on(command.run(source, output)),
            Self::Store(command) => command.run(source, output),
            Self::Breach(command) => command.run(&SystemClock, output),
        }
    }
}

/// The whole path of a file, as a configuration has it.
fn quoted(path: &Path) -> toml::Value {
    let whole = path.canonicalize();
    let whole = whole.unwrap_or_else(|_| path.to_owned());
    toml::Value::from(&*whole.to_string_lossy())
}

/// Runs what waits for a server, on this thread.
fn block_on(work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|why| Failure::told(format_args!("the system refused an event loop: {why}")))?
        .block_on(work)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    /// Calls `check` on each command that does something, with the words that lead to it.
    fn walk(command: &clap::Command, path: &str, check: &dyn Fn(&clap::Command, &str)) {
        let path = format!("{path} {}", command.get_name());
        if command.has_subcommands() {
            for inner in command.get_subcommands() {
                walk(inner, &path, check);
            }
        } else {
            check(command, path.trim());
        }
    }

    #[test]
    fn every_command_teaches_by_an_example_that_can_be_read() {
        walk(&Cli::command(), "", &|command, path| {
            let help = command.get_after_long_help().map(ToString::to_string);
            let help = help.unwrap_or_default().replace(" \\\n", " ");
            let examples: Vec<_> = help
                .lines()
                .map(str::trim)
                .filter(|line| line.starts_with("relatch "))
                .collect();
            assert!(
                examples.iter().any(|line| line.starts_with(path)),
                "{path}: {help}"
            );
            for example in examples {
                // What a shell does with the output is its own business.
                let words = example
                    .split_whitespace()
                    .take_while(|word| !word.starts_with('>'));
                assert!(Cli::try_parse_from(words).is_ok(), "{example}");
            }
        });
    }
}
