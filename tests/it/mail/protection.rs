//! Nothing is told to a server that has not shown who it is.

use relatch::config::SmtpSecurity;
use relatch::domain::message::DeliveryState;
use serde_json::json;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use super::post::Post;
use super::server::MailServer;
use relatch::app::smtp::channel;
use relatch::random::SystemRandom;

/// Tries to send a mail by these settings and gives the one attempt's error.
async fn waits(settings: &relatch::config::Smtp) -> String {
    let post = Post::new(settings);
    post.put("ada@example.com").await;
    post.deliver().await;
    let (state, mut attempts) = post.fate("ada@example.com").await;
    assert_eq!((state, attempts.len()), (DeliveryState::Queued, 1));
    attempts.remove(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_when_starttls_is_stripped() {
    let mut mail = MailServer::start(SmtpSecurity::StartTls).await;
    mail.tell(json!({"offer": {"STARTTLS": false}})).await;
    let error = waits(&mail.settings()).await;
    assert_eq!(
        error,
        "retry: STARTTLS: STARTTLS is not supported on this server"
    );
    assert_eq!(mail.heard(), ["EHLO"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_when_somebody_answers_ahead_of_tls() {
    let mut mail = MailServer::start(SmtpSecurity::StartTls).await;
    mail.tell(json!({"inject": true})).await;
    let error = waits(&mail.settings()).await;
    assert!(error.starts_with("retry: STARTTLS: "), "{error}");
    assert_eq!(mail.heard(), ["EHLO", "STARTTLS"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_to_a_server_of_another_name() {
    for (security, heard) in [
        (SmtpSecurity::Tls, vec![]),
        (SmtpSecurity::StartTls, vec!["EHLO", "STARTTLS"]),
    ] {
        let mail = MailServer::start_as(security, "mail.example.com").await;
        let error = waits(&mail.settings()).await;
        assert!(error.contains("not valid for name"), "{error}");
        assert_eq!(mail.heard(), heard);
        assert!(mail.told("login").is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_to_a_server_that_nobody_vouches_for() {
    let (mail, other) = (
        MailServer::start(SmtpSecurity::Tls).await,
        MailServer::start(SmtpSecurity::Tls).await,
    );
    for ca_file in [other.settings().ca_file, None] {
        let mut settings = mail.settings();
        settings.ca_file = ca_file;
        let error = waits(&settings).await;
        assert!(error.contains("certificate"), "{error}");
    }
    assert!(mail.heard().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_password_and_the_authorities_come_from_files_that_can_be_used() {
    let mail = MailServer::start(SmtpSecurity::Tls).await;
    let refused = |settings| {
        let random = Arc::new(SystemRandom);
        channel(&settings, false, random).err().unwrap().to_string()
    };
    let path = mail.settings().login.unwrap().password_file;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let error = refused(mail.settings());
    assert!(
        error.contains("password_file") && error.contains("chmod 600"),
        "{error}"
    );
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&path, "\n").unwrap();
    assert!(refused(mail.settings()).contains("is empty"));

    fs::write(&path, "secret\n").unwrap();
    let mut settings = mail.settings();
    settings.ca_file = Some(path.clone());
    let error = refused(settings);
    assert!(
        error.contains("BEGIN CERTIFICATE") && !error.contains("secret"),
        "{error}"
    );
    let mut settings = mail.settings();
    settings.ca_file = Some(path.with_file_name("absent.pem"));
    assert!(refused(settings).contains("absent.pem cannot be read"));
}
