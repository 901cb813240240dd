//! Calls that are sent again under the same request id.

use crate::support::requests::{OTHER_PASSWORD, PASSWORD, client, client_at, confirm, reason};
use crate::support::server::TestServer;
use relatch::domain::message::MessageKind;
use relatch::pb;
use std::time::Duration;
use tonic::Code;

fn request(email: &str, request_id: &str) -> pb::RequestResetRequest {
    pb::RequestResetRequest {
        email: email.to_owned(),
        client: client(),
        request_id: request_id.to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_request_sends_one_mail() {
    let server = TestServer::start().await;
    server.account("ada@example.com").await;
    for _ in 0..3 {
        server
            .passwords()
            .request_reset(request("ada@example.com", "1"))
            .await
            .unwrap();
    }
    let elsewhere = pb::RequestResetRequest {
        client: client_at("198.51.100.7"),
        ..request("ADA@example.com", "1")
    };
    server.passwords().request_reset(elsewhere).await.unwrap();
    server
        .mail_to("ada@example.com", MessageKind::ResetLink)
        .await;
    let other = server
        .passwords()
        .request_reset(request("bob@example.com", "1"))
        .await
        .unwrap_err();
    assert_eq!(
        (other.code(), reason(&other).as_str()),
        (Code::InvalidArgument, "REQUEST_ID_REUSED")
    );
    server.settled().await;
    server
        .passwords()
        .request_reset(request("ada@example.com", "2"))
        .await
        .unwrap();
    crate::support::eventually(async || server.inbox.messages().len() == 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_confirm_is_answered_only_with_its_token_and_password() {
    let server = TestServer::start().await;
    server.account("ada@example.com").await;
    let token = server.request_link("ada@example.com").await;
    let again = |token: &str, password: &str| pb::ConfirmResetRequest {
        request_id: "1".to_owned(),
        ..confirm(token, password)
    };
    let first = server
        .passwords()
        .confirm_reset(again(&token, PASSWORD))
        .await
        .unwrap()
        .into_inner();
    let repeated = server
        .passwords()
        .confirm_reset(again(&token, PASSWORD))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(repeated, first);

    let other_password = server
        .passwords()
        .confirm_reset(again(&token, OTHER_PASSWORD))
        .await
        .unwrap_err();
    assert_eq!(reason(&other_password), "RESET_LINK_INVALID");
    server.verify("ada@example.com", PASSWORD).await.unwrap();

    let forged = server
        .passwords()
        .confirm_reset(again("rlt1_forged", PASSWORD))
        .await
        .unwrap_err();
    assert_eq!(reason(&forged), "RESET_LINK_INVALID");

    server.account("bob@example.com").await;
    let bobs = server.request_link("bob@example.com").await;
    let other_link = server
        .passwords()
        .confirm_reset(again(&bobs, PASSWORD))
        .await
        .unwrap_err();
    assert_eq!(reason(&other_link), "REQUEST_ID_REUSED");
    server.confirm(&bobs, OTHER_PASSWORD).await.unwrap();

    let other_caller = server
        .passwords_as("reset")
        .confirm_reset(again(&token, PASSWORD))
        .await
        .unwrap_err();
    assert_eq!(reason(&other_caller), "RESET_LINK_INVALID");

    let newer = server.request_link("ada@example.com").await;
    server.confirm(&newer, OTHER_PASSWORD).await.unwrap();
    let outdated = server
        .passwords()
        .confirm_reset(again(&token, PASSWORD))
        .await
        .unwrap_err();
    assert_eq!(
        reason(&outdated),
        "RESET_LINK_INVALID",
        "the password it set is no longer the account's"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_confirm_is_repeated_for_a_day_though_its_link_lives_half_an_hour() {
    let server = TestServer::start().await;
    server.account("ada@example.com").await;
    let token = server.request_link("ada@example.com").await;
    let again = |request_id: &str| pb::ConfirmResetRequest {
        request_id: request_id.to_owned(),
        ..confirm(&token, PASSWORD)
    };
    let mut passwords = server.passwords();
    let first = passwords.confirm_reset(again("1")).await.unwrap();
    server.clock.advance(Duration::from_hours(23));
    let repeated = passwords.confirm_reset(again("1")).await.unwrap();
    assert_eq!(repeated.into_inner(), first.into_inner());
    for request_id in ["", "2"] {
        let late = passwords.confirm_reset(again(request_id)).await;
        assert_eq!(reason(&late.unwrap_err()), "RESET_LINK_INVALID");
    }
    server.clock.advance(Duration::from_hours(1));
    let forgotten = passwords.confirm_reset(again("1")).await.unwrap_err();
    assert_eq!(reason(&forgotten), "RESET_LINK_INVALID");
}

#[tokio::test(flavor = "multi_thread")]
async fn confirms_sent_twice_at_once_get_one_answer() {
    let server = TestServer::start().await;
    server.account("ada@example.com").await;
    let token = server.request_link("ada@example.com").await;
    let again = pb::ConfirmResetRequest {
        request_id: "1".to_owned(),
        ..confirm(&token, PASSWORD)
    };
    let (mut one, mut two) = (server.passwords(), server.passwords());
    let (one, two) = tokio::join!(one.confirm_reset(again.clone()), two.confirm_reset(again));
    assert_eq!(one.unwrap().into_inner(), two.unwrap().into_inner());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_profile_link_and_account_give_the_first_answer() {
    let server = TestServer::start().await;
    let create = |email: &str| pb::CreateAccountRequest {
        email: email.to_owned(),
        email_verified: true,
        request_id: "1".to_owned(),
        ..pb::CreateAccountRequest::default()
    };
    let first = server
        .accounts()
        .create_account(create("ada@example.com"))
        .await
        .unwrap()
        .into_inner();
    let again = server
        .accounts()
        .create_account(create("ada@example.com"))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(again, first);
    let other = server
        .accounts()
        .create_account(create("bob@example.com"))
        .await
        .unwrap_err();
    assert_eq!(reason(&other), "REQUEST_ID_REUSED");

    let account_id = first.account.unwrap().account_id;
    let send = || pb::SendProfileResetLinkRequest {
        account_id: account_id.clone(),
        client: client(),
        request_id: "1".to_owned(),
    };
    let answer = server
        .passwords()
        .send_profile_reset_link(send())
        .await
        .unwrap()
        .into_inner();
    server
        .mail_to("ada@example.com", MessageKind::ResetLink)
        .await;
    server.clock.advance(Duration::from_mins(1));
    let again = server
        .passwords()
        .send_profile_reset_link(send())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(again, answer);
    let bob = server.account("bob@example.com").await;
    let other = pb::SendProfileResetLinkRequest {
        account_id: bob.account_id,
        ..send()
    };
    let other = server
        .passwords()
        .send_profile_reset_link(other)
        .await
        .unwrap_err();
    assert_eq!(reason(&other), "REQUEST_ID_REUSED");
    server.settled().await;
    assert_eq!(server.inbox.messages().len(), 1);
    let too_long = pb::SendProfileResetLinkRequest {
        request_id: "x".repeat(65),
        ..send()
    };
    let too_long = server
        .passwords()
        .send_profile_reset_link(too_long)
        .await
        .unwrap_err();
    assert_eq!(reason(&too_long), "INVALID_FIELD");
}
