//! A first password, by invitation.

use crate::support::requests::{
    OTHER_PASSWORD, PASSWORD, cancel_token, client, reason, reset_token,
};
use crate::support::server::TestServer;
use relatch::delivery::OutgoingMessage;
use relatch::domain::message::MessageKind;
use relatch::pb;
use relatch::pb::check_password_request::Subject;
use std::sync::Arc;
use std::time::Duration;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

const EMAIL: &str = "new@example.com";

impl TestServer {
    /// Creates an account whose address nobody has verified.
    async fn newcomer(&self, locale: &str) -> pb::Account {
        let request = pb::CreateAccountRequest {
            email: EMAIL.to_owned(),
            locale: locale.to_owned(),
            ..pb::CreateAccountRequest::default()
        };
        let created = self.accounts().create_account(request).await.unwrap();
        created.into_inner().account.unwrap()
    }

    async fn invite(&self, account_id: &str, request_id: &str) -> Result<String, Status> {
        let request = pb::SendInviteRequest {
            account_id: account_id.to_owned(),
            request_id: request_id.to_owned(),
        };
        let sent = self.accounts().send_invite(request).await?;
        Ok(sent.into_inner().message_id)
    }

    /// Invites somebody, and takes the mail.
    async fn invitation(&self, account_id: &str) -> Arc<OutgoingMessage> {
        self.inbox.clear();
        self.invite(account_id, "").await.unwrap();
        self.mail_to(EMAIL, MessageKind::Invitation).await
    }

    async fn inspected(&self, token: &str) -> Result<pb::InspectResetResponse, Status> {
        let request = pb::InspectResetRequest {
            token: token.to_owned(),
            client: client(),
        };
        let inspected = self.passwords().inspect_reset(request).await;
        inspected.map(tonic::Response::into_inner)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_leads_to_a_first_password_and_a_verified_address() {
    let server = TestServer::start().await;
    let account = server.newcomer("").await;
    let mail = server.invitation(&account.account_id).await;
    assert_eq!(mail.subject, "Choose your Relatch Demo password");
    assert!(mail.text.contains("for 72 hours from"), "{}", mail.text);
    let token = reset_token(&mail);

    let inspected = server.inspected(&token).await.unwrap();
    assert_eq!(inspected.account_hint, "n***@example.com");
    assert_eq!(inspected.required_factor(), pb::SecondFactor::Unspecified);
    let check = pb::CheckPasswordRequest {
        password: PASSWORD.to_owned(),
        subject: Some(Subject::Token(token.clone())),
        client: client(),
    };
    let judged = server.passwords().check_password(check).await.unwrap();
    assert_eq!(judged.into_inner().violations, []);

    server.clock.advance(Duration::from_hours(71));
    server.confirm(&token, PASSWORD).await.unwrap();
    let after = server.reread(&account).await;
    assert!(after.email_verified && after.has_password);
    server.verify(EMAIL, PASSWORD).await.unwrap();
    let again = server.confirm(&token, OTHER_PASSWORD).await.unwrap_err();
    assert_eq!(reason(&again), "RESET_LINK_INVALID");

    let events = server.events().await;
    let told = |name: &str, attribute: &str| {
        let event = events.iter().find(|event| event.name == name).unwrap();
        event.attributes[attribute].clone()
    };
    assert_eq!(told("authn_token_created", "kind"), "INVITATION");
    assert_eq!(told("authn_password_change", "by"), "invitation");
    let messages = server.messages(&account.account_id).await;
    let invitation = messages.last().unwrap();
    assert_eq!(invitation.kind(), pb::MessageKind::Invitation);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_ends_after_72_hours_and_by_a_press_of_the_one_who_is_meant() {
    let server = TestServer::start().await;
    let account = server.newcomer("de-AT").await;
    let mail = server.invitation(&account.account_id).await;
    assert_eq!(mail.subject, "Ihr Passwort für Relatch Demo wählen");
    server.clock.advance(Duration::from_hours(72));
    let ended = server.inspected(&reset_token(&mail)).await.unwrap_err();
    assert_eq!(reason(&ended), "RESET_LINK_INVALID");

    let mail = server.invitation(&account.account_id).await;
    let token = reset_token(&mail);
    server.inspected(&token).await.unwrap();
    let cancel = pb::CancelResetRequest {
        cancel_token: cancel_token(&mail),
        client: client(),
    };
    server.passwords().cancel_reset(cancel).await.unwrap();
    let ended = server.confirm(&token, PASSWORD).await.unwrap_err();
    assert_eq!(reason(&ended), "RESET_LINK_INVALID");
    let account = server.reread(&account).await;
    assert!(!account.email_verified && !account.has_password);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_invited_twice_by_one_request_and_nobody_who_has_a_password() {
    let server = TestServer::start().await;
    let account = server.newcomer("").await;
    let first = server.invite(&account.account_id, "1").await.unwrap();
    let again = server.invite(&account.account_id, "1").await.unwrap();
    assert_eq!(first, again);
    server.mail_to(EMAIL, MessageKind::Invitation).await;
    server.settled().await;
    assert_eq!(server.inbox.messages().len(), 1);

    let owner = server.person("ada@example.com", PASSWORD).await;
    let other = server.invite(&owner.account_id, "1").await.unwrap_err();
    assert_eq!(reason(&other), "REQUEST_ID_REUSED");
    let refused = server.invite(&owner.account_id, "").await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert_eq!(reason(&refused), "INVALID_FIELD");
    let fields = refused.get_details_bad_request().unwrap().field_violations;
    assert_eq!(fields[0].field, "account_id");

    let nobody = server.invite(&"00".repeat(16), "").await.unwrap_err();
    assert_eq!(reason(&nobody), "ACCOUNT_NOT_FOUND");
    server.disable(account.clone()).await;
    let disabled = server.invite(&account.account_id, "").await.unwrap_err();
    assert_eq!(reason(&disabled), "ACCOUNT_DISABLED");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_bypasses_no_second_factor() {
    let server = TestServer::start().await;
    let account = server.sms_account(EMAIL).await;
    let token = reset_token(&*server.invitation(&account.account_id).await);
    let inspected = server.inspected(&token).await.unwrap();
    assert_eq!(inspected.required_factor(), pb::SecondFactor::Sms);
    server.confirm(&token, PASSWORD).await.unwrap_err();
    assert!(!server.reread(&account).await.has_password);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_password_a_reset_goes_to_a_verified_address_alone() {
    let server = TestServer::start().await;
    server.newcomer("").await;
    let request = pb::RequestResetRequest {
        email: EMAIL.to_owned(),
        client: client(),
        request_id: String::new(),
    };
    server.passwords().request_reset(request).await.unwrap();
    server.settled().await;
    assert!(server.inbox.messages().is_empty());

    server.account("ada@example.com").await;
    let token = server.request_link("ada@example.com").await;
    server.confirm(&token, PASSWORD).await.unwrap();
}
