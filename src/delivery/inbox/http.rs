//! The inbox over HTTP: a page for people, JSON for programs.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_SECURITY_POLICY, X_FRAME_OPTIONS};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use serde_json::json;
use std::net::IpAddr;
use std::sync::Arc;

use super::Inbox;
use super::live::Live;
use super::page::{InboxPage, LISTED, Open, SCRIPT, STYLE};
use crate::delivery::channel::OutgoingMessage;
use crate::delivery::smtp::Sender;
use crate::domain::id::MessageId;
use crate::domain::message::ChannelKind;
use crate::shutdown::Shutdown;
use crate::store::{MessageFilter, MessagePage, MessageRecord, Store, StoreError};
use crate::web::{inline_policy, of_this_machine, page, protected};

/// How many suppressed requests are told, newest first.
const SUPPRESSED: u32 = 100;

/// What a mail's HTML may do in its frame: show itself, and open its links in windows of their own.
const MAIL_POLICY: &str = "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; \
     style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

/// Makes links open in a new window, for a page that protects itself refuses to be framed.
const OPEN_ELSEWHERE: &str = "<base target=\"_blank\">";

/// What the inbox stands on.
pub struct Basis {
    /// Knows which requests led to no message.
    pub store: Arc<dyn Store>,
    /// In whose name mails would leave.
    pub sender: Sender,
    /// The address that it listens on.
    pub listens_on: IpAddr,
    /// Ends the streams.
    pub ending: Shutdown,
}

/// The pages and the JSON of `inbox`.
///
/// | path | answer |
/// |---|---|
/// | `GET /` | the page |
/// | `GET /messages/ID`, `GET /messages/ID/html` | the page with a message open, and its HTML part |
/// | `GET /events` | Server-Sent Events: one at once, and one for each change from then on; 503 beside 16 others |
/// | `GET /api/messages` | all messages, newest first: `id`, `kind`, `channel`, `to`, `subject`, `text`, `html` (or null), `sent_at` (RFC 3339) |
/// | `DELETE /api/messages` | forgets them |
/// | `GET /api/messages/ID` | one of them |
/// | `GET /api/suppressed` | the newest 100 requests that led to no message: `id`, `kind`, `channel`, `destination` (masked), `reason`, `requested_at` |
///
/// Whoever reaches it reads live links: it is for loopback addresses, and answers to their names alone.
pub fn router(inbox: Inbox, basis: Basis) -> Router {
    let router = Router::new()
        .route("/", get(start))
        .route("/messages/{id}", get(open_message))
        .route("/messages/{id}/html", get(html_part))
        .route("/events", get(events))
        .route("/api/messages", get(list).delete(clear))
        .route("/api/messages/{id}", get(one))
        .route("/api/suppressed", get(suppressed))
        .with_state(Desk {
            inbox,
            store: basis.store,
            sender: Arc::new(basis.sender),
            live: Live::new(basis.ending),
        });
    let policy = inline_policy(STYLE, SCRIPT, "; connect-src 'self'; frame-src 'self'");
    protected(of_this_machine(router, basis.listens_on), policy)
}

#[derive(Clone)]
pub(super) struct Desk {
    pub(super) inbox: Inbox,
    store: Arc<dyn Store>,
    sender: Arc<Sender>,
    live: Live,
}

impl Desk {
    fn message(&self, id: &str) -> Option<Arc<OutgoingMessage>> {
        self.inbox.message(id.parse().ok()?)
    }

    async fn suppressed(&self, at_most: u32) -> Result<Vec<MessageRecord>, StoreError> {
        let page = MessagePage {
            filter: MessageFilter::Suppressed,
            after: None,
            at_most,
        };
        self.store.list_messages(page).await
    }

    /// The newest request that led to no message, if there is one and the store can be read.
    pub(super) async fn newest_suppressed(&self) -> Option<MessageId> {
        let newest = self.suppressed(1).await.ok()?;
        newest.first().map(|record| record.message_id)
    }

    async fn page(&self, open: Open) -> Response {
        let mut messages = self.inbox.messages();
        messages.truncate(LISTED);
        page(&InboxPage {
            style: STYLE,
            script: SCRIPT,
            messages,
            suppressed: self.suppressed(SUPPRESSED).await.ok(),
            open,
        })
    }

