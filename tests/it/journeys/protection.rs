//! Somebody guesses, and what becomes of the owner.

use crate::support::requests::{OTHER_PASSWORD, PASSWORD, client, reason, update_request};
use crate::support::server::TestServer;
use crate::support::{database, fixture};
use relatch::domain::message::MessageKind;
use relatch::domain::pseudonym::{Pseudonym, Subject};
use relatch::pb;
use std::time::Duration;

const EMAIL: &str = "ada@example.com";
const WRONG: &str = "seven purple otters sing";
const GUESSER: &str = "198.51.100.7";

impl TestServer {
    /// Wrong passwords from this address.
    async fn guess(&self, ip: &str, times: usize) {
        for _ in 0..times {
            let refused = self.verify_at(ip, EMAIL, WRONG).await.unwrap_err();
            assert_eq!(reason(&refused), "CREDENTIALS_WRONG");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guesser_keeps_nobody_at_home_from_signing_in() {
    let server = TestServer::unlimited().await;
    server.person(EMAIL, PASSWORD).await;
    server.guess(GUESSER, 50).await;
    let lucky = server.verify_at(GUESSER, EMAIL, PASSWORD).await;
    assert_eq!(reason(&lucky.unwrap_err()), "CREDENTIALS_WRONG");
    server.verify(EMAIL, PASSWORD).await.unwrap();

    let notice = server.mail_to(EMAIL, MessageKind::WrongPasswords).await;
    assert!(notice.text.contains("198.51.100.0/24"), "{}", notice.text);
    server.settled().await;
    let messages = server.inbox.messages();
    let notices = messages
        .iter()
        .filter(|message| message.kind == MessageKind::WrongPasswords);
    assert_eq!(notices.count(), 1, "one notice, not fifty");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_password_is_reopened_by_a_reset() {
    let server = TestServer::unlimited().await;
    server.person(EMAIL, PASSWORD).await;
    for source in 0..100 {
        server.guess(&format!("198.51.100.{source}"), 1).await;
    }
    let right = server.verify(EMAIL, PASSWORD).await.unwrap_err();
    assert_eq!(reason(&right), "CREDENTIALS_WRONG");
    let names = server.events().await.into_iter().map(|event| event.name);
    assert_eq!(names.filter(|name| name == "authn_login_lock").count(), 1);

    let link = server.request_link(EMAIL).await;
    server.confirm(&link, OTHER_PASSWORD).await.unwrap();
    server.verify(EMAIL, OTHER_PASSWORD).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn ninety_nine_wrong_ones_are_forgotten_with_a_right_one() {
    let server = TestServer::unlimited().await;
    server.person(EMAIL, PASSWORD).await;
    for _ in 0..2 {
        for source in 0..11 {
            server.guess(&format!("198.51.100.{source}"), 9).await;
        }
        server.verify(EMAIL, PASSWORD).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_compromised_password_works_no_more_until_there_is_a_new_one() {
    let server = TestServer::unlimited().await;
    let ada = server.person(EMAIL, PASSWORD).await;
    let before = server.verify(EMAIL, PASSWORD).await.unwrap();
    let link = server.request_link(EMAIL).await;
    server.inbox.clear();
    let compromised = pb::Account {
        compromised: true,
        ..ada.clone()
    };
    let marked = server.update(compromised.clone(), &["compromised"]).await;
    assert!(marked.compromised && marked.has_password);
    assert_eq!(marked.credential_version, before.credential_version + 1);
    let again = server.update(compromised, &["compromised"]).await;
    assert_eq!(again.etag, marked.etag, "said once");
    server
        .mail_to(EMAIL, MessageKind::PasswordCompromised)
        .await;

    let right = server.verify(EMAIL, PASSWORD).await.unwrap_err();
    assert_eq!(reason(&right), "CREDENTIALS_WRONG");
    let change = pb::ChangePasswordRequest {
        account_id: ada.account_id.clone(),
        current_password: PASSWORD.to_owned(),
        new_password: OTHER_PASSWORD.to_owned(),
        client: client(),
        request_id: String::new(),
    };
    let changed = server.change(change).await.unwrap_err();
    assert_eq!(reason(&changed), "CREDENTIALS_WRONG");
    let dead = server.confirm(&link, OTHER_PASSWORD).await.unwrap_err();
    assert_eq!(reason(&dead), "RESET_LINK_INVALID");
    let taken_back = update_request(ada, &["compromised"], "");
    let taken_back = server.accounts().update_account(taken_back).await;
    assert_eq!(reason(&taken_back.unwrap_err()), "INVALID_FIELD");
    server.settled().await;
    assert_eq!(server.inbox.messages().len(), 1, "one notice");

    let link = server.request_link(EMAIL).await;
    server.confirm(&link, OTHER_PASSWORD).await.unwrap();
    let after = server.verify(EMAIL, OTHER_PASSWORD).await.unwrap();
    assert_eq!(after.credential_version, marked.credential_version + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_counted_is_on_disk_and_names_no_source() {
    let server = TestServer::unlimited().await;
    server.person(EMAIL, PASSWORD).await;
    server.guess(GUESSER, 12).await;
    server.clock.advance(Duration::from_secs(1));
    server.guess(GUESSER, 1).await;
    let source = [198, 51, 100, 7];
    let source = Pseudonym::of(&fixture::keyring(), Subject::Source, &source);
    let directory = server.stop().await;
    let counted: (u32, u32, [u8; 16]) = database::open(&directory.path().join("data"))
        .query_row(
            "SELECT a.wrong_passwords, w.wrong, w.source FROM accounts a JOIN wrong_passwords w USING (account_id)",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
        .unwrap();
    assert_eq!(counted, (11, 11, *source.as_bytes()), "two in the pause");
}
