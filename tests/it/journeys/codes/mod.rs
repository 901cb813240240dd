//! Codes of second factors, at sign-in and at a reset.

mod resets;
mod sending;
mod sign_in;
mod tables;
mod tries;

use crate::support::requests::{PASSWORD, client, code_in, confirm, reset_token};
use crate::support::server::TestServer;
use relatch::domain::message::MessageKind;
use relatch::pb;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tonic::Status;

/// Somebody with a password, and all that their second factor takes.
pub(super) struct Person {
    account: pb::Account,
    /// What their app was given, if they have one.
    secret: String,
    recovery_codes: Vec<String>,
}

impl Person {
    fn email(&self) -> &str {
        &self.account.email
    }

    fn factor(&self) -> pb::SecondFactor {
        self.account.second_factor()
    }

    /// A recovery code; what nobody was given, for whom there are none.
    fn recovery_code(&self) -> &str {
        let nobodys = "28T5C-Y4TQK-FF03Z-DSEMR-ESA344";
        self.recovery_codes.first().map_or(nobodys, String::as_str)
    }
}

impl TestServer {
    /// Somebody new whose second factor this is.
    pub(super) async fn person_with(&self, factor: pb::SecondFactor) -> Person {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let account = self
            .person(&format!("person-{number}@example.com"), PASSWORD)
            .await;
        let (mut secret, mut recovery_codes) = (String::new(), Vec::new());
        let account_id = account.account_id.clone();
        match factor {
            pb::SecondFactor::Sms => {
                let phone = pb::Account {
                    phone: format!("+1415555{number:04}"),
                    phone_verified: true,
                    ..account.clone()
                };
                self.update(phone, &["phone", "phone_verified"]).await;
                let proof = self.proof(&account).await;
                self.choose(&account_id, &proof, factor).await.unwrap();
                let proof = self.proof(&account).await;
                recovery_codes = self.renew(&account_id, &proof).await.unwrap();
            }
            pb::SecondFactor::Totp => {
                let proof = self.proof(&account).await;
                let begun = self.begin_app(&account_id, &proof).await.unwrap();
                secret = begun.secret;
                let code = self.code(&secret);
                recovery_codes = self.finish_app(&account_id, &code).await.unwrap();
            }
            pb::SecondFactor::Email | pb::SecondFactor::Unspecified => {}
        }
        self.settled().await;
        self.inbox.clear();
        Person {
            account: self.reread(&account).await,
            secret,
            recovery_codes,
        }
    }

    /// A code that the person's app shows, and that it was not asked for yet.
    fn app_code(&self, person: &Person) -> String {
        self.clock.advance(Duration::from_mins(1));
        self.code(&person.secret)
    }

    /// The newest code of this kind in a message to the person.
    async fn sent_code(&self, person: &Person, kind: MessageKind) -> String {
        let to = match person.factor() {
            pb::SecondFactor::Sms => &person.account.phone,
            _ => &person.account.email,
        };
        code_in(&*self.mail_to(to, kind).await)
    }

    /// The token of a link that the signed-in person asked for, however it goes.
    async fn profile_link(&self, person: &Person) -> (pb::Channel, String) {
        self.inbox.clear();
        let request = pb::SendProfileResetLinkRequest {
            account_id: person.account.account_id.clone(),
            client: client(),
            request_id: String::new(),
        };
        let sent = self.passwords().send_profile_reset_link(request).await;
        let channel = sent.unwrap().into_inner().channel();
        let message = self
            .message(|message| message.kind == MessageKind::ResetLink)
            .await;
        (channel, reset_token(&message))
    }

    async fn inspect(&self, token: &str) -> Result<pb::InspectResetResponse, Status> {
        let request = pb::InspectResetRequest {
            token: token.to_owned(),
            client: client(),
        };
        let inspected = self.passwords().inspect_reset(request).await;
        inspected.map(tonic::Response::into_inner)
    }

    async fn send_reset_code(&self, token: &str) -> Result<pb::SendResetCodeResponse, Status> {
        let request = pb::SendResetCodeRequest {
            token: token.to_owned(),
            client: client(),
        };
        let sent = self.passwords().send_reset_code(request).await;
        sent.map(tonic::Response::into_inner)
    }

    async fn send_sign_in_code(
        &self,
        challenge: &str,
    ) -> Result<pb::SendSignInCodeResponse, Status> {
        let request = pb::SendSignInCodeRequest {
            challenge: challenge.to_owned(),
            client: client(),
        };
        let sent = self.passwords().send_sign_in_code(request).await;
        sent.map(tonic::Response::into_inner)
    }

    async fn confirm_with(
        &self,
        token: &str,
        password: &str,
        code: &str,
    ) -> Result<pb::ConfirmResetResponse, Status> {
        let request = pb::ConfirmResetRequest {
            second_factor_code: code.to_owned(),
            ..confirm(token, password)
        };
        let confirmed = self.passwords().confirm_reset(request).await;
        confirmed.map(tonic::Response::into_inner)
    }
}
