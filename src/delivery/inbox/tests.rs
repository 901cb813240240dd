mod live;
mod protection;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;
use tower::ServiceExt as _;

use super::*;
use crate::clock::Clock;
use crate::delivery::outbox::{Outbox, TestClock};
use crate::delivery::smtp::Sender;
use crate::domain::mailbox::Mailbox;
use crate::domain::message::{ChannelKind, DeliveryState, MessageKind};
use crate::domain::time::Timestamp;
use crate::shutdown;
use crate::store::{MessageRecord, Store};

fn message(seed: u16) -> OutgoingMessage {
    let mut id = [0; 16];
    id[..2].copy_from_slice(&seed.to_be_bytes());
    OutgoingMessage {
        message_id: MessageId::from_bytes(id),
        kind: MessageKind::ResetLink,
        channel: ChannelKind::Email,
        to: "ada@example.com".to_owned(),
        subject: format!("Reset {seed}"),
        text: "Press: https://acme.example/reset#rlt1_x\n".to_owned(),
        html: Some("<!doctype html>\n<html><head><title>Reset</title></head><a href=\"https://acme.example/reset#rlt1_x\">Press</a></html>".to_owned()),
        sent_at: Timestamp::from_micros(1_800_000_000_250_000).plus(Duration::from_secs(seed.into())),
    }
}

fn suppressed(reason: &str) -> MessageRecord {
    MessageRecord {
        message_id: MessageId::from_bytes([9; 16]),
        kind: MessageKind::ResetLink,
        channel: ChannelKind::Email,
        destination: "n***@example.com".to_owned(),
        state: DeliveryState::Suppressed,
        reason: reason.to_owned(),
        requested_at: Timestamp::from_micros(1_800_000_000_000_000),
        expires_at: Timestamp::from_micros(0),
        attempts: Vec::new(),
    }
}

struct Site {
    inbox: Inbox,
    outbox: Arc<Outbox>,
    router: Router,
    end: shutdown::Trigger,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        assert_eq!(self.headers["content-type"], "application/json");
        serde_json::from_str(&self.body).unwrap()
    }

    fn policy(&self) -> &str {
        self.headers["content-security-policy"].to_str().unwrap()
    }
}

impl Site {
    fn new() -> Self {
        let inbox = Inbox::default();
        let outbox = Outbox::new(TestClock::start() as Arc<dyn Clock>);
        let (end, ending) = shutdown::channel();
        let from = Mailbox::parse("Acme <no-reply@acme.example>").unwrap();
        let basis = Basis {
            store: Arc::clone(&outbox) as Arc<dyn Store>,
            sender: Sender::new(&from, None).unwrap(),
            listens_on: Ipv4Addr::LOCALHOST.into(),
            ending,
        };
        let router = router(inbox.clone(), basis);
        Self {
            inbox,
            outbox,
            router,
            end,
        }
    }

    async fn with(messages: impl IntoIterator<Item = OutgoingMessage>) -> Self {
        let site = Self::new();
        for message in messages {
            site.inbox.send(message).await.unwrap();
        }
        site
    }

    async fn answer(&self, method: &str, path: &str, host: &str) -> Response {
        let request = Request::builder().method(method).uri(path);
        let request = request.header("host", host).body(Body::empty()).unwrap();
        self.router.clone().oneshot(request).await.unwrap()
    }

