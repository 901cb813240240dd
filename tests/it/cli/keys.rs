use super::{command, relatch};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

/// The ids that `relatch keys list` prints, with their states.
fn listed(directory: &Path) -> Vec<(String, String)> {
    let list = relatch(directory, "keys list").succeeded();
    list.lines()
        .map(|line| line.split_once("  ").unwrap())
        .map(|(id, state)| (id.to_owned(), state.to_owned()))
        .collect()
}

#[test]
fn a_key_lives_from_its_making_to_its_revocation() {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    let made = relatch(here, "keys init").succeeded();
    assert!(made.contains("[keys]\nfile = \""), "{made}");
    assert_eq!(mode(&here.join("keyring.toml")), 0o600);
    let first = listed(here)[0].0.clone();
    assert_eq!(listed(here)[0].1, "signing");

    let added = relatch(here, "keys add").succeeded();
    let second = listed(here)[1].0.clone();
    assert!(added.contains(&format!(
        "relatch keys promote {second} --file keyring.toml"
    )));
    assert_eq!(listed(here)[1].1, "verifying");

    relatch(here, &format!("keys promote {second}")).succeeded();
    relatch(here, &format!("keys revoke {first} --force")).succeeded();
    let states: Vec<_> = listed(here).into_iter().map(|(_, state)| state).collect();
    assert_eq!(states, ["revoked", "signing"]);
    assert_eq!(mode(&here.join("keyring.toml")), 0o600);
    assert_eq!(fs::read_dir(here).unwrap().count(), 1);

    let told = relatch(here, &format!("keys revoke {second} --force")).refused();
    assert!(told.contains("promote another one first"), "{told}");
    let told = relatch(here, &format!("keys promote {first}")).refused();
    assert!(told.contains("is revoked and stays so"), "{told}");
}

#[test]
fn init_refuses_to_overwrite() {
    let directory = tempfile::tempdir().unwrap();
    relatch(directory.path(), "keys init --file ring").succeeded();
    let before = fs::read(directory.path().join("ring")).unwrap();
    let told = relatch(directory.path(), "keys init --file ring").refused();
    assert!(told.contains("ring exists already"), "{told}");
    assert_eq!(fs::read(directory.path().join("ring")).unwrap(), before);
}

#[test]
fn a_keyring_open_to_others_is_refused_with_the_remedy() {
    let directory = tempfile::tempdir().unwrap();
    let ring = directory.path().join("keyring.toml");
    relatch(directory.path(), "keys init").succeeded();
    for open in [0o644, 0o660, 0o640] {
        fs::set_permissions(&ring, Permissions::from_mode(open)).unwrap();
        for line in ["keys list", "keys add"] {
            let told = relatch(directory.path(), line).refused();
            assert!(told.contains("chmod 600 keyring.toml"), "{told}");
        }
    }
    relatch(directory.path(), "keys add --allow-group-read").succeeded();
    assert_eq!(mode(&ring), 0o640);
}

#[test]
fn nobody_reading_is_no_failure() {
    let directory = tempfile::tempdir().unwrap();
    relatch(directory.path(), "keys init").succeeded();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = command(directory.path(), "keys list")
        .stdout(writer)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stderr.is_empty());
}
