//! What a demonstration made is no use to a service, nor the other way round.

use super::Premises;
use crate::clients::dev::{Dev, FREE_PORTS};
use std::fs;
use std::path::Path;
use std::process::Command;

/// The line of the configuration with this key, with another path in it.
fn name(premises: &Premises, key: &str, path: &Path) {
    let text = fs::read_to_string(premises.path("relatch.toml")).unwrap();
    let lines = text.lines().map(|line| {
        if line.starts_with(key) {
            format!("{key} = \"{}\"", path.display())
        } else {
            line.to_owned()
        }
    });
    premises.write("relatch.toml", &lines.collect::<Vec<_>>().join("\n"));
}

/// What the doctor says is wrong.
fn problems(premises: &Premises) -> String {
    let mut doctor = relatch(&["doctor", "--offline", "--config", "relatch.toml"]);
    let told = doctor.current_dir(premises.directory.path()).output();
    let told = String::from_utf8(told.unwrap().stdout).unwrap();
    let problems = told.lines().filter(|line| line.starts_with("problem"));
    problems.collect::<Vec<_>>().join("\n")
}

fn relatch(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_relatch"));
    command.env_clear().args(arguments);
    command
}

#[tokio::test]
async fn a_service_refuses_the_keyring_and_the_accounts_of_a_demonstration_restored_ones_too() {
    let mut dev = Dev::start().await;
    assert!(dev.end("TERM").success());
    let (data, backup) = (dev.data(), dev.directory().join("backup.db"));
    let restored = dev.directory().join("restored");
    for (what, directory) in [("backup", &data), ("restore", &restored)] {
        let mut store = relatch(&["store", what, "--directory"]);
        let done = store.args([directory, &backup]).output().unwrap();
        assert!(done.status.success(), "{done:?}");
    }

    let premises = Premises::new();
    name(&premises, "keys.file", &data.join("keyring.toml"));
    for said in [premises.refused(), problems(&premises)] {
        assert!(said.contains("is the keyring of a demonstration"), "{said}");
        assert!(said.contains("`relatch keys init --file FILE`"), "{said}");
    }
    name(&premises, "keys.file", &premises.path("keyring.toml"));
    for directory in [&data, &restored] {
        name(&premises, "store.directory", directory);
        for said in [premises.refused(), problems(&premises)] {
            let told = format!("{} holds a demonstration", directory.display());
            assert!(said.contains(&told), "{said}");
            assert!(
                said.contains("name another directory in store.directory"),
                "{said}"
            );
        }
    }
}

#[tokio::test]
async fn a_demonstration_puts_no_accounts_into_the_data_of_a_service() {
    let premises = Premises::new();
    assert!(premises.serve().await.end().await.success());
    let mut dev = relatch(&["dev", "--data-dir"]);
    let dev = dev
        .arg(premises.path("data"))
        .args(FREE_PORTS)
        .output()
        .unwrap();
    assert_eq!(dev.status.code(), Some(1));
    let said = String::from_utf8(dev.stderr).unwrap();
    assert!(said.contains("holds the data of a service"), "{said}");
    assert_eq!(
        crate::support::database::count(&premises.path("data"), "accounts", "true"),
        0
    );
}
