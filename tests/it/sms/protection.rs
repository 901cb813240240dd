//! Where text messages may go, and how they are protected on the way.

use relatch::app;
use relatch::config::SmsGateway;
use relatch::delivery::Channel;
use relatch::domain::egress::Egress;
use relatch::domain::message::{ChannelKind, DeliveryState};
use relatch::random::SystemRandom;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::time::{Duration, timeout};

use super::gateway::Gateway;
use crate::mail::post::Post;

fn channel(settings: &SmsGateway) -> Result<Arc<dyn Channel>, app::sms::SmsRefused> {
    let channel = app::sms::channel(settings, false, Arc::new(SystemRandom))?;
    Ok(Arc::new(channel))
}

/// What becomes of a message by these settings.
async fn once(settings: &SmsGateway) -> (DeliveryState, String) {
    let post = Post::by(ChannelKind::Sms, channel(settings).unwrap(), None);
    post.once("ada@example.com").await
}

#[tokio::test]
async fn an_address_in_a_private_network_is_refused_at_the_start_unless_it_is_allowed() {
    let gateway = Gateway::start().await;
    let near = SmsGateway {
        egress: Egress::default(),
        ..gateway.settings()
    };
    let why = channel(&near).err().unwrap().to_string();
    assert!(
        why.contains("[sms] url") && why.contains("allowed_networks"),
        "{why}"
    );
    let mapped = format!("http://[::ffff:127.0.0.1]:{}/", gateway.address.port());
    let mapped = SmsGateway {
        url: mapped.parse().unwrap(),
        ..near
    };
    assert!(channel(&mapped).is_err());
    let allowed = once(&gateway.settings()).await;
    assert_eq!(allowed, (DeliveryState::Sent, String::new()));
}

#[tokio::test]
async fn a_name_that_leads_into_a_private_network_is_not_connected_to() {
    // Whoever connects is seen here, whatever they say.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gateway = Gateway::start().await;
    let port = listener.local_addr().unwrap().port();
    let named = SmsGateway {
        url: format!("http://localhost:{port}/").parse().unwrap(),
        egress: Egress::with(vec!["10.0.0.0/8".parse().unwrap()]),
        ..gateway.settings()
    };
    let (state, reason) = once(&named).await;
    assert_eq!(state, DeliveryState::Queued);
    assert!(reason.contains("allowed_networks"), "{reason}");
    let connected = timeout(Duration::from_millis(1), listener.accept()).await;
    assert!(connected.is_err(), "nobody connected");
}

#[tokio::test]
async fn without_a_secret_nothing_is_sent_and_nobody_is_told_where_it_should_be() {
    let gateway = Gateway::start().await;
    let post = Post::by(
        ChannelKind::Sms,
        channel(&gateway.settings()).unwrap(),
        None,
    );
    gateway.write_secrets("");
    let (state, reason) = post.once("ada@example.com").await;
    assert_eq!(state, DeliveryState::Queued);
    assert_eq!(reason, "there is no secret to sign it with");
    assert!(gateway.got().is_empty());
    let why = channel(&gateway.settings()).err().unwrap().to_string();
    assert!(why.contains("[sms] secret_file"), "{why}");
}

#[tokio::test]
async fn the_gateways_certificate_is_checked_for_name_and_authority() {
    let gateway = Gateway::start_with_tls("localhost").await;
    let sent = once(&gateway.settings()).await;
    assert_eq!(sent, (DeliveryState::Sent, String::new()));
    let unknown = SmsGateway {
        ca_file: None,
        ..gateway.settings()
    };
    let another = Gateway::start_with_tls("another.example").await;
    for (settings, complaint) in [
        (unknown, "UnknownIssuer"),
        (another.settings(), "certificate not valid for name"),
    ] {
        let (state, reason) = once(&settings).await;
        assert_eq!(state, DeliveryState::Queued);
        assert!(reason.contains(complaint), "{reason}");
    }
    assert_eq!((gateway.got().len(), another.got().len()), (1, 0));
}
