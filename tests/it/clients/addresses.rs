//! What a demonstration tells of itself: `dev.json` for programs, a page for who opens its address.

use super::dev::Dev;
use super::{fetched, keys};
use crate::support::database;
use data_encoding::BASE32_NOPAD;
use relatch::config::KeyringFile;
use relatch::domain::id::AccountId;
use relatch::domain::seal::{Sealed, SealedFor, unseal};
use serde_json::json;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;

#[tokio::test]
async fn dev_json_is_for_its_owner_and_has_exactly_its_fields() {
    let dev = Dev::start().await;
    let metadata = fs::metadata(dev.data().join("dev.json")).unwrap();
    assert_eq!(metadata.permissions().mode() & 0o7777, 0o600);
    let json = dev.json();
    assert_eq!(
        keys(&json),
        ["accounts", "console", "grpc", "inbox", "ops", "token"]
    );
    let real = |address: &str| address.parse::<SocketAddr>().is_ok_and(|it| it.port() != 0);
    assert!(real(&dev.field("grpc")), "{json}");
    for page in ["console", "inbox", "ops"] {
        assert!(
            dev.field(page).strip_prefix("http://").is_some_and(real),
            "{json}"
        );
    }
}

#[tokio::test]
async fn there_is_an_account_for_each_second_factor_and_its_password_is_right() {
    let dev = Dev::start().await;
    let json = dev.json();
    let accounts = json["accounts"].as_array().unwrap();
    for account in accounts {
        assert_eq!(
            keys(account),
            [
                "account_id",
                "email",
                "password",
                "phone",
                "second_factor",
                "totp_secret"
            ]
        );
    }
    let factors: Vec<_> = accounts
        .iter()
        .map(|account| account["second_factor"].as_str().unwrap())
        .collect();
    assert_eq!(factors, ["EMAIL", "SMS", "TOTP"]);
    let [ada, grace, alan] = accounts.as_slice() else {
        panic!("{accounts:?}")
    };
    assert_eq!(grace["phone"], "+14155550101");
    let secret = alan["totp_secret"].as_str().unwrap();
    assert_eq!(BASE32_NOPAD.decode(secret.as_bytes()).unwrap().len(), 20);

    let password = ada["password"].as_str().unwrap();
    let signed_in = dev.sign_in("ada@example.com", password).await;
    assert_eq!(signed_in.unwrap()["accountId"], ada["account_id"]);
    let info = json!({"account_id": grace["account_id"]});
    let info = dev.call("PasswordService/GetSecurityInfo", &info).unwrap();
    assert_eq!(info["secondFactor"], "SECOND_FACTOR_SMS");
}

#[tokio::test]
async fn the_account_with_an_app_has_the_secret_that_dev_json_tells() {
    let dev = Dev::start().await;
    let alan = dev.account("alan@example.com");
    let account_id: AccountId = alan["account_id"].as_str().unwrap().parse().unwrap();
    let sealed = database::open(&dev.data()).query_row(
        "SELECT sealed_secret FROM totp WHERE account_id = ?1",
        [account_id.as_bytes()],
        |row| row.get(0),
    );
    let ring = KeyringFile::new(dev.data().join("keyring.toml"), false).read();
    let whose = SealedFor::Totp(account_id);
    let secret = unseal(&ring.unwrap(), whose, &Sealed::from_bytes(sealed.unwrap()));
    let secret = BASE32_NOPAD.encode(&secret.unwrap());
    assert_eq!(alan["totp_secret"], secret);
}

#[tokio::test]
async fn whoever_opens_the_consoles_address_is_told_what_is_to_come() {
    let dev = Dev::start().await;
    let page = fetched(&dev.field("console"));
    for word in ["Forgot password?", &dev.field("inbox"), &dev.field("grpc")] {
        assert!(page.contains(word), "{word}: {page}");
    }
    let page = fetched(&format!("{}/reset", dev.field("console")));
    assert!(page.contains("relatch.v1.PasswordService/ConfirmReset"));
}
