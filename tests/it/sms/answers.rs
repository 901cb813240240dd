//! What becomes of a message, by what the gateway answers.

use relatch::app;
use relatch::config::SmsGateway;
use relatch::domain::message::{ChannelKind, DeliveryState};
use relatch::random::SystemRandom;
use std::sync::Arc;
use std::time::Duration;

use super::gateway::{Answer, Gateway};
use super::post;
use crate::mail::post::Post;

fn say(status: u16, words: &str) -> Answer {
    Answer::Say(status, words.to_owned())
}

#[tokio::test]
async fn the_status_decides_and_the_words_are_kept() {
    let gateway = Gateway::start().await;
    let post = post(&gateway, None);
    for (status, words, state, reason) in [
        (200, "queued", DeliveryState::Sent, ""),
        (202, "", DeliveryState::Sent, ""),
        (
            400,
            "no such number",
            DeliveryState::Failed,
            "400 no such number",
        ),
        (404, "", DeliveryState::Failed, "404"),
        (408, "", DeliveryState::Queued, "408"),
        (429, "slow down", DeliveryState::Queued, "429 slow down"),
        (500, "oops", DeliveryState::Queued, "500 oops"),
        (503, "closed", DeliveryState::Queued, "503 closed"),
    ] {
        gateway.answers([say(status, words)]);
        let fate = post.once(&format!("{status}@example.com")).await;
        assert_eq!(fate, (state, reason.to_owned()), "{status}");
    }
}

#[tokio::test]
async fn a_message_that_comes_again_has_the_id_that_it_had() {
    let gateway = Gateway::start().await;
    let post = post(&gateway, None);
    gateway.answers([say(500, "")]);
    post.put_sms("ada@example.com").await;
    post.deliver().await;
    post.bench.clock.advance(Duration::from_mins(1));
    post.deliver().await;
    let record = post.sms("ada@example.com").await;
    assert_eq!(record.state, DeliveryState::Sent);
    let [first, second] = &gateway.got()[..] else {
        panic!("two requests")
    };
    let id = record.message_id.to_string();
    assert_eq!(first.header("webhook-id"), id);
    assert_eq!(second.header("webhook-id"), id);
    assert_eq!(first.json(), second.json(), "the same link, too");
    assert_ne!(
        first.header("webhook-timestamp"),
        second.header("webhook-timestamp")
    );
}

#[tokio::test]
async fn what_a_gateway_repeats_of_the_message_is_not_kept() {
    let gateway = Gateway::start().await;
    let post = post(&gateway, None);
    post.put_sms("ada@example.com").await;
    // It has to know the text to repeat it.
    gateway.answers([say(500, "")]);
    post.deliver().await;
    let order = gateway.request(1).await;
    gateway.answers([say(400, &order.body), say(400, "")]);
    post.bench.clock.advance(Duration::from_mins(1));
    post.deliver().await;
    let record = post.sms("ada@example.com").await;
    assert_eq!(record.state, DeliveryState::Failed);
    let kept = format!("{record:?}");
    assert!(kept.contains("RESET_LINK"), "{kept}");
    for secret in ["4155550101", "rlt1_", &token_part(&order.body)] {
        assert!(!kept.contains(secret), "{secret} in {kept}");
    }
}

/// What comes behind the prefix of the token.
fn token_part(body: &str) -> String {
    let (_, token) = body.split_once("rlt1_").unwrap();
    token.chars().take(12).collect()
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (gateway, elsewhere) = (Gateway::start().await, Gateway::start().await);
    let post = post(&gateway, None);
    gateway.answers([Answer::Redirect(format!(
        "http://{}/messages",
        elsewhere.address
    ))]);
    let fate = post.once("ada@example.com").await;
    assert_eq!(fate, (DeliveryState::Queued, "307".to_owned()));
    assert!(elsewhere.got().is_empty() && gateway.got().len() == 1);
}

#[tokio::test]
async fn no_more_is_read_of_an_answer_than_is_of_use() {
    let gateway = Gateway::start().await;
    let post = post(&gateway, None);
    gateway.answers([Answer::Ramble(200), Answer::Ramble(422)]);
    let taken = post.once("ada@example.com").await;
    assert_eq!(taken, (DeliveryState::Sent, String::new()));
    let refused = post.once("eve@example.com").await;
    assert_eq!(refused, (DeliveryState::Failed, "422".to_owned()));
}

#[tokio::test]
async fn a_gateway_that_does_not_answer_is_left_when_the_time_is_up() {
    let gateway = Gateway::start().await;
    let settings = SmsGateway {
        timeout: Duration::from_secs(1),
        ..gateway.settings()
    };
    let channel = app::sms::channel(&settings, false, Arc::new(SystemRandom)).unwrap();
    let post = Post::by(ChannelKind::Sms, Arc::new(channel), None);
    gateway.answers([Answer::Hang]);
    let (state, reason) = post.once("ada@example.com").await;
    assert_eq!(state, DeliveryState::Queued);
    assert_eq!(reason, "the gateway did not answer in time");
}

#[tokio::test]
async fn after_three_failures_in_a_row_nothing_is_tried_for_a_while() {
    let gateway = Gateway::start().await;
    let post = post(&gateway, None);
    gateway.answers([say(503, ""), say(503, ""), say(503, "")]);
    for person in ["a", "b", "c"] {
        post.put_sms(&format!("{person}@example.com")).await;
    }
    post.deliver().await;
    assert_eq!(gateway.got().len(), 3);
    // The channel is not ready until it has found the gateway again; then one message decides.
    post.put_sms("d@example.com").await;
    post.deliver().await;
    assert_eq!(post.sms("d@example.com").await.state, DeliveryState::Sent);
    assert_eq!(gateway.got().len(), 4);
}
