//! What waits until it is over, or until somebody reads it.

use crate::support::ops::metrics;
use crate::support::requests::client;
use crate::support::server::TestServer;
use crate::support::{eventually, fixture};
use async_trait::async_trait;
use relatch::delivery::{Channel, OutgoingMessage, SendError};
use relatch::domain::audit::{EventName, Outcome};
use relatch::pb;
use relatch::store::RecordedEvent;
use std::sync::Arc;
use std::time::Duration;

/// A mail server that is busy whenever it is asked.
struct Busy;

#[async_trait]
impl Channel for Busy {
    async fn send(&self, _: OutgoingMessage) -> Result<(), SendError> {
        Err(SendError::Retry {
            error: "450 busy".to_owned(),
        })
    }
}

async fn count(server: &TestServer, metric: &str, labels: &str) -> i64 {
    let sample = format!("{metric}{labels}");
    metrics(server.ops).await[metric].samples[&sample]
        .parse()
        .unwrap()
}

async fn request(server: &TestServer, email: &str) {
    let request = pb::RequestResetRequest {
        email: email.to_owned(),
        client: client(),
        request_id: String::new(),
    };
    server.passwords().request_reset(request).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_could_not_be_sent_in_time_is_counted_as_expired() {
    let server = TestServer::start_by(&[], Some(Arc::new(Busy))).await;
    let retried = async |times| {
        let labels = r#"{channel="EMAIL",outcome="retry"}"#;
        count(&server, "relatch_delivery_attempts_total", labels).await == times
    };
    let expired = async || {
        let labels = r#"{state="EXPIRED"}"#;
        count(&server, "relatch_messages_ended_total", labels).await
    };
    server.account("ada@example.com").await;
    request(&server, "ada@example.com").await;
    eventually(async || retried(1).await).await;
    assert_eq!(expired().await, 0);
    server.clock.advance(Duration::from_mins(30));
    // The courier looks again when there is something new.
    server.account("ben@example.com").await;
    request(&server, "ben@example.com").await;
    eventually(async || retried(2).await).await;
    eventually(async || expired().await == 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watcher_that_does_not_read_lags_behind_until_it_does() {
    let server = TestServer::start().await;
    let lag = async || count(&server, "relatch_audit_watch_lag_events", "").await;
    let follow = pb::WatchEventsRequest {
        follow: true,
        ..pb::WatchEventsRequest::default()
    };
    let opened = server.audit().watch_events(follow).await.unwrap();
    let mut stream = opened.into_inner();
    eventually(async || lag().await == 0).await;
    // More than a connection holds for somebody who does not read.
    let happened = RecordedEvent {
        call: fixture::call(),
        name: EventName::RequestSuppressed,
        outcome: Outcome::Refused,
        reason: "no_account",
        facts: vec![("padding", "x".repeat(1_000))],
    };
    for _ in 0..16 {
        let events = vec![happened.clone(); 1_000];
        server.service.store.record(events).await.unwrap();
    }
    eventually(async || lag().await > 0).await;
    let head = count(&server, "relatch_audit_events_total", "").await;
    let mut read = 0;
    while read < head {
        let told = stream.message().await.unwrap().unwrap();
        read = told.event.map_or(read, |event| event.sequence);
    }
    eventually(async || lag().await == 0).await;
}
