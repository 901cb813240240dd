//! The binary as its users meet it: what they read, what they paste, and what other languages' tools make of it.
#![expect(clippy::unwrap_used, reason = "a failed test should panic")]

mod addresses;
pub(crate) mod dev;
mod grpcurl;
mod inbox;
mod pasted;
mod reflection;
mod reload;
mod restart;
mod stubs;

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// A password that the policy accepts.
const PASSWORD: &str = "seven purple otters dance";

/// One of the tools that the tests call but do not bring along.
pub(crate) fn tool(path: &str) -> PathBuf {
    let tool = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .with_file_name("tools")
        .join(path);
    assert!(
        tool.exists(),
        "{} is missing: run `make setup`",
        tool.display()
    );
    tool
}

/// Runs a command to its end and returns what it printed. It must succeed.
#[track_caller]
fn printed(command: &mut Command) -> String {
    let output = match command.output() {
        Ok(output) => output,
        Err(why) => panic!("{command:?}: {why}"),
    };
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {complaint}");
    String::from_utf8(output.stdout).unwrap()
}

/// What an HTTP address answers.
#[track_caller]
fn fetched(url: &str) -> String {
    printed(Command::new("curl").args(["--silent", "--show-error", "--fail", url]))
}

/// The keys of a JSON object, sorted.
#[track_caller]
fn keys(object: &Value) -> Vec<&str> {
    let mut keys: Vec<_> = object
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    keys.sort_unstable();
    keys
}

/// Waits for what comes on its own time, as long as a machine may take that is busy with every other test.
async fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let looking = async {
        loop {
            if let Some(found) = look() {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let found = tokio::time::timeout(Duration::from_mins(1), looking).await;
    found.unwrap_or_else(|_| panic!("a minute was not enough for {what}"))
}
