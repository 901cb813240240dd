//! `relatch dev`, run by somebody who has the binary, a directory, and nothing else.

use super::{printed, until};
use serde_json::Value;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use tempfile::TempDir;

/// What it keeps where it was started.
const DATA: &str = "relatch-dev";

/// Every listener on a port that is free.
pub(crate) const FREE_PORTS: [&str; 8] = [
    "--grpc-listen",
    "127.0.0.1:0",
    "--console-listen",
    "127.0.0.1:0",
    "--inbox-listen",
    "127.0.0.1:0",
    "--ops-listen",
    "127.0.0.1:0",
];

/// What every secret of a demonstration begins with, and the passwords that people choose in the tests.
const SECRETS: [&str; 6] = ["rlk_", "rlt1_", "rlc1_", "rlp1_", "demo-", super::PASSWORD];

/// A demonstration in a directory of its own. Dropping it ends it, and checks that it ended in good order
/// and kept its secrets out of its log.
pub(crate) struct Dev {
    directory: TempDir,
    arguments: Vec<String>,
    process: Child,
}

impl Dev {
    /// Starts one and waits until it is ready.
    pub(crate) async fn start() -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), &[]).await
    }

    /// Starts one in this directory, with these arguments besides.
    pub(crate) async fn start_in(directory: TempDir, arguments: &[&str]) -> Self {
        let arguments = ["dev"].iter().chain(&FREE_PORTS).chain(arguments);
        let arguments: Vec<_> = arguments.map(ToString::to_string).collect();
        let process = launch(directory.path(), &arguments);
        let mut dev = Self {
            directory,
            arguments,
            process,
        };
        dev.ready().await;
        dev
    }

    /// Ends it in good order and starts it again.
    pub(super) async fn restart(&mut self) {
        let ended = self.end("TERM");
        assert!(ended.success(), "{ended}: {}", self.log());
        self.relaunch().await;
    }

    /// Ends it as a power cut would and starts it again.
    pub(super) async fn crash(&mut self) {
        let ended = self.end("KILL");
        assert!(!ended.success());
        self.relaunch().await;
    }

    /// Sends it a signal.
    pub(super) fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.process.id());
        printed(Command::new("sh").args(["-c", &kill]));
    }

    /// Where it was started.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Where it keeps its data.
    pub(crate) fn data(&self) -> PathBuf {
        self.directory().join(DATA)
    }

    /// What `dev.json` says.
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&fs::read(self.data().join("dev.json")).unwrap()).unwrap()
    }

    /// A field of `dev.json`.
    pub(super) fn field(&self, name: &str) -> String {
        self.json()[name].as_str().unwrap().to_owned()
    }

    /// The account of this address, as `dev.json` tells it.
    pub(super) fn account(&self, email: &str) -> Value {
        let json = self.json();
        let mut accounts = json["accounts"].as_array().unwrap().iter();
        accounts
            .find(|account| account["email"] == email)
            .unwrap()
            .clone()
    }

    /// What it has printed since its last start.
    pub(super) fn banner(&self) -> String {
        fs::read_to_string(self.directory().join("stdout")).unwrap()
    }

    /// What it has logged since its first start.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.directory().join("stderr")).unwrap()
    }

    /// Whether a line of the log has this message and field.
    pub(super) fn has_logged(&self, message: &str, field: (&str, &str)) -> bool {
        let log = self.log();
        let mut lines = log
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.any(|line| line["message"] == message && line[field.0] == field.1)
    }

    /// The command with these arguments, for where it was started.
    pub(super) fn command<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Command {
        relatch(self.directory(), arguments)
    }

    /// What the command with this line of arguments prints.
    #[track_caller]
    pub(super) fn relatch(&self, line: &str) -> String {
        printed(&mut self.command(line.split_whitespace()))
    }

    async fn relaunch(&mut self) {
        self.process = launch(self.directory.path(), &self.arguments);
        self.ready().await;
    }

    /// Waits until it answers. A `dev.json` of an earlier start is out of date until it prints where it is.
    async fn ready(&mut self) {
        until("the demonstration", || {
            if let Some(status) = self.process.try_wait().unwrap() {
                panic!("{status}: {}", self.log());
            }
            (!self.banner().is_empty()).then_some(())
        })
        .await;
        let readyz = format!("{}/readyz", self.field("ops"));
        until("readiness", || {
            let mut curl = Command::new("curl");
            let asked = curl.args(["--silent", "--fail", &readyz]).output().unwrap();
            asked.status.success().then_some(())
        })
        .await;
    }

    /// Ends it, unless it has ended: its number may be another process's by now.
    pub(crate) fn end(&mut self, signal: &str) -> ExitStatus {
        if self.process.try_wait().unwrap().is_none() {
            self.signal(signal);
        }
        self.process.wait().unwrap()
    }
}

impl Drop for Dev {
    #[expect(clippy::print_stderr, reason = "the log explains what failed")]
    fn drop(&mut self) {
        let ended = self.end("TERM");
        let log = self.log();
        if std::thread::panicking() {
            eprintln!("{log}");
            return;
        }
        assert!(ended.success(), "{ended}: {log}");
        for secret in SECRETS {
            assert!(!log.contains(secret), "{secret}: {log}");
        }
    }
}

/// The binary in this directory, without an environment of its own.
fn relatch<'a>(directory: &Path, arguments: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_relatch"));
    command.current_dir(directory).env_clear().args(arguments);
    command
}

fn launch(directory: &Path, arguments: &[String]) -> Child {
    let log = File::options()
        .create(true)
        .append(true)
        .open(directory.join("stderr"))
        .unwrap();
    relatch(directory, arguments.iter().map(String::as_str))
        .stdin(Stdio::null())
        .stdout(File::create(directory.join("stdout")).unwrap())
        .stderr(log)
        .spawn()
        .unwrap()
}
