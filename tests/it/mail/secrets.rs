//! What the log says of mails, and what it does not.

use relatch::config::SmtpSecurity;
use serde_json::json;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tracing_subscriber::fmt::MakeWriter;

use super::post::Post;
use super::server::{MailServer, PASSWORD};
use crate::support::canaries::Canaries;

/// Collects log lines.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// On one thread, which alone writes into these lines.
#[tokio::test]
async fn no_address_password_or_token_is_logged_whatever_the_server_says() {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(lines.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    // With a single dispatcher alive, what another test's thread thinks of a log line would count here.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());

    let mut mail = MailServer::start(SmtpSecurity::StartTls).await;
    let post = Post::new(&mail.settings());
    post.put("canary.ada@example.com").await;
    mail.tell(json!({"password": "another"})).await;
    post.deliver().await;
    mail.tell(json!({"password": PASSWORD, "answers": {
        "MAIL": ["553-5.7.1 <no-reply@acme.example>:\r\n553 5.7.1 not yours: canary.ada@example.com"],
        "RCPT": [
            "451 4.7.1 <canary.ada@example.com>: greylisted",
            "554 5.7.1 <canary.ada@example.com>: relay access denied",
        ],
    }}))
    .await;
    for pause in [5, 10, 20] {
        post.bench.clock.advance(Duration::from_secs(pause));
        post.deliver().await;
    }
    let (_, attempts) = post.fate("canary.ada@example.com").await;
    assert_eq!(attempts.len(), 4, "{attempts:?}");

    let log = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    for expected in [
        "login: 535",
        "sender: 553",
        "relay access denied",
        "given up",
    ] {
        assert!(log.contains(expected), "{expected} in {log}");
    }
    let secrets = Canaries::default()
        .value("the person's address", "canary.ada")
        .value("the sender's address", "no-reply@")
        .value("the password", PASSWORD)
        .value("a link", "#rlt1_")
        .value("a cancel link", "#rlc1_")
        .value("the page", "127.0.0.1:1/");
    secrets.are_not_in("the log", &log);
    secrets.are_not_in("an attempt", attempts.concat());
}
