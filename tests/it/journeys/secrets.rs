//! No usable secret is at rest.

use crate::support::canaries::Canaries;
use crate::support::requests::{
    OTHER_PASSWORD, PASSWORD, cancel_token, client, code_in, reset_token,
};
use crate::support::server::TestServer;
use crate::support::{database, eventually};
use relatch::domain::message::MessageKind;
use relatch::pb;
use std::fs;
use std::path::PathBuf;

#[tokio::test(flavor = "multi_thread")]
async fn after_both_journeys_no_file_holds_a_token_a_proof_or_a_password() {
    let server = TestServer::start().await;
    let account = server.person("ada@example.com", PASSWORD).await;
    let mut secrets = Canaries::default()
        .value("the first password", PASSWORD)
        .value("the second password", OTHER_PASSWORD)
        .value("a wrong password", "a canary of a wrong one");
    let link = server.request_link("ada@example.com").await;
    let mail = server
        .mail_to("ada@example.com", MessageKind::ResetLink)
        .await;
    secrets = secrets
        .token("a link", &link)
        .token("a cancel link", &cancel_token(&mail));
    server.confirm(&link, OTHER_PASSWORD).await.unwrap();
    let pending = server.pending("ada@example.com", OTHER_PASSWORD).await;
    let code = server
        .mail_to("ada@example.com", MessageKind::SignInCode)
        .await;
    let code = code_in(&code);
    let signed_in = server.pass(&pending.challenge, &code).await.unwrap();
    secrets = secrets
        .token("a challenge", &pending.challenge)
        .token("a proof", &signed_in.proof);
    server
        .verify("ada@example.com", "a canary of a wrong one")
        .await
        .unwrap_err();
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
    let mail = server
        .mail_to("ada@example.com", MessageKind::ResetLink)
        .await;
    secrets = secrets.token("the profile's link", &reset_token(&mail));

    let backup = server.data().join("backup.db");
    relatch::store::sqlite::backup(&server.data(), &backup).unwrap();
    let address = Canaries::default().value("the address", "ada@example.com");
    let mut found = false;
    for (file, bytes) in files(&server) {
        secrets.are_not_in(&file.display().to_string(), &bytes);
        assert!(!has_word(&bytes, &code), "{}", file.display());
        found |= file == backup && !address.found_in(&bytes).is_empty();
    }
    assert!(found, "the search finds");
}

/// Whether a word stands there by itself. Six digits among others may be anything.
fn has_word(bytes: &[u8], word: &str) -> bool {
    let mut words = bytes.split(|byte| !byte.is_ascii_alphanumeric());
    words.any(|found| found == word.as_bytes())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_file_holds_an_app_s_secret_or_a_recovery_code() {
    let server = TestServer::start().await;
    let ada = server.account("ada@example.com").await;
    let proof = server.proof(&ada).await;
    let begun = server.begin_app(&ada.account_id, &proof).await.unwrap();
    let code = server.code(&begun.secret);
    let codes = server.finish_app(&ada.account_id, &code).await.unwrap();
    let secret = data_encoding::BASE32_NOPAD
        .decode(begun.secret.as_bytes())
        .unwrap();
    let mut secrets = Canaries::default()
        .value("the app's secret", &secret)
        .value("the app's secret in Base32", &begun.secret);
    for code in codes {
        let bare = code.replace('-', "");
        secrets = secrets
            .value("a recovery code", &code)
            .value("a recovery code without hyphens", &bare);
    }
    for (file, bytes) in files(&server) {
        secrets.are_not_in(&file.display().to_string(), &bytes);
    }
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
    let address = Canaries::default().value("the address", "absent@example.com");
    eventually(async || {
        let files = files(&server);
        files
            .iter()
            .all(|(_, bytes)| address.found_in(bytes).is_empty())
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
            if !allowed {
                let canary = Canaries::default().value(address, address);
                canary.are_not_in(&table, &text);
            }
        }
    }
}
