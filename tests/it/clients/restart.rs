//! What outlives the process.

use super::dev::{Dev, FREE_PORTS};
use super::{PASSWORD, until};
use serde_json::{Value, json};
use std::fs;

/// The version of an account's credentials.
fn credential_version(dev: &Dev, email: &str) -> Value {
    let request = json!({"account_id": dev.account(email)["account_id"]});
    let info = dev.call("PasswordService/GetSecurityInfo", &request);
    info.unwrap()["credentialVersion"].clone()
}

#[tokio::test]
async fn a_restart_keeps_everything_and_gives_the_demo_accounts_their_passwords_back() {
    let mut dev = Dev::start().await;
    let before = dev.json();
    let ada = dev.account("ada@example.com");
    let old_password = ada["password"].as_str().unwrap();
    let token = dev.link_for("ada@example.com").await;
    dev.confirm(&token, PASSWORD).unwrap();
    until("the notice", || {
        let changed = |message: &Value| message["kind"] == "PASSWORD_CHANGED";
        dev.messages().iter().any(changed).then_some(())
    })
    .await;
    dev.relatch("account create --email new@example.com --verified");
    let accounts = dev.relatch("account list");
    let graces = credential_version(&dev, "grace@example.com");

    dev.restart().await;
    let after = dev.json();
    assert_eq!(after["token"], before["token"]);
    assert_eq!(after["accounts"], before["accounts"]);
    assert_eq!(dev.relatch("account list"), accounts);
    assert_eq!(dev.messages(), Vec::<Value>::new());
    dev.sign_in("ada@example.com", old_password).await.unwrap();
    let refused = dev.sign_in("ada@example.com", PASSWORD).await.unwrap_err();
    assert_eq!(refused.reason(), "CREDENTIALS_WRONG");
    assert_eq!(credential_version(&dev, "grace@example.com"), graces);
}

#[tokio::test]
async fn what_was_acknowledged_survives_kill_9() {
    let mut dev = Dev::start().await;
    let line = dev.relatch("account create --dev relatch-dev --email new@example.com --verified");
    dev.request_reset("new@example.com");
    dev.crash().await;
    assert!(
        dev.relatch("account list --dev relatch-dev")
            .contains(&line)
    );
    let (account_id, _) = line.split_once('\t').unwrap();
    let names = || {
        let log = dev.relatch(&format!("audit tail --account {account_id}"));
        let names = log
            .lines()
            .map(|line| line.split(' ').nth(2).unwrap().to_owned());
        names.collect::<Vec<_>>()
    };
    assert_eq!(names()[0], "user_created");
    until("the requested link", || {
        names()
            .contains(&"authn_token_created".to_owned())
            .then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_second_one_on_the_same_directory_is_refused_and_harms_nothing() {
    let dev = Dev::start().await;
    let file = dev.data().join("dev.json");
    let before = fs::read(&file).unwrap();
    let arguments = ["dev"].into_iter().chain(FREE_PORTS);
    let second = dev.command(arguments).output().unwrap();
    assert_eq!((second.status.code(), second.stdout), (Some(1), Vec::new()));
    let told = String::from_utf8(second.stderr).unwrap();
    assert!(told.contains("another process is using"), "{told}");
    assert!(
        told.contains("relatch-dev: stop that one, or use another"),
        "{told}"
    );
    assert_eq!(fs::read(&file).unwrap(), before);
    dev.link_for("ada@example.com").await;
}
