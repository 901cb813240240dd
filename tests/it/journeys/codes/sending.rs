//! How often a code is sent.

use crate::support::requests::{OTHER_PASSWORD, PASSWORD, confirm, reason};
use crate::support::server::TestServer;
use pb::SecondFactor::{Email, Sms, Totp};
use relatch::domain::message::MessageKind;
use relatch::pb;
use std::time::Duration;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

fn limited<T: std::fmt::Debug>(outcome: Result<T, Status>) -> Duration {
    let refused = outcome.unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::ResourceExhausted, "RATE_LIMITED")
    );
    let retry = refused.get_details_retry_info().unwrap();
    retry.retry_delay.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn another_code_comes_after_a_minute_and_leaves_the_first_one_good() {
    let server = TestServer::unlimited().await;
    let person = server.person_with(Email).await;
    let pending = server.pending(person.email(), PASSWORD).await;
    assert_eq!(pending.channel(), pb::Channel::Email);
    assert_eq!(pending.destination, "p***@example.com");
    assert_eq!(pending.resend_after.unwrap().seconds, 60);
    let first = server.sent_code(&person, MessageKind::SignInCode).await;
    let again = server.send_sign_in_code(&pending.challenge).await;
    assert_eq!(limited(again), Duration::from_mins(1));
    for left in [60, 8 * 60] {
        server.clock.advance(Duration::from_mins(1));
        let sent = server.send_sign_in_code(&pending.challenge).await.unwrap();
        assert_eq!(sent.resend_after.unwrap().seconds, left);
    }
    server.clock.advance(Duration::from_mins(1));
    let fourth = server.send_sign_in_code(&pending.challenge).await;
    assert!(limited(fourth) >= Duration::from_mins(7));
    server.settled().await;
    let sent = server.inbox.messages().len();
    assert_eq!(sent, 3);
    server.pass(&pending.challenge, &first).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_sent_so_many_a_day_and_its_sign_in_waits_all_the_same() {
    let settings = [("limits.codes", "2/24h")];
    let server = TestServer::start_with(&settings).await;
    let person = server.person_with(Email).await;
    for _ in 0..2 {
        let pending = server.pending(person.email(), PASSWORD).await;
        assert_eq!(pending.channel(), pb::Channel::Email);
    }
    let pending = server.pending(person.email(), PASSWORD).await;
    assert_eq!(pending.channel(), pb::Channel::Unspecified);
    assert_eq!(
        (pending.destination.as_str(), pending.resend_after),
        ("", None)
    );
    limited(server.send_sign_in_code(&pending.challenge).await);
    server.settled().await;
    assert_eq!(server.inbox.messages().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_signs_in_again_and_again_leaves_the_owner_codes_for_a_reset() {
    let server = TestServer::start().await;
    let person = server.person_with(Sms).await;
    let mut sent = 0;
    for _ in 0..12 {
        server.clock.advance(Duration::from_mins(1));
        let pending = server.pending(person.email(), PASSWORD).await;
        sent += usize::from(pending.channel() == pb::Channel::Sms);
    }
    assert_eq!(sent, 7);
    let token = server.request_link(person.email()).await;
    let code = server.send_reset_code(&token).await.unwrap();
    assert_eq!(code.channel(), pb::Channel::Sms);
    let code = server.sent_code(&person, MessageKind::ResetCode).await;
    let reset = pb::ConfirmResetRequest {
        second_factor_code: code,
        ..confirm(&token, OTHER_PASSWORD)
    };
    server.passwords().confirm_reset(reset).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_is_sent_nothing() {
    let server = TestServer::unlimited().await;
    let person = server.person_with(Totp).await;
    let pending = server.pending(person.email(), PASSWORD).await;
    let sent = server.send_sign_in_code(&pending.challenge).await.unwrap();
    let token = server.request_link(person.email()).await;
    let by_reset = server.send_reset_code(&token).await.unwrap();
    for (channel, destination, resend_after) in [
        (
            pending.channel(),
            pending.destination.clone(),
            pending.resend_after,
        ),
        (sent.channel(), sent.destination.clone(), sent.resend_after),
        (
            by_reset.channel(),
            by_reset.destination.clone(),
            by_reset.resend_after,
        ),
    ] {
        assert_eq!(channel, pb::Channel::Unspecified);
        assert_eq!((destination.as_str(), resend_after), ("", None));
    }
    server.settled().await;
    let kinds: Vec<_> = server.inbox.messages().iter().map(|it| it.kind).collect();
    assert_eq!(kinds, [MessageKind::ResetLink]);
}
