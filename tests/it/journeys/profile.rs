//! A link from the profile.

use crate::support::requests::{PASSWORD, client, reason, reset_token};
use crate::support::server::TestServer;
use relatch::domain::message::MessageKind;
use relatch::pb;
use tonic::Code;

fn send(account_id: &str) -> pb::SendProfileResetLinkRequest {
    pb::SendProfileResetLinkRequest {
        account_id: account_id.to_owned(),
        client: client(),
        request_id: String::new(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_in_person_sends_a_link_and_goes_on_seeing_it() {
    let server = TestServer::start().await;
    let account = server.person("ada@example.com", PASSWORD).await;
    let sent = server
        .passwords()
        .send_profile_reset_link(send(&account.account_id))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (sent.channel(), sent.destination.as_str()),
        (pb::Channel::Email, "a***@example.com")
    );
    let mail = server
        .mail_to("ada@example.com", MessageKind::ResetLink)
        .await;

    let info = pb::GetSecurityInfoRequest {
        account_id: account.account_id.clone(),
    };
    let info = async || {
        server
            .passwords()
            .get_security_info(info.clone())
            .await
            .unwrap()
            .into_inner()
    };
    let before = info().await;
    assert_eq!(before.second_factor(), pb::SecondFactor::Email);
    assert_eq!(before.pending.len(), 1);
    assert_eq!(before.pending[0].message_id, sent.message_id);
    assert_eq!(before.pending[0].expires_at, sent.expires_at);

    server.confirm(&reset_token(&mail), PASSWORD).await.unwrap();
    let after = info().await;
    assert!(after.pending.is_empty());
    assert_eq!(after.credential_version, before.credential_version + 1);
    assert!(after.sessions_valid_after.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_chose_sms_gets_the_link_there_and_needs_nothing_more() {
    let server = TestServer::start().await;
    let account = server.sms_account("grace@example.com").await;
    let sent = server.send_profile_link(&account).await.unwrap();
    assert_eq!(
        (sent.channel(), sent.destination.as_str()),
        (pb::Channel::Sms, "+*********01")
    );
    let text = server.mail_to("+14155550101", MessageKind::ResetLink).await;
    assert!(text.text.contains("for 10 minutes"), "{}", text.text);
    let info = pb::GetSecurityInfoRequest {
        account_id: account.account_id.clone(),
    };
    let info = server.passwords().get_security_info(info).await.unwrap();
    let info = info.into_inner();
    assert_eq!(info.destination, "+*********01");
    assert_eq!(info.pending[0].channel(), pb::Channel::Sms);
    assert_eq!(info.pending[0].destination, "+*********01");

    let inspected = inspect(&server, &reset_token(&text)).await;
    assert_eq!(inspected.required_factor(), pb::SecondFactor::Unspecified);
    // The same account's link by email is another matter.
    let by_mail = server.request_link("grace@example.com").await;
    let inspected = inspect(&server, &by_mail).await;
    assert_eq!(inspected.required_factor(), pb::SecondFactor::Sms);
    server.confirm(&by_mail, PASSWORD).await.unwrap_err();

    server.confirm(&reset_token(&text), PASSWORD).await.unwrap();
    for address in ["grace@example.com", "+14155550101"] {
        server.mail_to(address, MessageKind::PasswordChanged).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_can_be_sent_no_link_is_shown_no_destination() {
    let server = TestServer::start().await;
    let account = server.sms_account("grace@example.com").await;
    let withdrawn = pb::Account {
        phone_verified: false,
        ..account.clone()
    };
    server.update(withdrawn, &["phone_verified"]).await;
    let info = pb::GetSecurityInfoRequest {
        account_id: account.account_id.clone(),
    };
    let info = server.passwords().get_security_info(info).await.unwrap();
    assert_eq!(info.into_inner().destination, "");
    let refused = server.send_profile_link(&account).await.unwrap_err();
    assert_eq!(reason(&refused), "NO_VERIFIED_ADDRESS");
}

async fn inspect(server: &TestServer, token: &str) -> pb::InspectResetResponse {
    let request = pb::InspectResetRequest {
        token: token.to_owned(),
        client: client(),
    };
    let inspected = server.passwords().inspect_reset(request).await;
    inspected.unwrap().into_inner()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_may_send_three_links_and_is_told_when_to_come_back() {
    use tonic_types::StatusExt as _;
    let server = TestServer::start().await;
    let account = server.account("ada@example.com").await;
    for _ in 0..3 {
        server
            .passwords()
            .send_profile_reset_link(send(&account.account_id))
            .await
            .unwrap();
    }
    let limited = server
        .passwords()
        .send_profile_reset_link(send(&account.account_id))
        .await
        .unwrap_err();
    assert_eq!(
        (limited.code(), reason(&limited).as_str()),
        (Code::ResourceExhausted, "RATE_LIMITED")
    );
    assert!(
        limited
            .get_details_retry_info()
            .unwrap()
            .retry_delay
            .is_some()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_cannot_receive_a_link_is_refused_with_the_reason() {
    let server = TestServer::start().await;
    let unknown = server
        .passwords()
        .send_profile_reset_link(send(&"ab".repeat(16)))
        .await
        .unwrap_err();
    assert_eq!(
        (unknown.code(), reason(&unknown).as_str()),
        (Code::NotFound, "ACCOUNT_NOT_FOUND")
    );
    let request = pb::CreateAccountRequest {
        email: "ada@example.com".to_owned(),
        ..pb::CreateAccountRequest::default()
    };
    let account = server
        .accounts()
        .create_account(request)
        .await
        .unwrap()
        .into_inner()
        .account
        .unwrap();
    let unverified = server
        .passwords()
        .send_profile_reset_link(send(&account.account_id))
        .await
        .unwrap_err();
    assert_eq!(reason(&unverified), "NO_VERIFIED_ADDRESS");
    let verified = pb::Account {
        email_verified: true,
        disabled: true,
        ..account.clone()
    };
    server
        .update(verified, &["email_verified", "disabled"])
        .await;
    let disabled = server
        .passwords()
        .send_profile_reset_link(send(&account.account_id))
        .await
        .unwrap_err();
    assert_eq!(reason(&disabled), "ACCOUNT_DISABLED");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_needs_the_scope_of_what_it_calls() {
    let server = TestServer::start().await;
    let account = server.account("ada@example.com").await;
    let denied = server
        .passwords_as("reset")
        .send_profile_reset_link(send(&account.account_id))
        .await
        .unwrap_err();
    assert_eq!(
        (denied.code(), reason(&denied).as_str()),
        (Code::PermissionDenied, "SCOPE_MISSING")
    );
    server
        .passwords_as("profile")
        .send_profile_reset_link(send(&account.account_id))
        .await
        .unwrap();
    let check = pb::CheckPasswordRequest {
        password: PASSWORD.to_owned(),
        subject: Some(pb::check_password_request::Subject::AccountId(
            account.account_id,
        )),
        client: client(),
    };
    let denied = server
        .passwords_as("reset")
        .check_password(check.clone())
        .await
        .unwrap_err();
    assert_eq!(reason(&denied), "SCOPE_MISSING");
    let checked = server
        .passwords_as("profile")
        .check_password(check)
        .await
        .unwrap()
        .into_inner();
    assert!(checked.violations.is_empty(), "{checked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn checks_by_account_are_limited_like_checks_by_link() {
    let server = TestServer::start_with(&[("limits.check_source", "3, then 1/1h")]).await;
    let account = server.account("ada@example.com").await;
    let check = |password: &str| pb::CheckPasswordRequest {
        password: password.to_owned(),
        subject: Some(pb::check_password_request::Subject::AccountId(
            account.account_id.clone(),
        )),
        client: client(),
    };
    for password in [PASSWORD, "short", ""] {
        server
            .passwords()
            .check_password(check(password))
            .await
            .unwrap();
    }
    let limited = server
        .passwords()
        .check_password(check(PASSWORD))
        .await
        .unwrap_err();
    assert_eq!(reason(&limited), "RATE_LIMITED");
}
