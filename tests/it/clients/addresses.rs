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
async fn whoever_opens_the_consoles_address_can_sign_in_and_is_shown_the_inbox() {
    let dev = Dev::start().await;
    let page = fetched(&format!("{}/sign-in", dev.field("console")));
    for word in ["Sign in", "Relatch Demo", &dev.field("inbox")] {
        assert!(page.contains(word), "{word}: {page}");
    }
}

/// By the channel that is memory, as the caller that the console is.
#[tokio::test]
async fn the_console_of_a_demonstration_reaches_its_service_and_links_lead_to_it() {
    let dev = Dev::start().await;
    let console = dev.field("console");
    let curl = |path: &str, form: &[String]| {
        let jar = dev.data().join("cookies");
        let mut curl = std::process::Command::new("curl");
        curl.args(["-sS", "--max-time", "10", "-b"])
            .arg(&jar)
            .arg("-c")
            .arg(&jar);
        curl.args(["-H", "sec-fetch-site: same-origin"]);
        for field in form {
            curl.args(["--data-urlencode", field]);
        }
        let answer = curl.arg(format!("{console}{path}")).output().unwrap();
        String::from_utf8(answer.stdout).unwrap()
    };
    let page = curl("/forgot-password", &[]);
    let (_, form) = page.split_once("name=\"form\" value=\"").unwrap();
    let form = format!("form={}", form.split('"').next().unwrap());
    let asked = [
        form.clone(),
        "email=ada@example.com".to_owned(),
        "request_id=r".to_owned(),
    ];
    let sent = curl("/forgot-password/send", &asked);
    assert!(sent.contains("If an account exists for"), "{sent}");
    let mail = super::until("the mail", || dev.messages().into_iter().next()).await;
    let text = mail["text"].as_str().unwrap();
    let (_, link) = text.split_once(&format!("{console}/reset#")).unwrap();
    let token = link.split_whitespace().next().unwrap();
    let opened = curl("/reset", &[form, format!("token={token}")]);
    assert!(
        opened.contains("<strong>a***@example.com</strong>"),
        "{opened}"
    );
}

#[tokio::test]
async fn whom_to_tell_of_a_weakness_is_told_as_it_is_configured() {
    let directory = tempfile::tempdir().unwrap();
    let settings = "[console]\nsecurity_contact = \"https://example.com/security\"\n";
    fs::write(directory.path().join("relatch.toml"), settings).unwrap();
    let dev = Dev::start_in(directory, &["--config", "relatch.toml"]).await;
    let console = dev.field("console");
    let told = fetched(&format!("{console}/.well-known/security.txt"));
    assert!(
        told.starts_with("Contact: https://example.com/security\nExpires: 20"),
        "{told}"
    );
    let canonical = format!("\nCanonical: {console}/.well-known/security.txt\n");
    assert!(told.ends_with(&canonical), "{told}");
}
