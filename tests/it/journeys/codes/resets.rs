//! A reset that asks for a code.

use super::wrong;
use crate::support::requests::{OTHER_PASSWORD, PASSWORD, confirm, reason};
use crate::support::server::TestServer;
use pb::SecondFactor::{Sms, Totp};
use relatch::domain::message::MessageKind;
use relatch::pb;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_password_and_a_missing_code_burn_neither_code_nor_try() {
    let server = TestServer::unlimited().await;
    let person = server.person_with(Totp).await;
    let token = server.request_link(person.email()).await;
    let code = server.app_code(&person);
    for _ in 0..6 {
        let refused = server.confirm_with(&token, "short", &code).await;
        assert_eq!(reason(&refused.unwrap_err()), "PASSWORD_REJECTED");
        let refused = server.confirm(&token, OTHER_PASSWORD).await;
        assert_eq!(reason(&refused.unwrap_err()), "SECOND_FACTOR_REQUIRED");
    }
    server
        .confirm_with(&token, OTHER_PASSWORD, &code)
        .await
        .unwrap();
    let again = server.pending(person.email(), OTHER_PASSWORD).await;
    let used = server.pass(&again.challenge, &code).await.unwrap_err();
    assert_eq!(reason(&used), "SECOND_FACTOR_WRONG", "a step is used once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_code_costs_no_hash_and_a_repeated_confirm_needs_no_code() {
    let server = TestServer::unlimited().await;
    let person = server.person_with(Sms).await;
    let token = server.request_link(person.email()).await;
    server.send_reset_code(&token).await.unwrap();
    let code = server.sent_code(&person, MessageKind::ResetCode).await;
    let before = server.service.hasher.hashes_run();
    for refused in [
        wrong(&code),
        person.recovery_code().replace(char::is_numeric, "7"),
    ] {
        let refused = server.confirm_with(&token, OTHER_PASSWORD, &refused).await;
        assert_eq!(reason(&refused.unwrap_err()), "SECOND_FACTOR_WRONG");
    }
    assert_eq!(server.service.hasher.hashes_run(), before);

    let request = |code: &str| pb::ConfirmResetRequest {
        second_factor_code: code.to_owned(),
        request_id: "once".to_owned(),
        ..confirm(&token, OTHER_PASSWORD)
    };
    let first = server.passwords().confirm_reset(request(&code)).await;
    let again = server.passwords().confirm_reset(request("")).await;
    assert_eq!(first.unwrap().into_inner(), again.unwrap().into_inner());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_by_sms_is_good_for_ten_minutes_whatever_is_sent_after_it() {
    let server = TestServer::unlimited().await;
    let person = server.person_with(Sms).await;
    let token = server.request_link(person.email()).await;
    let sent = server.send_reset_code(&token).await.unwrap();
    assert_eq!(sent.channel(), pb::Channel::Sms);
    assert!(sent.destination.starts_with("+***"), "{sent:?}");
    assert_eq!(sent.resend_after.unwrap().seconds, 60);
    let text = server
        .mail_to(&person.account.phone, MessageKind::ResetCode)
        .await;
    let first = super::code_in(&text);
    assert_eq!(
        text.text.lines().last().unwrap(),
        format!("@127.0.0.1 #{first}")
    );
    server.inbox.clear();
    server.clock.advance(Duration::from_secs(9 * 60 + 59));
    server.send_reset_code(&token).await.unwrap();
    let second = server.sent_code(&person, MessageKind::ResetCode).await;
    server.clock.advance(Duration::from_secs(1));
    let late = server.confirm_with(&token, OTHER_PASSWORD, &first).await;
    assert_eq!(reason(&late.unwrap_err()), "SECOND_FACTOR_WRONG");
    server.clock.advance(Duration::from_secs(9 * 60 + 58));
    server
        .confirm_with(&token, OTHER_PASSWORD, &second)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_belongs_to_its_link_alone() {
    let server = TestServer::unlimited().await;
    let person = server.person_with(Sms).await;
    let (one, other) = (
        server.request_link(person.email()).await,
        server.request_link(person.email()).await,
    );
    server.send_reset_code(&one).await.unwrap();
    let code = server.sent_code(&person, MessageKind::ResetCode).await;
    let pending = server.pending(person.email(), PASSWORD).await;
    let refused = server.confirm_with(&other, OTHER_PASSWORD, &code).await;
    assert_eq!(reason(&refused.unwrap_err()), "SECOND_FACTOR_WRONG");
    let refused = server.pass(&pending.challenge, &code).await.unwrap_err();
    assert_eq!(reason(&refused), "SECOND_FACTOR_WRONG");
    server
        .confirm_with(&one, OTHER_PASSWORD, &code)
        .await
        .unwrap();
}

/// However far the first has come when the second one asks.
#[tokio::test(flavor = "multi_thread")]
async fn a_reset_with_a_code_sent_twice_at_once_gets_one_answer() {
    let server = TestServer::unlimited().await;
    for later in (0..48).step_by(3) {
        let person = server.person_with(Sms).await;
        let token = server.request_link(person.email()).await;
        server.send_reset_code(&token).await.unwrap();
        let code = server.sent_code(&person, MessageKind::ResetCode).await;
        let reset = pb::ConfirmResetRequest {
            request_id: format!("after {later} ms"),
            second_factor_code: code,
            ..confirm(&token, OTHER_PASSWORD)
        };
        let (mut one, mut two) = (server.passwords(), server.passwords());
        let second = async {
            tokio::time::sleep(Duration::from_millis(later)).await;
            two.confirm_reset(reset.clone()).await
        };
        let (one, two) = tokio::join!(one.confirm_reset(reset.clone()), second);
        assert_eq!(
            one.unwrap().into_inner(),
            two.unwrap().into_inner(),
            "{later} ms"
        );
    }
}
