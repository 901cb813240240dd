//! No usable secret is at rest.

use crate::support::requests::{OTHER_PASSWORD, PASSWORD, cancel_token, client, reset_token};
use crate::support::server::TestServer;
use crate::support::{database, eventually};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use relatch::domain::message::MessageKind;
use relatch::pb;
use std::fs;
use std::path::PathBuf;

#[tokio::test(flavor = "multi_thread")]
async fn after_both_journeys_no_file_holds_a_token_a_proof_or_a_password() {
    let server = TestServer::start().await;
    let account = server.person("ada@example.com", PASSWORD).await;
    let mut secrets = vec![PASSWORD.to_owned(), OTHER_PASSWORD.to_owned()];
    secrets.push(server.request_link("ada@example.com").await);
    secrets.push(cancel_token(
        &*server
            .mail_to("ada@example.com", MessageKind::ResetLink)
            .await,
    ));
    server.confirm(&secrets[2], OTHER_PASSWORD).await.unwrap();
    secrets.push(
        server
            .verify("ada@example.com", OTHER_PASSWORD)
            .await
            .unwrap()
            .proof,
    );
    server
        .verify("ada@example.com", "a canary of a wrong one")
        .await
        .unwrap_err();
    secrets.push("a canary of a wrong one".to_owned());
    server.inbox.clear();
    let send = pb::SendProfileResetLinkRequest {
        account_id: account.account_id,
        client: client(),
        request_id: "canary".to_owned(),
    };
    server
        .passwords()
        .send_profile_reset_link(send)
        .await
        .unwrap();
    secrets.push(reset_token(
        &*server
            .mail_to("ada@example.com", MessageKind::ResetLink)
            .await,
    ));

    let backup = server.data().join("backup.db");
    relatch::store::sqlite::backup(&server.data(), &backup).unwrap();
    let mut found = false;
    for (file, bytes) in files(&server) {
        for secret in &secrets {
            for spelling in spellings(secret) {
                assert!(!holds(&bytes, &spelling), "{}: {secret}", file.display());
            }
        }
        found |= file == backup && holds(&bytes, b"ada@example.com");
    }
    assert!(found, "the search finds");
}

/// Every file of the data directory, and what it holds.
fn files(server: &TestServer) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = fs::read_dir(server.data()).unwrap();
    entries
        .map(|entry| {
            let path = entry.unwrap().path();
            let bytes = fs::read(&path).unwrap();
            (path, bytes)
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_address_stands_in_no_file_a_second_later() {
    let server = TestServer::start().await;
    let absent = pb::RequestResetRequest {
        email: "absent@example.com".to_owned(),
        client: client(),
        request_id: String::new(),
    };
    server.passwords().request_reset(absent).await.unwrap();
    eventually(async || {
        let files = files(&server);
        files
            .iter()
            .all(|(_, bytes)| !holds(bytes, b"absent@example.com"))
    })
    .await;
    assert_eq!(database::count(&server.data(), "messages", "state = 5"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn full_addresses_stand_in_accounts_and_what_is_still_to_be_done_only() {
    let server = TestServer::start().await;
    server.person("ada@example.com", PASSWORD).await;
    let absent = pb::RequestResetRequest {
        email: "absent@example.com".to_owned(),
        client: client(),
        request_id: "1".to_owned(),
    };
    server.passwords().request_reset(absent).await.unwrap();
    server
        .verify("stranger@example.com", PASSWORD)
        .await
        .unwrap_err();
    eventually(async || {
        let rows = database::rows(&server.data());
        let unsent = database::count(&server.data(), "messages", "address IS NOT NULL");
        rows["intake"].is_empty() && unsent == 0
    })
    .await;
    for (table, rows) in database::rows(&server.data()) {
        let text = format!("{rows:?}");
        for address in [
            "ada@example.com",
            "absent@example.com",
            "stranger@example.com",
        ] {
            let allowed = table == "accounts" && address == "ada@example.com";
            assert!(
                allowed || !text.contains(address),
                "{table} holds {address}"
            );
            let bytes = format!("{:?}", address.as_bytes());
            assert!(
                !text.contains(bytes.trim_matches(['[', ']'])),
                "{table} holds {address} in bytes"
            );
        }
    }
}

/// The ways in which a secret could be written down.
fn spellings(secret: &str) -> Vec<Vec<u8>> {
    let raw = secret
        .get(5..)
        .and_then(|encoded| BASE64URL_NOPAD.decode(encoded.as_bytes()).ok());
    let mut spellings = vec![
        secret.as_bytes().to_vec(),
        HEXLOWER.encode(secret.as_bytes()).into_bytes(),
        data_encoding::BASE64_NOPAD
            .encode(secret.as_bytes())
            .into_bytes(),
        BASE64URL_NOPAD.encode(secret.as_bytes()).into_bytes(),
    ];
    if let Some(raw) = raw {
        // The tag is what makes a token; the fields before it are in the database.
        let tag = &raw[raw.len() - 32..];
        spellings.extend([tag.to_vec(), HEXLOWER.encode(tag).into_bytes()]);
    }
    spellings
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
