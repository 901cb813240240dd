//! What a courier sends.

use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

use super::scene::{Scene, Scripted, refused_for_now, ring};
use crate::clock::Clock;
use crate::delivery::channel::OutgoingMessage;
use crate::delivery::inbox::Inbox;
use crate::delivery::outbox::{TestClock, reset_link};
use crate::domain::account::Locale;
use crate::domain::keyring::{KeyId, Keyring};
use crate::domain::message::{ChannelKind, DeliveryState, Notice};
use crate::domain::network::Network;
use crate::domain::reset::Origin;
use crate::domain::time::Timestamp;
use crate::domain::token::{LinkKind, verify};
use crate::domain::user_agent::{Browser, BrowserAndSystem, System};
use crate::store::{AttemptOutcome, LeasedMessage, MessageContent, Whence};

/// The token in the link to `page`.
fn token<'a>(message: &'a OutgoingMessage, page: &str) -> &'a str {
    let (_, token) = message.text.split_once(&format!("{page}#")).unwrap();
    token.split_whitespace().next().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_message_reaches_the_inbox_with_links_that_verify() {
    let inbox = Inbox::default();
    let scene = Scene::with_link(Arc::new(inbox.clone()));
    assert_eq!(scene.outbox.only().message.attempt, 0);
    scene.deliver_due().await;

    assert_eq!(scene.outbox.only().state, DeliveryState::Sent);
    assert_eq!(scene.outbox.only().outcomes, [AttemptOutcome::Accepted]);
    let [message] = &inbox.messages()[..] else {
        panic!("expected one message");
    };
    let sent = scene.outbox.only().message;
    assert_eq!(message.message_id, sent.message_id);
    assert_eq!(message.to, "ada@example.com");
    assert_eq!(message.sent_at, TestClock::START);
    assert!(message.text.contains("Hello Ada Lovelace"));
    assert!(message.text.contains("for 30 minutes from the request"));
    let MessageContent::ResetLink { link, .. } = sent.content else {
        panic!("expected a reset link");
    };
    for (kind, page) in [
        (LinkKind::Reset, "https://acme.example/reset"),
        (LinkKind::Cancel, "https://acme.example/cancel"),
    ] {
        let token = token(message, page);
        assert_eq!(verify(&ring(), kind, token, scene.clock.now()), Ok(link));
        let html = message.html.as_deref().unwrap();
        assert!(html.contains(&format!("href=\"{page}#{token}\"")));
    }
}

#[tokio::test(start_paused = true)]
async fn a_text_message_is_one_text_with_one_link_that_verifies() {
    let inbox = Inbox::default();
    let scene = Scene {
        carries: ChannelKind::Sms,
        ..Scene::new(Arc::new(inbox.clone()))
    };
    scene.outbox.put(reset_link(2, scene.clock.now()));
    scene.outbox.put(LeasedMessage {
        channel: ChannelKind::Sms,
        address: "+14155550123".to_owned(),
        ..reset_link(1, scene.clock.now())
    });
    scene.deliver_due().await;
    let [message] = &inbox.messages()[..] else {
        panic!("mails are another courier's")
    };
    assert_eq!(message.channel, ChannelKind::Sms);
    assert_eq!(message.to, "+14155550123");
    assert_eq!((message.subject.as_str(), &message.html), ("", &None));
    assert!(message.text.starts_with("Acme: ") && !message.text.contains("rlc1_"));
    let token = token(message, "https://acme.example/reset");
    assert!(message.text.ends_with(token), "nothing follows the link");
    assert!(verify(&ring(), LinkKind::Reset, token, scene.clock.now()).is_ok());
}

#[tokio::test(start_paused = true)]
async fn the_message_speaks_of_where_it_was_asked_for_and_in_the_persons_language() {
    let inbox = Inbox::default();
    let scene = Scene::new(Arc::new(inbox.clone()));
    let mut message = reset_link(1, scene.clock.now());
    message.locale = Locale::parse("de-AT").unwrap();
    if let MessageContent::ResetLink { origin, .. } = &mut message.content {
        *origin = Origin::Profile(ChannelKind::Email);
    }
    scene.outbox.put(message);
    scene.deliver_due().await;
    let text = &inbox.messages()[0].text;
    assert!(
        text.contains("Guten Tag Ada Lovelace") && text.contains("Profil"),
        "{text}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_notice_says_where_the_change_came_from_and_carries_no_token() {
    let inbox = Inbox::default();
    let scene = Scene::new(Arc::new(inbox.clone()));
    let whence = Whence {
        network: Network::parse("203.0.113.0/24").unwrap(),
        device: BrowserAndSystem {
            browser: Browser::Firefox,
            system: System::Linux,
        },
    };
    scene.outbox.put(LeasedMessage {
        content: MessageContent::Notice {
            about: Notice::PasswordChanged,
            at: scene.clock.now(),
            whence: Some(whence),
        },
        ..reset_link(1, scene.clock.now())
    });
    scene.deliver_due().await;
    let message = &inbox.messages()[0];
    assert!(message.text.contains("203.0.113.0/24") && message.text.contains("Firefox"));
    assert!(message.text.contains("https://acme.example/forgot"));
    assert!(!message.text.contains('#') && !message.text.contains("rlt1_"));
}

#[tokio::test(start_paused = true)]
async fn links_are_minted_with_the_key_that_signs_when_they_are_sent() {
    let channel = Scripted::new([refused_for_now()]);
    let scene = Scene::with_link(channel.clone());
    let (_stop, _running) = scene.run();
    sleep(Duration::from_secs(1)).await;
    let next = Keyring::of(KeyId::from_bytes([2; 4]), [8; 32]);
    scene.keyring.store(Arc::new(next));
    sleep(Duration::from_secs(10)).await;

    let [first, second] = &channel.seen()[..] else {
        panic!("expected two attempts");
    };
    let verifies = |message| {
        let token = token(message, "https://acme.example/reset");
        verify(
            &scene.keyring.load(),
            LinkKind::Reset,
            token,
            scene.clock.now(),
        )
        .is_ok()
    };
    assert!(!verifies(first) && verifies(second));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_written_is_tried_again_later() {
    let channel = Scripted::new([]);
    let scene = Scene::new(channel.clone());
    let mut message = reset_link(1, scene.clock.now());
    if let MessageContent::ResetLink { link, .. } = &mut message.content {
        link.expires_at = Timestamp::from_micros(i64::MAX);
    }
    scene.outbox.put(message);
    scene.deliver_due().await;
    let not_written = AttemptOutcome::Retry {
        pause: Duration::from_secs(5),
        error: "a time in the message is beyond the calendar".to_owned(),
    };
    assert_eq!(scene.outbox.only().outcomes, [not_written]);
    assert!(channel.seen().is_empty());
}
