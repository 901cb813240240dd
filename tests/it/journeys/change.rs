//! A signed-in person changes a password that they know.

use crate::support::requests::{OTHER_PASSWORD, PASSWORD, client, reason};
use crate::support::server::TestServer;
use relatch::domain::message::MessageKind;
use relatch::pb;
use std::time::Duration;
use tonic::Code;

const EMAIL: &str = "ada@example.com";
const WRONG: &str = "seven purple otters sing";

fn change(account: &pb::Account, current: &str, new: &str) -> pb::ChangePasswordRequest {
    pb::ChangePasswordRequest {
        account_id: account.account_id.clone(),
        current_password: current.to_owned(),
        new_password: new.to_owned(),
        client: client(),
        request_id: String::new(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_new_password_takes_the_old_one_s_place_and_ends_every_link() {
    let server = TestServer::start().await;
    let ada = server.person(EMAIL, PASSWORD).await;
    let before = server.verify(EMAIL, PASSWORD).await.unwrap();
    let link = server.request_link(EMAIL).await;
    let changed = server
        .change(change(&ada, PASSWORD, OTHER_PASSWORD))
        .await
        .unwrap();
    assert_eq!(changed.credential_version, before.credential_version + 1);
    assert!(changed.password_changed_at.is_some());
    let old = server.verify(EMAIL, PASSWORD).await.unwrap_err();
    assert_eq!(reason(&old), "CREDENTIALS_WRONG");
    let after = server.verify(EMAIL, OTHER_PASSWORD).await.unwrap();
    assert_eq!(after.credential_version, changed.credential_version);
    let dead = server.confirm(&link, PASSWORD).await.unwrap_err();
    assert_eq!(reason(&dead), "RESET_LINK_INVALID");
    let notice = server.mail_to(EMAIL, MessageKind::PasswordChanged).await;
    assert!(notice.text.contains("192.0.2.0/24"), "{}", notice.text);
    let events = server.events().await;
    let made = events
        .iter()
        .filter(|event| event.name == "authn_password_change")
        .filter(|event| event.attributes["by"] == "present_password");
    assert_eq!(made.count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_second_factor_is_asked_of_who_is_signed_in() {
    let server = TestServer::start().await;
    let ada = server.person(EMAIL, PASSWORD).await;
    crate::support::database::open(&server.data())
        .execute("UPDATE accounts SET second_factor = 3", [])
        .unwrap();
    server
        .change(change(&ada, PASSWORD, OTHER_PASSWORD))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_present_password_is_judged_before_the_new_one() {
    let server = TestServer::start().await;
    let ada = server.person(EMAIL, PASSWORD).await;
    let weak = "password password";
    let wrong = server.change(change(&ada, WRONG, weak)).await.unwrap_err();
    assert_eq!(
        (wrong.code(), reason(&wrong).as_str()),
        (Code::PermissionDenied, "CREDENTIALS_WRONG")
    );
    let refused = server.change(change(&ada, PASSWORD, weak)).await;
    assert_eq!(reason(&refused.unwrap_err()), "PASSWORD_REJECTED");
    let new = server.account("new@example.com").await;
    let first = server.change(change(&new, WRONG, OTHER_PASSWORD)).await;
    assert_eq!(reason(&first.unwrap_err()), "CREDENTIALS_WRONG");
    let deletion = pb::DeleteAccountRequest {
        account_id: new.account_id.clone(),
    };
    server.accounts().delete_account(deletion).await.unwrap();
    let absent = server.change(change(&new, WRONG, OTHER_PASSWORD)).await;
    assert_eq!(reason(&absent.unwrap_err()), "ACCOUNT_NOT_FOUND");
    server.disable(ada.clone()).await;
    let disabled = server.change(change(&ada, PASSWORD, OTHER_PASSWORD)).await;
    assert_eq!(reason(&disabled.unwrap_err()), "CREDENTIALS_WRONG");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_ones_count_together_with_those_of_sign_ins() {
    let server = TestServer::unlimited().await;
    let ada = server.person(EMAIL, PASSWORD).await;
    for _ in 0..5 {
        server.verify(EMAIL, WRONG).await.unwrap_err();
        let wrong = server.change(change(&ada, WRONG, OTHER_PASSWORD)).await;
        assert_eq!(reason(&wrong.unwrap_err()), "CREDENTIALS_WRONG");
    }
    let in_pause = server.change(change(&ada, PASSWORD, OTHER_PASSWORD)).await;
    assert_eq!(reason(&in_pause.unwrap_err()), "CREDENTIALS_WRONG");
    server.verify(EMAIL, PASSWORD).await.unwrap_err();
    server.clock.advance(Duration::from_secs(1));
    server
        .change(change(&ada, PASSWORD, OTHER_PASSWORD))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_change_is_answered_only_to_who_knows_the_new_password() {
    let server = TestServer::start().await;
    let ada = server.person(EMAIL, PASSWORD).await;
    let again = |account: &pb::Account, new: &str| pb::ChangePasswordRequest {
        request_id: "1".to_owned(),
        ..change(account, PASSWORD, new)
    };
    let first = server.change(again(&ada, OTHER_PASSWORD)).await.unwrap();
    server.clock.advance(Duration::from_hours(1));
    let repeated = server.change(again(&ada, OTHER_PASSWORD)).await.unwrap();
    assert_eq!(repeated, first);
    let guess = server.change(again(&ada, WRONG)).await.unwrap_err();
    assert_eq!(reason(&guess), "CREDENTIALS_WRONG");
    let bob = server.person("bob@example.com", PASSWORD).await;
    let other = server.change(again(&bob, OTHER_PASSWORD)).await;
    assert_eq!(reason(&other.unwrap_err()), "REQUEST_ID_REUSED");
    server.verify(EMAIL, OTHER_PASSWORD).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_change_twice_at_once_is_made_once_and_answered_twice() {
    let server = TestServer::start().await;
    let ada = server.person(EMAIL, PASSWORD).await;
    let request = pb::ChangePasswordRequest {
        request_id: "1".to_owned(),
        ..change(&ada, PASSWORD, OTHER_PASSWORD)
    };
    let (one, two) = tokio::join!(server.change(request.clone()), server.change(request));
    assert_eq!(one.unwrap(), two.unwrap());
    server.settled().await;
    let notices = server.inbox.messages();
    assert_eq!(notices.len(), 1, "{notices:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_changes_at_once_one_is_made() {
    let server = TestServer::start().await;
    let ada = server.person(EMAIL, PASSWORD).await;
    let (one, two) = tokio::join!(
        server.change(change(&ada, PASSWORD, OTHER_PASSWORD)),
        server.change(change(&ada, PASSWORD, "granite umbrella Tuesday chorus")),
    );
    let ((Ok(_), Err(refused)) | (Err(refused), Ok(_))) = (one, two) else {
        panic!("one of them is made");
    };
    assert_eq!(reason(&refused), "CREDENTIALS_WRONG");
}