    async fn ask(&self, method: &str, path: &str) -> Answer {
        let (head, body) = self.answer(method, path, "localhost").await.into_parts();
        assert_eq!(head.headers["cache-control"], "no-store", "{path}");
        assert_eq!(head.headers["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(head.headers["referrer-policy"], "no-referrer", "{path}");
        assert!(!head.headers.contains_key("access-control-allow-origin"));
        let body = to_bytes(body, 10_000_000).await.unwrap();
        Answer {
            status: head.status,
            headers: head.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path).await
    }
}

#[tokio::test]
async fn the_newest_thousand_are_kept_newest_first() {
    let site = Site::with((0..1_005).map(message)).await;
    let messages = site.inbox.messages();
    assert_eq!(messages.len(), CAPACITY);
    assert_eq!(messages[0].subject, "Reset 1004");
    assert_eq!(messages[CAPACITY - 1].subject, "Reset 5");
}

#[tokio::test]
async fn a_message_that_comes_again_takes_the_place_of_its_earlier_copy() {
    let site = Site::with([message(1), message(2), message(1)]).await;
    let messages = site.inbox.messages();
    let subjects: Vec<_> = messages.iter().map(|message| &message.subject).collect();
    assert_eq!(subjects, ["Reset 1", "Reset 2"]);
}

#[tokio::test]
async fn programs_read_the_messages_newest_first() {
    let mut second = message(2);
    second.html = None;
    second.channel = ChannelKind::Sms;
    let site = Site::with([message(1), second]).await;
    let answer = site.get("/api/messages").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(
        answer.json(),
        json!([
            {
                "id": "00020000000000000000000000000000",
                "kind": "RESET_LINK",
                "channel": "SMS",
                "to": "ada@example.com",
                "subject": "Reset 2",
                "text": "Press: https://acme.example/reset#rlt1_x\n",
                "html": null,
                "sent_at": "2027-01-15T08:00:02.25Z",
            },
            {
                "id": "00010000000000000000000000000000",
                "kind": "RESET_LINK",
                "channel": "EMAIL",
                "to": "ada@example.com",
                "subject": "Reset 1",
                "text": "Press: https://acme.example/reset#rlt1_x\n",
                "html": message(1).html,
                "sent_at": "2027-01-15T08:00:01.25Z",
            },
        ])
    );
    let one = site
        .get("/api/messages/00010000000000000000000000000000")
        .await;
    assert_eq!(one.json(), answer.json()[1]);
}

#[tokio::test]
async fn an_empty_inbox_is_an_empty_list() {
    assert_eq!(Site::new().get("/api/messages").await.json(), json!([]));
}

#[tokio::test]
async fn an_unknown_message_is_not_found() {
    let site = Site::with([message(1)]).await;
    for id in ["00030000000000000000000000000000", "x", "%00", "é"] {
        let id = id.replace('é', "%C3%A9");
        let one = site.get(&format!("/api/messages/{id}")).await;
        assert_eq!(one.status, StatusCode::NOT_FOUND);
        assert_eq!(one.json(), json!({ "error": "no such message" }));
        let page = site.get(&format!("/messages/{id}")).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND);
        assert!(page.body.contains("This message is not here") && page.body.contains("Reset 1"));
        let html = site.get(&format!("/messages/{id}/html")).await;
        assert_eq!(html.status, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn clearing_forgets_every_message() {
    let site = Site::with([message(1), message(2)]).await;
    let answer = site.ask("DELETE", "/api/messages").await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert_eq!(site.get("/api/messages").await.json(), json!([]));
}

#[tokio::test]
async fn requests_that_led_to_no_message_are_told_with_the_reason() {
    let site = Site::new();
    site.outbox.suppress(suppressed("no_account"));
    site.outbox.suppress(suppressed("a_reason_of_tomorrow"));
    let answer = site.get("/api/suppressed").await;
    assert_eq!(
        answer.json()[0],
        json!({
            "id": "09090909090909090909090909090909",
            "kind": "RESET_LINK",
            "channel": "EMAIL",
            "destination": "n***@example.com",
            "reason": "no_account",
            "requested_at": "2027-01-15T08:00:00Z",
        })
    );
    let page = site.get("/").await.body;
    assert!(page.contains("No account has this address.") && page.contains("n***@example.com"));
    assert!(page.contains("a_reason_of_tomorrow"));
}

#[tokio::test]
async fn a_store_that_cannot_be_read_leaves_the_messages_readable() {
    let site = Site::with([message(1)]).await;
    site.outbox.fail_lists();
    let page = site.get("/").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("Reset 1") && page.body.contains("cannot be read"));
    let answer = site.get("/api/suppressed").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        answer.json(),
        json!({ "error": "the store cannot be read" })
    );
}

#[tokio::test]
async fn the_page_lists_messages_and_shows_one() {
    let mut bare = message(2);
    bare.html = None;
    bare.subject = String::new();
    let site = Site::with([message(1), bare]).await;
    let start = site.get("/").await;
    assert_eq!(start.headers["content-type"], "text/html; charset=utf-8");
    assert!(
        start
            .body
            .contains("href=\"/messages/00010000000000000000000000000000\"")
    );
    assert!(start.body.contains("08:00:01 UTC") && start.body.contains("ada@example.com"));
    assert!(!start.body.contains("<iframe"));

    let one = site
        .get("/messages/00010000000000000000000000000000")
        .await
        .body;
    assert!(one.contains("<title>Reset 1 – Dev inbox</title>"));
    assert!(one.contains("<h2>Reset 1</h2>"));
    assert!(one.contains(
        "<iframe src=\"/messages/00010000000000000000000000000000/html\" title=\"The message as a mail program \
         shows it\" sandbox=\"allow-popups allow-popups-to-escape-sandbox\"></iframe>"
    ));
    assert!(one.contains("https://acme.example/reset#rlt1_x"));
    assert_eq!(one.matches("aria-current=\"page\"").count(), 1);
    assert_eq!(one.matches("<h1>").count(), 1);

    let bare = site
        .get("/messages/00020000000000000000000000000000")
        .await
        .body;
    assert!(!bare.contains("<iframe") && bare.contains("rlt1_x"));
    assert!(bare.contains("<span class=\"title\">Press: https://acme.example/reset#rlt1_x</span>"));
}

#[tokio::test]
async fn a_page_without_script_is_loaded_anew_by_a_link_and_never_by_itself() {
    let site = Site::with([message(1)]).await;
    for path in ["/", "/messages/00010000000000000000000000000000"] {
        let page = site.get(path).await.body;
        assert!(page.contains("<noscript><a class=\"button\" href=\"\">Reload</a></noscript>"));
        // What only a script can do is not there without it, and reading is not interrupted.
        assert!(page.contains("<button id=\"clear\" type=\"button\" hidden>"));
        assert!(!page.contains("http-equiv"), "{page}");
    }
}

#[tokio::test]
async fn a_mail_is_shown_with_the_headers_that_a_mail_server_would_get() {
    let mut mail = message(1);
    mail.subject = "Grüße <b>".to_owned();
    let site = Site::with([mail]).await;
    let page = site
        .get("/messages/00010000000000000000000000000000")
        .await
        .body;
    for (name, value) in [
        ("Date", "Fri, 15 Jan 2027 08:00:01 +0000"),
        ("From", "Acme &#60;no-reply@acme.example&#62;"),
        ("To", "ada@example.com"),
        ("Subject", "=?utf-8?b?R3LDvMOfZQ==?= &#60;b&#62;"),
        (
            "Message-ID",
            "&#60;00010000000000000000000000000000@acme.example&#62;",
        ),
        ("Auto-Submitted", "auto-generated"),
        ("MIME-Version", "1.0"),
    ] {
        let header = format!("<dt>{name}</dt><dd>{value}</dd>");
        assert!(page.contains(&header), "{header}: {page}");
    }
}

#[tokio::test]
async fn every_kind_of_message_can_be_read() {
    let kinds: Vec<_> = (0..=u8::MAX).filter_map(MessageKind::from_code).collect();
    assert!(kinds.len() >= 14);
    for kind in kinds {
        for channel in [ChannelKind::Email, ChannelKind::Sms] {
            let site = Site::with([OutgoingMessage {
                kind,
                channel,
                html: message(1).html.filter(|_| channel == ChannelKind::Email),
                ..message(1)
            }])
            .await;
            site.outbox.suppress(MessageRecord {
                kind,
                channel,
                ..suppressed("no_account")
            });
            let page = site.get("/messages/00010000000000000000000000000000").await;
            assert_eq!(page.status, StatusCode::OK);
            let (kind, way) = (kind.name(), channel.name());
            let told = format!("<dt>Kind</dt><dd>{kind}, by {way}</dd>");
            assert!(page.body.contains(&told), "{told}: {}", page.body);
            let way = if channel == ChannelKind::Sms {
                "SMS"
            } else {
                "Email"
            };
            let told = format!("{kind}, {way} to n***@example.com");
            assert!(page.body.contains(&told), "{told}: {}", page.body);
        }
    }
}

#[tokio::test]
async fn a_text_message_is_shown_as_it_is_with_its_link_to_press() {
    let site = Site::with([OutgoingMessage {
        channel: ChannelKind::Sms,
        to: "+14155550123".to_owned(),
        subject: String::new(),
        text: "Acme: reset <here>.\nhttps://acme.example/reset#rlt1_x".to_owned(),
        html: None,
        ..message(1)
    }])
    .await;
    let page = site
        .get("/messages/00010000000000000000000000000000")
        .await
        .body;
    assert!(page.contains("<h2>Text message</h2>") && !page.contains("<iframe"));
    assert!(page.contains("<span class=\"title\">Acme: reset &#60;here&#62;.</span>"));
    assert!(page.contains("<span class=\"to\">SMS to +14155550123</span>"));
    assert!(!page.contains("<summary>Headers</summary>"));
    assert!(page.contains("<dd>+14155550123</dd>") && page.contains("RESET_LINK, by SMS"));
    let link = "https://acme.example/reset#rlt1_x";
    assert!(
        page.contains(&format!(
            "<p class=\"bubble\">Acme: reset &#60;here&#62;.\n<a href=\"{link}\" target=\"_blank\" rel=\"noreferrer\">{link}</a>\n</p>"
        )),
        "{page}"
    );
}

#[tokio::test]
async fn the_page_lists_no_more_than_a_hundred() {
    let site = Site::with((0..150).map(message)).await;
    let page = site.get("/").await.body;
    assert_eq!(page.matches("class=\"title\"").count(), 100);
    assert!(page.contains("Reset 149") && !page.contains("Reset 49<"));
}