    fn open(&self, message: Arc<OutgoingMessage>) -> Open {
        let head = match message.channel {
            ChannelKind::Email => self.sender.head(&message),
            ChannelKind::Sms => Ok(Vec::new()),
        };
        // An address that no mail server would take has no headers.
        let head = head.unwrap_or_default();
        Open::Message { message, head }
    }
}

async fn start(State(desk): State<Desk>) -> Response {
    desk.page(Open::Nothing).await
}

async fn open_message(State(desk): State<Desk>, Path(id): Path<String>) -> Response {
    match desk.message(&id) {
        Some(message) => desk.page(desk.open(message)).await,
        None => (StatusCode::NOT_FOUND, desk.page(Open::Missing).await).into_response(),
    }
}

async fn events(State(desk): State<Desk>) -> Response {
    desk.live.clone().stream(desk)
}

async fn html_part(State(desk): State<Desk>, Path(id): Path<String>) -> Response {
    let message = desk.message(&id);
    let Some(html) = message.as_ref().and_then(|message| message.html.as_deref()) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let headers = [
        (CONTENT_SECURITY_POLICY, MAIL_POLICY),
        (X_FRAME_OPTIONS, "SAMEORIGIN"),
    ];
    (headers, Html(opening_elsewhere(html))).into_response()
}

fn opening_elsewhere(html: &str) -> String {
    const HEAD: &str = "<head>";
    match html.split_once(HEAD) {
        Some((before, after)) => [before, HEAD, OPEN_ELSEWHERE, after].concat(),
        None => [OPEN_ELSEWHERE, html].concat(),
    }
}

/// A message as programs read it.
#[derive(Serialize)]
struct MessageJson<'a> {
    id: String,
    kind: &'static str,
    channel: &'static str,
    to: &'a str,
    subject: &'a str,
    text: &'a str,
    html: Option<&'a str>,
    sent_at: String,
}

impl<'a> From<&'a OutgoingMessage> for MessageJson<'a> {
    fn from(message: &'a OutgoingMessage) -> Self {
        Self {
            id: message.message_id.to_string(),
            kind: message.kind.name(),
            channel: message.channel.name(),
            to: &message.to,
            subject: &message.subject,
            text: &message.text,
            html: message.html.as_deref(),
            sent_at: message.sent_at.to_string(),
        }
    }
}

/// A request that led to no message, as programs read it.
#[derive(Serialize)]
struct SuppressedJson {
    id: String,
    kind: &'static str,
    channel: &'static str,
    destination: String,
    reason: String,
    requested_at: String,
}

impl From<MessageRecord> for SuppressedJson {
    fn from(record: MessageRecord) -> Self {
        Self {
            id: record.message_id.to_string(),
            kind: record.kind.name(),
            channel: record.channel.name(),
            destination: record.destination,
            reason: record.reason,
            requested_at: record.requested_at.to_string(),
        }
    }
}

async fn list(State(desk): State<Desk>) -> Response {
    let messages = desk.inbox.messages();
    let messages: Vec<_> = messages
        .iter()
        .map(|message| MessageJson::from(&**message))
        .collect();
    Json(messages).into_response()
}

async fn clear(State(desk): State<Desk>) -> StatusCode {
    desk.inbox.clear();
    StatusCode::NO_CONTENT
}

async fn one(State(desk): State<Desk>, Path(id): Path<String>) -> Response {
    match desk.message(&id) {
        Some(message) => Json(MessageJson::from(&*message)).into_response(),
        None => refused(StatusCode::NOT_FOUND, "no such message"),
    }
}

async fn suppressed(State(desk): State<Desk>) -> Response {
    match desk.suppressed(SUPPRESSED).await {
        Ok(records) => {
            let records: Vec<_> = records.into_iter().map(SuppressedJson::from).collect();
            Json(records).into_response()
        }
        Err(error) => {
            tracing::warn!(%error, "suppressed requests could not be read");
            refused(StatusCode::SERVICE_UNAVAILABLE, "the store cannot be read")
        }
    }
}

fn refused(status: StatusCode, error: &str) -> Response {
    (status, Json(json!({ "error": error }))).into_response()
}
