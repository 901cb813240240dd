//! SIGHUP: keys and callers change while the service runs.

use super::dev::Dev;
use super::{PASSWORD, until};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use serde_json::json;
use std::fs;

/// The id of the key that a link was minted with: the first four bytes of its token.
fn key_of(token: &str) -> String {
    let token = token.strip_prefix("rlt1_").unwrap();
    HEXLOWER.encode(&BASE64URL_NOPAD.decode(token.as_bytes()).unwrap()[..4])
}

/// What `relatch keys` prints about the service's keyring.
fn keys(dev: &Dev, command: &str) -> String {
    dev.relatch(&format!("keys {command} --file relatch-dev/keyring.toml"))
}

/// The ids of all keys, oldest first.
fn key_ids(dev: &Dev) -> Vec<String> {
    let list = keys(dev, "list");
    let ids = list.lines().map(|line| line.split_once(' ').unwrap().0);
    ids.map(ToOwned::to_owned).collect()
}

/// Has the keyring read again, until this key signs.
async fn signs(dev: &Dev, key: &str) {
    dev.signal("HUP");
    until("the keyring to be read", || {
        dev.has_logged("keyring read", ("signing", key))
            .then_some(())
    })
    .await;
}

#[tokio::test]
async fn new_links_are_minted_with_the_new_key_and_old_ones_work_until_theirs_is_revoked() {
    let dev = Dev::start().await;
    let old = key_ids(&dev)[0].clone();
    let adas = dev.link_for("ada@example.com").await;
    let graces = dev.link_for("grace@example.com").await;
    assert_eq!([key_of(&adas), key_of(&graces)], [old.clone(), old.clone()]);
    // A file that did not change is read at SIGHUP only.
    signs(&dev, &old).await;

    keys(&dev, "add");
    let new = key_ids(&dev)[1].clone();
    keys(&dev, &format!("promote {new}"));
    signs(&dev, &new).await;
    assert_eq!(key_of(&dev.link_for("ada@example.com").await), new);
    dev.confirm(&adas, PASSWORD).unwrap();
    dev.inspect(&graces).unwrap();

    keys(&dev, &format!("revoke {old} --force"));
    dev.signal("HUP");
    let refused = until("the old link to die", || dev.inspect(&graces).err()).await;
    assert_eq!(refused.reason(), "RESET_LINK_INVALID");
}

#[tokio::test]
async fn a_key_goes_once_nothing_is_sealed_with_it_any_more() {
    const DATA: &str = "--directory relatch-dev";
    let mut dev = Dev::start().await;
    let before = dev.json();
    let old = key_ids(&dev)[0].clone();
    let list = keys(&dev, &format!("list {DATA}"));
    assert_eq!(list, format!("{old}  signing    1 sealed\n"));
    let line = format!("keys revoke {old} --file relatch-dev/keyring.toml {DATA}");
    let revoke = || dev.command(line.split(' ')).output().unwrap();
    let refused = String::from_utf8(revoke().stderr).unwrap();
    assert!(
        refused.contains("would be lost: promote another"),
        "{refused}"
    );

    keys(&dev, "add");
    let new = key_ids(&dev)[1].clone();
    keys(&dev, &format!("promote {new}"));
    signs(&dev, &new).await;
    until("nothing to be sealed with the old key", || {
        revoke().status.success().then_some(())
    })
    .await;
    let list = keys(&dev, &format!("list {DATA}"));
    let expected = format!("{old}  revoked    0 sealed\n{new}  signing    1 sealed\n");
    assert_eq!(list, expected);
    dev.restart().await;
    assert_eq!(dev.json()["accounts"], before["accounts"], "it is readable");
}

#[tokio::test]
async fn callers_come_and_go_with_their_stanzas() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("relatch.toml");
    fs::write(&file, "").unwrap();
    let dev = Dev::start_in(directory, &["--config", "relatch.toml"]).await;
    let made = dev.relatch("caller new web --scopes signin");
    let token = made.lines().find(|line| line.starts_with("rlk_")).unwrap();
    let stanza = &made[made.find("[[callers]]").unwrap()..];
    let ada = dev.account("ada@example.com");
    let request = json!({
        "email": ada["email"], "password": ada["password"], "client": {"ip": "192.0.2.1"}
    });
    let signs_in = || dev.call_as(token, "PasswordService/VerifyPassword", &request);
    assert_eq!(signs_in().unwrap_err().reason(), "CALLER_UNKNOWN");

    fs::write(&file, stanza).unwrap();
    dev.signal("HUP");
    until("the caller to be admitted", || signs_in().ok()).await;
    let other = json!({"email": ada["email"], "client": {"ip": "192.0.2.1"}});
    let refused = dev.call_as(token, "PasswordService/RequestReset", &other);
    assert_eq!(refused.unwrap_err().reason(), "SCOPE_MISSING");
    dev.request_reset("ada@example.com");

    fs::write(&file, "[[callers]]\nname = \"web\"\n").unwrap();
    dev.signal("HUP");
    until("the faults to be told", || {
        dev.log()
            .contains("the configuration has faults")
            .then_some(())
    })
    .await;
    signs_in().unwrap();

    fs::write(&file, "").unwrap();
    dev.signal("HUP");
    until("the caller to be dismissed", || signs_in().err()).await;
    assert_eq!(signs_in().unwrap_err().reason(), "CALLER_UNKNOWN");
}
