//! The webhook over HTTP.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::routing::post;
use serde::Deserialize;
use std::sync::Arc;

use crate::clock::Clock;
use crate::delivery::scrub::for_the_record;
use crate::delivery::standard_webhooks::{Forged, Secrets, Signed};
use crate::domain::id::MessageId;
use crate::metrics::{BounceEnd, DeliveryMetrics};
use crate::store::{MarkBounced, MessageBounced, Store};
use crate::web::protected;

/// Longest body, in bytes.
const LONGEST: usize = 16 * 1_024;

/// Takes `POST /bounces` with `{"message_id": …, "reason": …}`, signed with one of `secrets`: the message
/// came back for that reason. The id is the message's own or the whole `Message-ID` of its mail.
///
/// | answer | when |
/// |---|---|
/// | 204 | it is written down, or was before |
/// | 400 | it is not such JSON |
/// | 401 | it is not signed, not by these secrets, or not of the last five minutes |
/// | 404 | no such message is known: it may have been forgotten |
/// | 413 | it is longer than 16 KiB |
/// | 503 | the store cannot be written at present: send it again later |
pub fn router(
    secrets: Secrets,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    metrics: DeliveryMetrics,
) -> Router {
    let desk = Desk {
        secrets: Arc::new(secrets),
        store,
        clock,
        metrics,
    };
    let router = Router::new()
        .route("/bounces", post(bounced))
        .layer(DefaultBodyLimit::max(LONGEST))
        .with_state(desk);
    protected(router, HeaderValue::from_static("default-src 'none'"))
}

#[derive(Clone)]
struct Desk {
    secrets: Arc<Secrets>,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    metrics: DeliveryMetrics,
}

/// What came back.
#[derive(Deserialize)]
struct Bounce {
    message_id: String,
    #[serde(default)]
    reason: String,
}

async fn bounced(
    State(desk): State<Desk>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, (StatusCode, &'static str)> {
    if let Err(why) = desk.verify(&headers, &body) {
        // Anybody can make such lines.
        tracing::debug!(%why, "a webhook about a bounced mail is not believed");
        desk.metrics.bounce(BounceEnd::Forged);
        return Err((StatusCode::UNAUTHORIZED, "not signed as it must be"));
    }
    let Some(intent) = read(&body) else {
        desk.metrics.bounce(BounceEnd::Unreadable);
        let wanted = r#"must be {"message_id": "32 hexadecimal digits", "reason": "…"}"#;
        return Err((StatusCode::BAD_REQUEST, wanted));
    };
    let message_id = intent.message_id;
    let (end, answer) = match desk.store.mark_bounced(intent).await {
        Ok(MessageBounced::Bounced) => {
            tracing::warn!(%message_id, "a mail that was sent came back");
            (BounceEnd::Written, Ok(StatusCode::NO_CONTENT))
        }
        Ok(MessageBounced::NotOut) => (BounceEnd::Known, Ok(StatusCode::NO_CONTENT)),
        Ok(MessageBounced::Unknown) => (
            BounceEnd::Unknown,
            Err((StatusCode::NOT_FOUND, "no such message")),
        ),
        Err(error) => {
            tracing::warn!(%message_id, %error, "a bounced mail could not be written down");
            let later = (StatusCode::SERVICE_UNAVAILABLE, "try again later");
            (BounceEnd::Unavailable, Err(later))
        }
    };
    desk.metrics.bounce(end);
    answer
}

impl Desk {
    fn verify(&self, headers: &HeaderMap, body: &[u8]) -> Result<(), Forged> {
        let header = |name| {
            let value: &HeaderValue = headers.get(name).ok_or(Forged::Headers)?;
            value.to_str().map_err(|_| Forged::Headers)
        };
        let signed = Signed {
            id: header("webhook-id")?,
            timestamp: header("webhook-timestamp")?,
            signatures: header("webhook-signature")?,
        };
        self.secrets.verify(&signed, body, self.clock.now())
    }
}

fn read(body: &[u8]) -> Option<MarkBounced> {
    let Bounce { message_id, reason } = serde_json::from_slice(body).ok()?;
    let id = message_id.trim_start_matches('<');
    let id = id.split_once('@').map_or(id, |(id, _)| id);
    Some(MarkBounced {
        message_id: id.parse::<MessageId>().ok()?,
        error: for_the_record(&reason),
    })
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Request;
    use data_encoding::BASE64;
    use hmac::{Hmac, KeyInit as _, Mac as _};
    use sha2::Sha256;
    use tower::ServiceExt as _;

    use super::*;
    use crate::delivery::outbox::{Outbox, TestClock};

    #[tokio::test]
    async fn a_store_that_cannot_be_written_is_told_to_come_again() {
        let clock = TestClock::start();
        let outbox = Outbox::new(Arc::clone(&clock) as Arc<dyn Clock>);
        let key = [7; 32];
        let secrets = Secrets::parse(&BASE64.encode(&key)).unwrap();
        let body = format!(r#"{{"message_id": "{}"}}"#, "ab".repeat(16));
        let at = TestClock::START.as_micros() / 1_000_000;
        let mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        let mac = mac.chain_update(format!("1.{at}.{body}")).finalize();
        let request = Request::post("/bounces")
            .header("webhook-id", "1")
            .header("webhook-timestamp", at)
            .header(
                "webhook-signature",
                format!("v1,{}", BASE64.encode(&mac.into_bytes())),
            )
            .body(Body::from(body));
        let answer = router(secrets, outbox, clock, DeliveryMetrics::default())
            .oneshot(request.unwrap())
            .await;
        assert_eq!(answer.unwrap().status(), 503);
    }

    #[test]
    fn a_message_is_named_by_its_id_or_its_mails_and_the_reason_is_scrubbed() {
        let id = MessageId::from_bytes([0xab; 16]);
        for name in [
            id.to_string(),
            format!("{id}@acme.example"),
            format!("<{id}@acme.example>"),
        ] {
            let body = format!(
                r#"{{"message_id": "{name}", "reason": "550 <ada@example.com>\r\n no", "x": 1}}"#
            );
            let read = read(body.as_bytes()).unwrap();
            assert_eq!(read.message_id, id);
            assert_eq!(read.error, "550 <[address]>   no");
        }
        let nothing = read(format!(r#"{{"message_id": "{id}"}}"#).as_bytes()).unwrap();
        assert_eq!(nothing.error, "");
        for wrong in [
            "",
            "{}",
            "[]",
            r#"{"message_id": "ab"}"#,
            r#"{"message_id": 7}"#,
            "\u{feff}{}",
        ] {
            assert!(read(wrong.as_bytes()).is_none(), "{wrong}");
        }
    }
}
