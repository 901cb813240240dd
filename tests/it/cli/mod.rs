//! The command line as a process: what its users and their scripts see.

mod caller;
mod config;
mod help;
mod keys;
mod pepper;
mod server;
mod store;

use std::path::Path;
use std::process::{Command, Output};

/// The command, in this directory and without an environment of its own.
fn command(directory: &Path, line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_relatch"));
    command
        .current_dir(directory)
        .env_clear()
        .args(line.split_whitespace());
    command
}

/// What the command did.
pub(crate) struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Self {
            code: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}

/// Runs the command to its end.
pub(crate) fn relatch(directory: &Path, line: &str) -> Ran {
    match command(directory, line).output() {
        Ok(output) => output.into(),
        Err(why) => panic!("{line}: {why}"),
    }
}

impl Ran {
    /// Its output, if it succeeded.
    #[track_caller]
    pub(crate) fn succeeded(self) -> String {
        assert_eq!((self.code, self.stderr.as_str()), (Some(0), ""));
        self.stdout
    }

    /// What it said, if it was refused.
    #[track_caller]
    pub(crate) fn refused(self) -> String {
        assert_eq!((self.code, self.stdout.as_str()), (Some(1), ""));
        self.stderr
    }
}
