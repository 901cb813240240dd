//! Mails that were accepted and came back.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode};
use data_encoding::BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use relatch::delivery::bounces::router;
use relatch::delivery::standard_webhooks::Secrets;
use relatch::domain::message::MessageKind;
use relatch::pb;
use serde_json::{Value, json};
use sha2::Sha256;
use std::time::Duration;
use tower::ServiceExt as _;

use crate::support::clock::NOON;
use crate::support::server::TestServer;
use crate::support::{eventually, ops};

const SECRET: &[u8] = b"a secret of thirty-two characters";

/// A webhook on a server's store.
fn webhook(server: &TestServer) -> Router {
    let secret = format!("whsec_{}\n", BASE64.encode(SECRET));
    let secrets = Secrets::parse(&secret).unwrap();
    router(
        secrets,
        server.service.store.clone(),
        server.clock.clone(),
        server.service.metrics.delivery.clone(),
    )
}

/// A request about a bounce, signed now.
fn signed(id: &str, body: &Value) -> Request<Body> {
    let (at, body) = (NOON.as_micros() / 1_000_000, body.to_string());
    let mac = Hmac::<Sha256>::new_from_slice(SECRET).unwrap();
    let mac = mac.chain_update(format!("{id}.{at}.{body}")).finalize();
    Request::post("/bounces")
        .header("webhook-id", id)
        .header("webhook-timestamp", at)
        .header(
            "webhook-signature",
            format!("v1,{}", BASE64.encode(&mac.into_bytes())),
        )
        .body(Body::from(body))
        .unwrap()
}

async fn status(webhook: &Router, request: Request<Body>) -> StatusCode {
    let response = webhook.clone().oneshot(request).await.unwrap();
    assert_eq!(response.headers()["cache-control"], "no-store");
    let status = response.status();
    to_bytes(response.into_body(), 1_000).await.unwrap();
    status
}

/// How many webhooks came to each end, those that none came to left out.
async fn counted(server: &TestServer) -> Vec<(String, String)> {
    let scraped = ops::metrics(server.ops).await;
    let samples = scraped["relatch_bounces_total"].samples.iter();
    let samples = samples.filter(|(_, count)| *count != "0");
    samples
        .map(|(sample, count)| (quoted(sample), count.clone()))
        .collect()
}

/// What stands between quotes.
fn quoted(sample: &str) -> String {
    sample.split('"').nth(1).unwrap().to_owned()
}

/// A server, an account, and the id of a link that it was sent.
async fn sent() -> (TestServer, pb::Account, String) {
    let server = TestServer::start().await;
    let account = server.account("ada@example.com").await;
    server.request_link("ada@example.com").await;
    let mail = server
        .mail_to("ada@example.com", MessageKind::ResetLink)
        .await;
    server.settled().await;
    (server, account, mail.message_id.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bounce_is_visible_wherever_the_message_is() {
    let (server, account, message_id) = sent().await;
    let webhook = webhook(&server);
    let body = json!({
        "message_id": format!("<{message_id}@acme.example>"),
        "reason": "550 5.1.1 <ada@example.com>: no such user",
    });
    // The provider sends it again when our answer is lost.
    for _ in 0..2 {
        let answer = status(&webhook, signed("msg_1", &body)).await;
        assert_eq!(answer, StatusCode::NO_CONTENT);
    }

    let message = server.messages(&account.account_id).await.remove(0);
    assert_eq!(message.state(), pb::DeliveryState::Failed);
    assert_eq!(message.reason, "bounced");
    let outcomes: Vec<_> = message
        .attempts
        .iter()
        .map(|attempt| (attempt.outcome(), attempt.error.as_str()))
        .collect();
    assert_eq!(
        outcomes,
        [
            (pb::AttemptOutcome::Accepted, ""),
            (
                pb::AttemptOutcome::Bounced,
                "550 5.1.1 <[address]>: no such user"
            ),
        ]
    );
    let request = pb::GetSecurityInfoRequest {
        account_id: account.account_id,
    };
    let info = server.passwords().get_security_info(request).await.unwrap();
    let pending = info.into_inner().pending.remove(0);
    assert_eq!(pending.delivery_state(), pb::DeliveryState::Failed);
    let bounced = async || {
        let events = server.events().await;
        events
            .iter()
            .filter(|event| event.name == "message_bounced")
            .count()
    };
    eventually(async || bounced().await == 1).await;
    let once = |end: &str| (end.to_owned(), "1".to_owned());
    assert_eq!(counted(&server).await, [once("known"), once("written")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_believed_changes_nothing() {
    let (server, account, message_id) = sent().await;
    let webhook = webhook(&server);
    let body = json!({"message_id": message_id, "reason": "x"});

    let mut other = signed("msg_1", &body);
    *other.body_mut() = Body::from(json!({"message_id": message_id}).to_string());
    assert_eq!(status(&webhook, other).await, 401);
    let mut unsigned = signed("msg_1", &body);
    unsigned.headers_mut().remove("webhook-signature");
    assert_eq!(status(&webhook, unsigned).await, 401);
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let mut request = signed("msg_1", &body);
        *request.method_mut() = method;
        assert_eq!(status(&webhook, request).await, 405);
    }
    let long = json!({"message_id": message_id, "reason": "x".repeat(17_000)});
    assert_eq!(status(&webhook, signed("msg_1", &long)).await, 413);
    assert_eq!(status(&webhook, signed("msg_1", &json!("x"))).await, 400);
    let unknown = json!({"message_id": "ab".repeat(16)});
    assert_eq!(status(&webhook, signed("msg_1", &unknown)).await, 404);
    let late = signed("msg_1", &body);
    server.clock.advance(Duration::from_secs(301));
    assert_eq!(status(&webhook, late).await, 401);

    let message = server.messages(&account.account_id).await.remove(0);
    assert_eq!(message.state(), pb::DeliveryState::Sent);
    let times = |end: &str, count: &str| (end.to_owned(), count.to_owned());
    assert_eq!(
        counted(&server).await,
        [
            times("forged", "3"),
            times("unknown", "1"),
            times("unreadable", "1"),
        ]
    );
}
