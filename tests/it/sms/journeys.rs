//! Text messages from the call to the gateway.

use relatch::clock::{Clock as _, SystemClock};
use relatch::domain::message::MessageKind;
use relatch::pb;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use tonic::Code;

use super::channel;
use super::gateway::{Answer, Gateway, Got, SECRET};
use crate::clients::tool;
use crate::support::eventually;
use crate::support::requests::{PASSWORD, client, reason};
use crate::support::server::TestServer;

/// The link in a text message.
fn token(got: &Got) -> String {
    let text = got.json()["text"].as_str().unwrap().to_owned();
    let (_, token) = text.split_once('#').unwrap();
    token.to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_from_the_profile_reaches_the_phone_and_so_does_the_notice() {
    let gateway = Gateway::start().await;
    let server = TestServer::start_texting(Some(channel(&gateway)), None).await;
    let account = server.sms_account("grace@example.com").await;
    let sent = server.send_profile_link(&account).await.unwrap();
    let got = gateway.request(1).await;
    assert_eq!(got.path, "/messages");
    assert_eq!(got.header("content-type"), "application/json");
    assert_eq!(got.header("webhook-id"), sent.message_id);
    let text = got.json()["text"].clone();
    assert_eq!(
        got.json(),
        json!({
            "message_id": sent.message_id,
            "kind": "RESET_LINK",
            "to": "+14155550101",
            "text": text,
        })
    );
    server.confirm(&token(&got), PASSWORD).await.unwrap();
    let notice = gateway.request(2).await.json();
    assert_eq!(notice["kind"], "PASSWORD_CHANGED");
    server
        .mail_to("grace@example.com", MessageKind::PasswordChanged)
        .await;
    server.settled().await;
    for message in server.messages(&account.account_id).await {
        assert_eq!(message.state(), pb::DeliveryState::Sent, "{message:?}");
    }
}

/// What the library of the scheme's makers says of a request.
fn verified(got: &Got, secret: &str) -> Result<Value, String> {
    let headers = ["webhook-id", "webhook-timestamp", "webhook-signature"]
        .map(|name| (name.to_owned(), Value::from(got.header(name))));
    let order = json!({
        "secret": secret,
        "headers": headers.into_iter().collect::<serde_json::Map<_, _>>(),
        "body": got.body,
    });
    let output = Command::new(tool("python/bin/python"))
        .arg("-B")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/sms/verify.py"))
        .arg(order.to_string())
        .output()
        .unwrap();
    if output.status.success() {
        Ok(serde_json::from_slice(&output.stdout).unwrap())
    } else {
        Err(String::from_utf8(output.stderr).unwrap())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_library_of_the_schemes_makers_verifies_what_is_signed() {
    const NEXT: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    let gateway = Gateway::start().await;
    let server = TestServer::start_texting(Some(channel(&gateway)), None).await;
    // The library's clock is that of the machine.
    server.clock.set(SystemClock.now());
    let account = server.sms_account("grace@example.com").await;
    server.send_profile_link(&account).await.unwrap();
    let got = gateway.request(1).await;
    assert_eq!(verified(&got, SECRET), Ok(got.json()));
    let wrong = verified(&got, NEXT).unwrap_err();
    assert!(wrong.contains("No matching signature"), "{wrong}");
    let forged = Got {
        body: got.body.replace("+14155550101", "+14155550102"),
        ..got
    };
    verified(&forged, SECRET).unwrap_err();

    // While one secret replaces another a gateway may know either, and nothing is started again.
    gateway.write_secrets(&format!("{SECRET}\n{NEXT}\n"));
    server.send_profile_link(&account).await.unwrap();
    let got = gateway.request(2).await;
    for secret in [SECRET, NEXT] {
        assert_eq!(verified(&got, secret), Ok(got.json()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_is_down_holds_no_mail_back_and_gets_its_messages_later() {
    let mut gateway = Gateway::start().await;
    let server = TestServer::start_texting(Some(channel(&gateway)), None).await;
    let account = server.sms_account("grace@example.com").await;
    gateway.down().await;
    for _ in 0..3 {
        server.send_profile_link(&account).await.unwrap();
    }
    let tried = async || {
        let messages = server.messages(&account.account_id).await;
        messages
            .iter()
            .all(|message| message.reason.contains("Connect"))
    };
    eventually(tried).await;
    // More mails than are in hand at a time.
    for number in 0..20 {
        let email = format!("{number}@example.com");
        server.account(&email).await;
        let request = pb::RequestResetRequest {
            email: email.clone(),
            client: client(),
            request_id: String::new(),
        };
        server.passwords().request_reset(request).await.unwrap();
        server.mail_to(&email, MessageKind::ResetLink).await;
    }

    gateway.up().await;
    server.clock.advance(Duration::from_mins(1));
    eventually(async || gateway.got().len() == 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_support_desk_tries_a_refused_message_again_as_long_as_its_link_lives() {
    let gateway = Gateway::start().await;
    let server = TestServer::start_texting(Some(channel(&gateway)), None).await;
    let account = server.sms_account("grace@example.com").await;
    gateway.answers([Answer::Say(400, "no such number".to_owned())]);
    let sent = server.send_profile_link(&account).await.unwrap();
    server.settled().await;
    let retry = async |message_id: &str| {
        let request = pb::RetryMessageRequest {
            message_id: message_id.to_owned(),
            request_id: "again".to_owned(),
        };
        let retried = server.delivery().retry_message(request).await;
        retried.map(|retried| retried.into_inner().message.unwrap())
    };
    for _ in 0..2 {
        let message = retry(&sent.message_id).await.unwrap();
        assert_eq!(message.message_id, sent.message_id);
        server.settled().await;
    }
    let messages = server.messages(&account.account_id).await;
    assert_eq!(messages[0].state(), pb::DeliveryState::Sent);
    assert_eq!((messages[0].attempts.len(), gateway.got().len()), (2, 2));
    let events = server.events().await;
    let retried: Vec<_> = events
        .iter()
        .filter(|event| event.name == "message_retried")
        .collect();
    assert_eq!(retried.len(), 1);
    assert_eq!(retried[0].actor, "all");
    assert_eq!(retried[0].account_id, account.account_id);

    let another = retry(&"ab".repeat(16)).await.unwrap_err();
    assert_eq!(reason(&another), "MESSAGE_NOT_FOUND");
    let unreadable = retry("x").await.unwrap_err();
    assert_eq!(reason(&unreadable), "INVALID_FIELD");
    gateway.answers([Answer::Say(400, String::new())]);
    let dead = server.send_profile_link(&account).await.unwrap();
    server.settled().await;
    server.clock.advance(Duration::from_mins(10));
    let request = pb::RetryMessageRequest {
        message_id: dead.message_id,
        request_id: String::new(),
    };
    let expired = server.delivery().retry_message(request).await.unwrap_err();
    assert_eq!(reason(&expired), "MESSAGE_EXPIRED");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_message_that_was_sent_comes_once_more_under_another_id_with_the_same_link() {
    let gateway = Gateway::start().await;
    let server = TestServer::start_texting(Some(channel(&gateway)), None).await;
    let account = server.sms_account("grace@example.com").await;
    let sent = server.send_profile_link(&account).await.unwrap();
    server.settled().await;
    let request = pb::RetryMessageRequest {
        message_id: sent.message_id.clone(),
        request_id: "again".to_owned(),
    };
    let mut ids = Vec::new();
    for _ in 0..2 {
        let retried = server.delivery().retry_message(request.clone()).await;
        ids.push(retried.unwrap().into_inner().message.unwrap().message_id);
        server.settled().await;
    }
    assert_eq!(ids[0], ids[1]);
    assert_ne!(ids[0], sent.message_id);
    let (first, again) = (gateway.request(1).await, gateway.request(2).await);
    assert_eq!(gateway.got().len(), 2);
    assert_eq!(first.header("webhook-id"), sent.message_id);
    assert_eq!(again.header("webhook-id"), ids[0]);
    assert_eq!(first.json()["text"], again.json()["text"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_without_a_gateway_sends_no_text_messages_and_says_so() {
    let server = TestServer::start_texting(None, None).await;
    let account = server.sms_account("grace@example.com").await;
    let refused = server.send_profile_link(&account).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unimplemented);
    assert!(
        refused.message().contains("not configured"),
        "{}",
        refused.message()
    );
    let mailed = server.account("ada@example.com").await;
    let phone = pb::Account {
        phone: "+14155550102".to_owned(),
        phone_verified: true,
        ..mailed.clone()
    };
    server.update(phone, &["phone", "phone_verified"]).await;
    let proof = server.proof(&mailed).await;
    let chosen = server
        .choose(&mailed.account_id, &proof, pb::SecondFactor::Sms)
        .await;
    assert_eq!(chosen.unwrap_err().code(), Code::Unimplemented);
    // Notices go by the one way that there is.
    let compromised = pb::Account {
        compromised: true,
        ..account.clone()
    };
    server.update(compromised, &["compromised"]).await;
    server.settled().await;
    let messages = server.messages(&account.account_id).await;
    assert!(
        messages
            .iter()
            .all(|one| one.channel() == pb::Channel::Email)
    );
}
