//! Servers that are gone, slow, or come back.

use relatch::config::SmtpSecurity;
use relatch::domain::message::DeliveryState;
use relatch::shutdown;
use serde_json::json;
use std::time::Duration;

use super::journeys::{request, serve};
use super::post::Post;
use super::server::MailServer;
use crate::support::eventually;

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_missed_while_it_was_down_it_gets_when_it_is_back() {
    let mut mail = MailServer::start(SmtpSecurity::Tls).await;
    let server = serve(&mail).await;
    let account = server.account("ada@example.com").await;
    mail.down().await;
    request(&server, "ada@example.com").await;
    let attempts = async || {
        let message = server.messages(&account.account_id).await.pop();
        message.map_or(Vec::new(), |message| message.attempts)
    };
    eventually(async || attempts().await.len() == 1).await;
    assert!(attempts().await[0].error.starts_with("connecting: "));

    mail.up().await;
    server.clock.advance(Duration::from_secs(5));
    assert_eq!(mail.mail(1).await.to(), &json!(["ada@example.com"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_mails_for_a_server_that_is_gone_cost_a_few_connections() {
    let mut mail = MailServer::start(SmtpSecurity::Tls).await;
    mail.tell(json!({"drop": true})).await;
    let post = Post::new(&mail.settings());
    for number in 0..100 {
        post.put(&format!("{number}@example.com")).await;
    }
    let (stop, stopped) = shutdown::channel();
    let courier = std::sync::Arc::try_unwrap(post.courier).ok().unwrap();
    let running = tokio::spawn(courier.run(stopped.requested()));
    // The four that are tried at once, and two questions whether it is back, a second and more apart.
    eventually(async || mail.connections() >= 6).await;
    assert_eq!(mail.connections(), 6);
    assert!(mail.heard().is_empty());

    mail.tell(json!({"drop": false})).await;
    post.bench.clock.advance(Duration::from_secs(5));
    mail.mail(100).await;
    stop.pull();
    running.await.unwrap();
    assert!(mail.connections() <= 12, "{}", mail.connections());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_past_its_life_is_never_sent() {
    let mut mail = MailServer::start(SmtpSecurity::StartTls).await;
    let mut settings = mail.settings();
    settings.timeout = Duration::from_secs(2);
    let post = Post::new(&settings);
    for hangs in ["CONNECT", "RCPT", "DATA"] {
        let email = format!("{hangs}@example.com");
        mail.tell(json!({"hang": hangs})).await;
        post.put(&email).await;
        post.deliver().await;
        let (state, attempts) = post.fate(&email).await;
        assert_eq!(state, DeliveryState::Queued, "{hangs}");
        assert!(
            attempts[0].ends_with("did not answer in time"),
            "{attempts:?}"
        );

        post.bench.clock.advance(Duration::from_mins(30));
        mail.tell(json!({"hang": null})).await;
        post.deliver().await;
        assert_eq!(post.fate(&email).await.0, DeliveryState::Expired, "{hangs}");
    }
    assert!(mail.mails().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_used_again_and_replaced_once_the_server_has_closed_them() {
    let mut mail = MailServer::start(SmtpSecurity::Tls).await;
    let post = Post::new(&mail.settings());
    for number in 0..3 {
        post.put(&format!("{number}@example.com")).await;
        post.deliver().await;
    }
    assert_eq!((mail.connections(), mail.mails().len()), (1, 3));

    mail.down().await;
    mail.up().await;
    post.put("ada@example.com").await;
    post.deliver().await;
    let accepted = (DeliveryState::Sent, vec!["accepted".to_owned()]);
    assert_eq!(post.fate("ada@example.com").await, accepted);

    // One that is to be closed says so before it is asked anything else.
    mail.tell(json!({"answers": {"MAIL": ["421 4.3.2 enough mails for one connection"]}}))
        .await;
    post.put("ben@example.com").await;
    post.deliver().await;
    assert_eq!(post.fate("ben@example.com").await, accepted);
    assert_eq!(mail.connections(), 3);
}
