//! What the server refuses, and what follows for the message.

use relatch::config::SmtpSecurity;
use relatch::domain::message::DeliveryState;
use relatch::pb;
use serde_json::json;
use std::fs;
use std::time::Duration;

use super::journeys::{request, serve};
use super::post::Post;
use super::server::MailServer;
use crate::support::eventually;
use crate::support::server::TestServer;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_for_now_is_sent_again_as_the_same_mail() {
    let mut mail = MailServer::start(SmtpSecurity::Tls).await;
    mail.tell(json!({"answers": {
        "RCPT": ["451 4.7.1 <ada@example.com>: greylisted"],
        "END": ["452 4.3.1 disk full"],
    }}))
    .await;
    let post = Post::new(&mail.settings());
    post.put("ada@example.com").await;
    for pause in [5, 10, 0] {
        post.deliver().await;
        post.bench.clock.advance(Duration::from_secs(pause));
    }
    let (state, attempts) = post.fate("ada@example.com").await;
    assert_eq!(state, DeliveryState::Sent);
    assert_eq!(
        attempts,
        [
            "retry: recipient: 451 4.7.1 <[address]>: greylisted",
            "retry: content: 452 4.3.1 disk full",
            "accepted",
        ]
    );
    let id = post.record("ada@example.com").await.message_id;
    let mails = mail.mails();
    assert_eq!(mails.len(), 1);
    assert_eq!(
        mails[0].header("Message-ID"),
        format!("<{id}@acme.example>")
    );
    // Neither is a broken server, so one connection did.
    assert_eq!(mail.connections(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_for_good_is_given_up_and_visible() {
    let mut mail = MailServer::start(SmtpSecurity::StartTls).await;
    mail.tell(json!({"answers": {
        "RCPT": ["550-5.1.1 <ada@example.com>:\r\n550 5.1.1 ada@example.com is unknown here"],
    }}))
    .await;
    let server = serve(&mail).await;
    let account = server.account("ada@example.com").await;
    request(&server, "ada@example.com").await;
    let listed = async || server.messages(&account.account_id).await.pop();
    let failed = pb::DeliveryState::Failed;
    eventually(async || {
        listed()
            .await
            .is_some_and(|message| message.state() == failed)
    })
    .await;

    let message = listed().await.unwrap();
    let said = "recipient: 550 5.1.1 <[address]>: [address] is unknown here";
    assert_eq!(message.reason, said);
    assert_eq!(message.attempts.len(), 1);
    assert_eq!(message.attempts[0].outcome(), pb::AttemptOutcome::Refused);
    assert_eq!(message.attempts[0].error, said);
    assert!(mail.mails().is_empty());
    assert!(failed_events(&server).await);

    // The next recipient has nothing to do with it.
    server.account("ben@example.com").await;
    request(&server, "ben@example.com").await;
    assert_eq!(mail.mail(1).await.to(), &json!(["ben@example.com"]));
    assert_eq!(mail.connections(), 1);
}

async fn failed_events(server: &TestServer) -> bool {
    let events = server.events().await;
    events.iter().any(|event| event.name == "message_failed")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_sender_loses_no_mail() {
    let mut mail = MailServer::start(SmtpSecurity::Tls).await;
    mail.tell(json!({"answers": {
        "MAIL": ["553 5.7.1 <no-reply@acme.example>: not your address"],
    }}))
    .await;
    let post = Post::new(&mail.settings());
    post.put("ada@example.com").await;
    post.deliver().await;
    post.bench.clock.advance(Duration::from_secs(5));
    post.deliver().await;
    let sent = [
        "retry: sender: 553 5.7.1 <[address]>: not your address",
        "accepted",
    ];
    assert_eq!(
        post.fate("ada@example.com").await,
        (DeliveryState::Sent, sent.map(str::to_owned).to_vec())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recipient_or_a_mail_that_is_refused_for_good_is_not_tried_again_whatever_the_words() {
    let mut mail = MailServer::start(SmtpSecurity::Tls).await;
    let post = Post::new(&mail.settings());
    for (step, said, kept) in [
        (
            "RCPT",
            "554 5.7.1 <ada@example.com>: relay access denied",
            "gave_up: recipient: 554 5.7.1 <[address]>: relay access denied",
        ),
        (
            "END",
            "550 5.7.26 mail from acme.example is unauthenticated",
            "gave_up: content: 550 5.7.26 mail from acme.example is unauthenticated",
        ),
    ] {
        let email = format!("{step}@example.com");
        mail.tell(json!({"answers": {step: [said]}})).await;
        post.put(&email).await;
        post.deliver().await;
        let refused = (DeliveryState::Failed, vec![kept.to_owned()]);
        assert_eq!(post.fate(&email).await, refused);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_login_loses_no_mail() {
    let mut mail = MailServer::start(SmtpSecurity::StartTls).await;
    mail.tell(json!({"password": "another one"})).await;
    let post = Post::new(&mail.settings());
    post.put("ada@example.com").await;
    post.deliver().await;
    let (state, attempts) = post.fate("ada@example.com").await;
    assert_eq!(state, DeliveryState::Queued);
    assert!(
        attempts[0].starts_with("retry: login: 535 5.7.8"),
        "{attempts:?}"
    );
    assert!(!mail.heard().contains(&"MAIL".to_owned()));

    mail.tell(json!({"password": "correct smtp battery"})).await;
    post.bench.clock.advance(Duration::from_secs(5));
    post.deliver().await;
    assert_eq!(post.fate("ada@example.com").await.0, DeliveryState::Sent);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_password_is_read_without_a_restart_and_none_is_waited_for() {
    let mut mail = MailServer::start(SmtpSecurity::Tls).await;
    let file = mail.settings().login.unwrap().password_file;
    let post = Post::new(&mail.settings());
    mail.tell(json!({"password": "another one"})).await;
    let password = fs::read_to_string(&file).unwrap();
    fs::write(&file, "").unwrap();
    post.put("ada@example.com").await;
    post.deliver().await;
    fs::write(&file, password).unwrap();
    post.bench.clock.advance(Duration::from_secs(5));
    post.deliver().await;
    fs::write(&file, "another one\n").unwrap();
    post.bench.clock.advance(Duration::from_secs(10));
    post.deliver().await;
    let (state, attempts) = post.fate("ada@example.com").await;
    assert_eq!(state, DeliveryState::Sent, "{attempts:?}");
    assert_eq!(
        attempts[0],
        "retry: login: smtp.password_file cannot be used at present"
    );
    assert!(attempts[1].starts_with("retry: login: 535"), "{attempts:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_beyond_ascii_needs_a_server_that_takes_it() {
    let mut mail = MailServer::start(SmtpSecurity::Tls).await;
    let post = Post::new(&mail.settings());
    post.put("jürgen@bücher.example").await;
    post.deliver().await;
    let taken = mail.mail(1).await;
    assert_eq!(taken.to(), &json!(["jürgen@xn--bcher-kva.example"]));
    assert_eq!(taken.options(), &json!(["SMTPUTF8", "BODY=8BITMIME"]));
    assert_eq!(taken.header("To"), "jürgen@xn--bcher-kva.example");

    mail.tell(json!({"offer": {"SMTPUTF8": false}})).await;
    mail.down().await;
    mail.up().await;
    post.put("zoë@example.com").await;
    post.put("zoe@example.com").await;
    post.deliver().await;
    let (state, attempts) = post.fate("zoë@example.com").await;
    assert_eq!(state, DeliveryState::Failed);
    assert!(attempts[0].contains("SMTPUTF8"), "{attempts:?}");
    assert_eq!(post.fate("zoe@example.com").await.0, DeliveryState::Sent);
}
