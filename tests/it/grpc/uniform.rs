//! Nobody can tell from RequestReset, or from a sign-in that is refused, who has an account.

use crate::support::requests::{PASSWORD, client_at};
use crate::support::server::TestServer;
use crate::support::{database, wire};
use relatch::domain::message::MessageKind;
use relatch::pb;

fn request(email: &str) -> pb::RequestResetRequest {
    pb::RequestResetRequest {
        email: email.to_owned(),
        client: client_at("198.51.100.1"),
        request_id: String::new(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn replies_are_equal_to_the_byte_whatever_the_account() {
    let server = TestServer::start_with(&[("limits.request_source", "1000/1s")]).await;
    server.person("existing@example.com", PASSWORD).await;
    let disabled = server.person("disabled@example.com", PASSWORD).await;
    server.disable(disabled).await;
    let unverified = pb::CreateAccountRequest {
        email: "unverified@example.com".to_owned(),
        ..pb::CreateAccountRequest::default()
    };
    server.accounts().create_account(unverified).await.unwrap();
    server.sms_account("sms@example.com").await;

    let mut replies = Vec::new();
    for email in [
        "existing@example.com",
        "absent@example.com",
        "disabled@example.com",
        "unverified@example.com",
        "sms@example.com",
    ] {
        replies.push(wire::call(&server, "PasswordService/RequestReset", &request(email)).await);
    }
    for email in ["existing@example.com", "absent@example.com"] {
        for _ in 0..10 {
            // From the fourth on the address is over its limit.
            replies
                .push(wire::call(&server, "PasswordService/RequestReset", &request(email)).await);
        }
    }
    assert!(
        replies[0]
            .trailers
            .get("grpc-status")
            .is_some_and(|status| status == "0"),
        "{:?}",
        replies[0]
    );
    for reply in &replies {
        assert_eq!(reply, &replies[0]);
    }
    server
        .mail_to("existing@example.com", MessageKind::ResetLink)
        .await;
    server.settled().await;
    let sent = server
        .inbox
        .messages()
        .iter()
        .filter(|mail| mail.to == "existing@example.com")
        .count();
    assert!(sent <= 3, "{sent} mails within the limit of three");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refused_sign_in_is_equal_to_the_byte_and_costs_one_hash() {
    const WRONG: &str = "seven purple otters sing";
    let server = TestServer::unlimited().await;
    for email in ["wrong", "throttled", "stopped"] {
        let email = format!("{email}@example.com");
        server.person(&email, PASSWORD).await;
    }
    let compromised = pb::Account {
        compromised: true,
        ..server.person("compromised@example.com", PASSWORD).await
    };
    server.update(compromised, &["compromised"]).await;
    let disabled = server.person("disabled@example.com", PASSWORD).await;
    server.disable(disabled).await;
    server.account("passwordless@example.com").await;
    for _ in 0..10 {
        let wrong = server.verify("throttled@example.com", WRONG).await;
        wrong.unwrap_err();
    }
    for source in 0..100 {
        let ip = format!("198.51.100.{source}");
        let wrong = server.verify_at(&ip, "stopped@example.com", WRONG).await;
        wrong.unwrap_err();
    }

    let mut replies = Vec::new();
    for (email, password) in [
        ("absent@example.com", PASSWORD),
        ("wrong@example.com", WRONG),
        ("wrong@example.com", "a password\0that cannot be one"),
        ("disabled@example.com", PASSWORD),
        ("passwordless@example.com", PASSWORD),
        ("throttled@example.com", PASSWORD),
        ("throttled@example.com", WRONG),
        ("stopped@example.com", PASSWORD),
        ("compromised@example.com", PASSWORD),
    ] {
        let request = pb::VerifyPasswordRequest {
            email: email.to_owned(),
            password: password.to_owned(),
            client: client_at("192.0.2.1"),
        };
        let before = server.service.hasher.hashes_run();
        replies.push(wire::call(&server, "PasswordService/VerifyPassword", &request).await);
        let hashed = server.service.hasher.hashes_run() - before;
        assert_eq!(hashed, 1, "{email} {password}");
    }
    let refused = replies[0].headers.get("grpc-status");
    let refused = refused.or(replies[0].trailers.get("grpc-status"));
    assert!(refused.is_some_and(|status| status == "7"), "{replies:?}");
    for reply in &replies {
        assert_eq!(reply, &replies[0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_handler_reads_no_account() {
    let server = TestServer::start().await;
    server.account("ada@example.com").await;
    // With no accounts to read, every look at them fails. RequestReset does not notice.
    let connection = database::open(&server.data());
    connection
        .execute_batch("PRAGMA foreign_keys = OFF; PRAGMA legacy_alter_table = ON; ALTER TABLE accounts RENAME TO elsewhere;")
        .unwrap();
    let looked = server
        .accounts()
        .get_account(by_email("ada@example.com"))
        .await;
    assert!(looked.is_err(), "the accounts are out of reach");
    for email in ["ada@example.com", "absent@example.com"] {
        server
            .passwords()
            .request_reset(request(email))
            .await
            .unwrap();
    }
    connection
        .execute_batch("ALTER TABLE elsewhere RENAME TO accounts;")
        .unwrap();
    server
        .mail_to("ada@example.com", MessageKind::ResetLink)
        .await;
}

fn by_email(email: &str) -> pb::GetAccountRequest {
    pb::GetAccountRequest {
        key: Some(pb::get_account_request::Key::Email(email.to_owned())),
    }
}
