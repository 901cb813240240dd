//! What the transport bears, and what comes of what it does not.

use super::*;
use std::time::Duration;
use tokio::time::timeout;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

#[tokio::test]
async fn a_message_over_16_kib_is_an_unreadable_field_of_no_name() {
    let running = Running::start().await;
    let refused = running
        .request("web", &"a".repeat(17 * 1024))
        .await
        .unwrap_err();
    assert_eq!(reason(&refused), "InvalidArgument relatch INVALID_FIELD");
    let violations = refused.get_details_bad_request().unwrap().field_violations;
    assert_eq!(violations[0].description, "must be at most 16384 bytes");
    assert!(running.request("web", &"a".repeat(16_000)).await.is_ok());
}

#[tokio::test]
async fn what_is_not_the_method_s_message_is_an_unreadable_field_of_no_name() {
    let running = Running::start().await;
    let mut client = tonic::client::Grpc::new(running.channel.clone());
    client.ready().await.unwrap();
    // An integer where the request has a text.
    let codec = tonic_prost::ProstCodec::<i64, ()>::default();
    let path = http::uri::PathAndQuery::from_static("/relatch.v1.PasswordService/RequestReset");
    let refused = client
        .unary(from("web", 5_i64), path, codec)
        .await
        .unwrap_err();
    assert_eq!(reason(&refused), "InvalidArgument relatch INVALID_FIELD");
    assert!(!refused.message().contains("RequestResetRequest"));
}

/// A request with so many KiB in a header.
fn padded(kib: usize) -> Request<RequestResetRequest> {
    let mut request = from("web", reset_for("a@example.com"));
    let padding = "x".repeat(kib * 1024).parse().unwrap();
    request.metadata_mut().insert("padding", padding);
    request
}

#[tokio::test]
async fn headers_over_16_kib_are_refused_in_words() {
    let running = Running::start().await;
    assert!(running.passwords().request_reset(padded(15)).await.is_ok());
    let refused = running.passwords().request_reset(padded(17)).await;
    let refused = refused.unwrap_err();
    assert_eq!(reason(&refused), "InvalidArgument relatch INVALID_FIELD");
    let violations = refused.get_details_bad_request().unwrap().field_violations;
    assert_eq!(
        violations[0].description,
        "must have at most 16384 bytes of headers"
    );
}

#[tokio::test]
async fn headers_over_32_kib_are_refused_by_the_transport() {
    let running = Running::start().await;
    let refused = running.passwords().request_reset(padded(33)).await;
    assert_eq!(reason(&refused.unwrap_err()), "Unknown ");
    assert!(running.request("web", "a@example.com").await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_handler_knows_that_it_has_five_seconds_and_no_more() {
    let running = Running::start().await;
    let answer = running.request("web", "a@example.com").await.unwrap();
    assert_eq!(answer.metadata().get("seen-seconds").unwrap(), "5");

    let refused = running.request("web", "slow").await.unwrap_err();
    assert_eq!(
        reason(&refused),
        "DeadlineExceeded relatch DEADLINE_EXCEEDED"
    );
}

#[tokio::test]
async fn a_panic_ends_its_call_and_nothing_else() {
    let running = Running::start().await;
    let refused = running.request("web", "panic").await.unwrap_err();
    assert_eq!(reason(&refused), "Internal relatch INTERNAL");
    assert!(!format!("{refused:?}").contains("on purpose"));
    assert!(running.request("web", "a@example.com").await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_connection_has_a_hundred_streams_at_a_time() {
    let running = Running::start().await;
    let mut health = HealthClient::new(running.channel.clone());
    let mut watches = Vec::new();
    for _ in 0..STREAMS {
        watches.push(health.watch(HealthCheckRequest::default()).await.unwrap());
    }
    let one_more = timeout(
        Duration::from_secs(1),
        health.check(HealthCheckRequest::default()),
    );
    assert!(one_more.await.is_err());
    watches.pop();
    assert!(health.check(HealthCheckRequest::default()).await.is_ok());
}
