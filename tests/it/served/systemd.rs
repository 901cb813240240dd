//! The unit for systemd and the documents beside it, done as they say, in a directory instead of at the root.

use super::ending::Manager;
use super::{Premises, Served};
use crate::support::{database, eventually};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

const UNIT: &str = include_str!("../../../deploy/systemd/relatch.service");

/// The values that the unit gives to a key, in order.
fn values(key: &str) -> Vec<&'static str> {
    let lines = UNIT.lines().filter_map(|line| line.split_once('='));
    lines
        .filter_map(|(name, value)| (name == key).then_some(value))
        .collect()
}

/// The only value that the unit gives to a key.
fn value(key: &str) -> &'static str {
    let values = values(key);
    assert_eq!(values.len(), 1, "{key}");
    values[0]
}

/// A machine whose `/etc/relatch`, `/var/lib/relatch`, `/var/backups` and credentials are directories of the premises.
struct Machine {
    premises: Premises,
    manager: Manager,
}

impl Machine {
    fn new() -> Self {
        let premises = Premises::new();
        for directory in ["etc", "state", "backups", "credentials"] {
            fs::create_dir(premises.path(directory)).unwrap();
        }
        let state = Permissions::from_mode(mode("StateDirectoryMode"));
        fs::set_permissions(premises.path("state"), state).unwrap();
        for file in ["keyring.toml", "tls.pem", "tls.key"] {
            fs::rename(premises.path(file), premises.path("etc").join(file)).unwrap();
        }
        premises.write("etc/smtp-password", "secret");
        let example = include_str!("../../../relatch.example.toml");
        let callers = fs::read_to_string(premises.path("relatch.toml")).unwrap();
        let (_, callers) = callers.split_once("[[callers]]").unwrap();
        let edited = example.replace("0.0.0.0:50051", "127.0.0.1:0");
        let edited = edited.replace("127.0.0.1:9090", "127.0.0.1:0");
        let edited = edited.replace(
            "# client_ca_file = \"callers.pem\"",
            "client_ca_file = \"callers.pem\"",
        );
        premises.write(
            "etc/relatch.toml",
            &format!("{edited}\n[[callers]]{callers}"),
        );
        let manager = Manager::at(&premises.path("notify"));
        Self { premises, manager }
    }

    /// What is at the root of a real machine, where it is here.
    fn here(&self, text: &str) -> String {
        let at = |name| self.premises.path(name).display().to_string();
        text.replace("/usr/local/bin/relatch", env!("CARGO_BIN_EXE_relatch"))
            .replace("/etc/relatch", &at("etc"))
            .replace("/var/lib/relatch", &at("state"))
            .replace("/var/backups", &at("backups"))
            .replace("%d", &at("credentials"))
    }

    /// Starts the unit and waits until it says that it is ready.
    async fn start(&self) -> Served {
        for credential in values("LoadCredential") {
            let (name, file) = credential.split_once(':').unwrap();
            let copy = self.premises.path("credentials").join(name);
            // What is there is of the start before, and not writable.
            let _ = fs::remove_file(&copy);
            fs::copy(self.here(file), &copy).unwrap();
            fs::set_permissions(copy, Permissions::from_mode(0o440)).unwrap();
        }
        let line = self.here(value("ExecStart"));
        let mut words = line.split(' ');
        let mut command = Command::new(words.next().unwrap());
        let environment = values("Environment").into_iter().map(|variable| {
            let (name, value) = variable.split_once('=').unwrap();
            (name, self.here(value))
        });
        command
            .args(words)
            .env_clear()
            .envs(environment)
            .env("NOTIFY_SOCKET", self.manager.socket())
            .current_dir(self.premises.directory.path());
        assert_eq!(value("Type"), "notify");
        let served = self.premises.serve_by(command).await;
        assert!(self.manager.heard().contains("READY=1"));
        served
    }
}

fn mode(key: &str) -> u32 {
    u32::from_str_radix(value(key), 8).unwrap()
}

/// Runs what a document gives to a shell, with the tools of this machine.
fn shell(machine: &Machine, line: &str) {
    let binary = Path::new(env!("CARGO_BIN_EXE_relatch")).parent().unwrap();
    let path = std::env::var("PATH").unwrap();
    let ran = Command::new("sh")
        .args(["-c", &machine.here(line)])
        .env_clear()
        .env("PATH", format!("{}:{path}", binary.display()))
        .current_dir(machine.premises.directory.path())
        .output()
        .unwrap();
    assert!(ran.status.success(), "{line}: {ran:?}");
}

#[tokio::test]
async fn the_unit_starts_the_service_reads_callers_again_and_keeps_to_its_directories() {
    let machine = Machine::new();
    let mut served = machine.start().await;
    assert!(machine.premises.path("state/data/relatch.db").exists());
    assert_eq!(mode("UMask"), 0o077);

    let reload = value("ExecReload").replace("$MAINPID", &served.process.id().to_string());
    shell(&machine, &reload);
    eventually(async || served.told("callers were read again").is_some()).await;
    assert!(served.end().await.success());
    assert!(machine.manager.heard().contains("STOPPING=1"));
}

#[test]
fn every_credential_is_used_and_comes_from_a_file_that_the_directions_install() {
    let directions = include_str!("../../../deploy/systemd/README.md");
    let environment = values("Environment");
    let names: Vec<_> = values("LoadCredential")
        .into_iter()
        .map(|credential| credential.split_once(':').unwrap())
        .collect();
    assert_eq!(
        names.len(),
        environment
            .iter()
            .filter(|variable| variable.contains("%d/"))
            .count()
    );
    for (name, file) in names {
        let used = format!("=%d/{name}");
        assert!(
            environment.iter().any(|variable| variable.ends_with(&used)),
            "{name}"
        );
        assert_eq!(file, format!("/etc/relatch/{name}"));
        assert!(directions.contains(name), "{name}");
    }
}

#[tokio::test]
async fn a_backup_is_taken_and_restored_as_the_document_says() {
    let document = include_str!("../../../docs/backup.md");
    let machine = Machine::new();
    let mut served = Some(machine.start().await);
    let blocks = document.split("```sh\n").skip(1);
    let lines = blocks.flat_map(|block| block.split("```").next().unwrap().lines());
    for line in lines {
        match line {
            "systemctl stop relatch" => {
                let ended = served.take().unwrap().end().await;
                assert!(ended.success());
                assert!(machine.manager.heard().contains("STOPPING=1"));
            }
            "systemctl start relatch" => served = Some(machine.start().await),
            line => shell(&machine, &line.replace("$(date +%F)", "2026-11-24")),
        }
    }
    assert!(
        served.is_some(),
        "the document ends with a service that runs"
    );
    let data = machine.premises.path("state/data");
    assert_eq!(database::events_named(&data, "store_restored").len(), 1);
}
