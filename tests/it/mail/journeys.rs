//! Both journeys, with every mail as it arrives.

use relatch::app;
use relatch::config::SmtpSecurity;
use relatch::pb;
use relatch::random::SystemRandom;
use serde_json::json;
use std::sync::Arc;

use super::server::{Mail, MailServer};
use crate::support::eventually;
use crate::support::requests::{OTHER_PASSWORD, PASSWORD, client};
use crate::support::server::TestServer;

/// The headers of every mail.
const HEADERS: [&str; 9] = [
    "Date",
    "From",
    "To",
    "Subject",
    "Message-ID",
    "Auto-Submitted",
    "X-Auto-Response-Suppress",
    "MIME-Version",
    "Content-Type",
];

#[tokio::test(flavor = "multi_thread")]
async fn both_journeys_by_tls_from_the_first_byte() {
    both_journeys(SmtpSecurity::Tls).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn both_journeys_by_starttls() {
    both_journeys(SmtpSecurity::StartTls).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn both_journeys_in_clear_within_the_machine() {
    both_journeys(SmtpSecurity::Plain).await;
}

/// A server whose mails leave by this one.
pub(super) async fn serve(mail: &MailServer) -> TestServer {
    let channel = app::smtp::channel(&mail.settings(), false, Arc::new(SystemRandom)).unwrap();
    TestServer::start_by(&[], Some(Arc::new(channel))).await
}

async fn both_journeys(security: SmtpSecurity) {
    let mail = MailServer::start(security).await;
    let server = serve(&mail).await;
    let account = server.account("ada@example.com").await;

    // A forgotten password, at sign-in.
    request(&server, "ada@example.com").await;
    let link = mail.mail(1).await;
    looks_as_it_should(&link, "Reset your Relatch Demo password");
    has_links(&link);
    let token = link.token("rlt1_");
    server.confirm(&token, PASSWORD).await.unwrap();
    let notice = mail.mail(2).await;
    looks_as_it_should(&notice, "Your Relatch Demo password was changed");
    assert!(!notice.raw().contains("rlt1_") && !notice.raw().contains("rlc1_"));
    let pending = server.pending("ada@example.com", PASSWORD).await;
    let code = mail.mail(3).await;
    looks_as_it_should(&code, "Your Relatch Demo code");
    server.pass(&pending.challenge, &code.code()).await.unwrap();

    // From the profile.
    let wanted = pb::SendProfileResetLinkRequest {
        account_id: account.account_id.clone(),
        client: client(),
        request_id: String::new(),
    };
    let sent = server.passwords().send_profile_reset_link(wanted).await;
    let sent = sent.unwrap().into_inner();
    let link = mail.mail(4).await;
    looks_as_it_should(&link, "Reset your Relatch Demo password");
    has_links(&link);
    let id = format!("<{}@acme.example>", sent.message_id);
    assert_eq!(link.header("Message-ID"), id);
    let token = link.token("rlt1_");
    server.confirm(&token, OTHER_PASSWORD).await.unwrap();
    mail.mail(5).await;

    eventually(async || {
        let states = states(&server, &account.account_id).await;
        states == [pb::DeliveryState::Sent; 5]
    })
    .await;
    let logged_in = mail.told("login").len();
    assert_eq!(logged_in > 0, security != SmtpSecurity::Plain);
    assert_eq!(mail.told("accepted"), vec![json!(true); logged_in]);
    assert_eq!(mail.mails().len(), 5);
}

/// Requests a link, as a person at sign-in.
pub(super) async fn request(server: &TestServer, email: &str) {
    let request = pb::RequestResetRequest {
        email: email.to_owned(),
        client: client(),
        request_id: String::new(),
    };
    server.passwords().request_reset(request).await.unwrap();
}

async fn states(server: &TestServer, account_id: &str) -> Vec<pb::DeliveryState> {
    let messages = server.messages(account_id).await;
    messages.iter().map(pb::DeliveryMessage::state).collect()
}

/// Who, to whom, what about, and that no machine answers it.
#[track_caller]
fn looks_as_it_should(mail: &Mail, subject: &str) {
    assert_eq!(mail.from(), "no-reply@acme.example");
    assert_eq!(mail.to(), &json!(["ada@example.com"]));
    assert_eq!(mail.options(), &json!([]));
    assert_eq!(mail.names(), HEADERS);
    assert_eq!(
        mail.header("From"),
        "\"Acme, Inc.\" <no-reply@acme.example>"
    );
    assert_eq!(mail.header("To"), "ada@example.com");
    assert_eq!(mail.header("Subject"), subject);
    assert_eq!(mail.header("Auto-Submitted"), "auto-generated");
    assert_eq!(mail.header("Date"), "Mon, 23 Nov 2026 12:00:00 +0000");
    let id = mail.header("Message-ID");
    let left = id
        .strip_prefix('<')
        .and_then(|id| id.strip_suffix("@acme.example>"));
    assert!(left.is_some_and(|left| left.len() == 32), "{id}");
    let (parts, defects) = mail.structure();
    assert_eq!(
        parts,
        &json!(["multipart/alternative", "text/plain", "text/html"])
    );
    assert_eq!(defects, &json!([]));
    assert!(mail.raw().is_ascii());
    assert!(mail.raw().split("\r\n").all(|line| line.len() <= 78));
}

/// The button and the link beside it lead to one page with one token, and so does the text.
#[track_caller]
fn has_links(mail: &Mail) {
    let reset = format!("http://127.0.0.1:1/reset#{}", mail.token("rlt1_"));
    let cancel = format!("http://127.0.0.1:1/cancel#{}", mail.token("rlc1_"));
    let opening = format!("<a class=\"button\" href=\"{reset}\"");
    let (_, button) = mail.html().split_once(&opening).unwrap();
    let (_, button) = button.split_once('>').unwrap();
    let (button, _) = button.split_once("</a>").unwrap();
    assert_eq!(button, "Reset My Password");
    assert!(mail.html().contains(&format!(">{reset}</a>")));
    assert!(mail.html().contains(&format!("href=\"{cancel}\"")));
    assert!(mail.text().contains(&reset) && mail.text().contains(&cancel));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_name_adds_a_header_or_a_recipient() {
    let mail = MailServer::start(SmtpSecurity::Tls).await;
    let server = serve(&mail).await;
    let names = [
        "Ada\r\nBcc: eve@example.com",
        "Ada\u{2028}Bcc: eve@example.com",
        "Bcc: eve@example.com",
        "\"><img src=x onerror=alert(1)>",
        "=?utf-8?q?Ada=0D=0ABcc=3A_eve?=",
        "\\r\\n.\\r\\nMAIL FROM:<eve@example.com>",
        "Zoë 🦀",
    ];
    let mut accepted = 0;
    for (number, name) in names.iter().enumerate() {
        let email = format!("ada{number}@example.com");
        let create = pb::CreateAccountRequest {
            email: email.clone(),
            email_verified: true,
            display_name: (*name).to_owned(),
            ..pb::CreateAccountRequest::default()
        };
        if server.accounts().create_account(create).await.is_ok() {
            accepted += 1;
            request(&server, &email).await;
            let mail = mail.mail(accepted).await;
            assert_eq!(mail.names(), HEADERS, "{name}");
            assert_eq!(mail.to(), &json!([email]));
            assert!(!mail.html().contains("<img"), "{name}");
            assert_eq!(mail.structure().1, &json!([]), "{name}");
        }
    }
    assert_eq!(accepted, 5);
    assert_eq!(mail.mails().len(), 5);
}
