//! The calling service: asks, and writes down what it asks for and what it is answered.

use super::super::journeys::{Client, clients};
use super::super::{Premises, Served};
use super::fuse::Fuse;
use super::ledger::{Change, Fate, Ledger, Reply, Wish};
use super::witness::Witness;
use crate::support::requests::{client, confirm, reason, update_request};
use relatch::domain::id::AccountId;
use relatch::pb::account_service_client::AccountServiceClient;
use relatch::pb::password_service_client::PasswordServiceClient;
use relatch::pb::{self, verify_password_response::Outcome};
use std::sync::{Arc, Mutex};
use tonic::{Request, Status};

#[derive(Clone)]
pub(super) struct Caller {
    passwords: PasswordServiceClient<Client>,
    accounts: AccountServiceClient<Client>,
    witness: Arc<Mutex<Witness>>,
    fuse: Arc<Fuse>,
}

impl Caller {
    pub(super) async fn connect(
        premises: &Premises,
        served: &Served,
        witness: Arc<Mutex<Witness>>,
        fuse: Arc<Fuse>,
    ) -> Self {
        let (passwords, accounts) = clients(premises, served).await;
        Self {
            passwords,
            accounts,
            witness,
            fuse,
        }
    }

    /// Asks for something new; by a call that can be repeated, if wished and possible.
    pub(super) async fn ask(
        &mut self,
        crowd: usize,
        wish: Wish,
        repeatable: bool,
    ) -> (usize, Fate) {
        let number = {
            let mut witness = self.witness.lock().unwrap();
            witness.ledger.enter(crowd, wish, repeatable)
        };
        (number, self.ask_for(number).await)
    }

    /// Asks for what stands in the ledger, perhaps again.
    pub(super) async fn ask_for(&mut self, number: usize) -> Fate {
        let (wish, request_id) = {
            let operation = &self.witness.lock().unwrap().ledger.0[number];
            (operation.wish.clone(), operation.request_id.clone())
        };
        let answer = self
            .call(&wish, request_id, &Ledger::correlation(number))
            .await;
        let fate = match answer {
            Ok(reply) => Fate::Acknowledged(reply),
            Err(status) => match &*reason(&status) {
                "RESET_LINK_INVALID" => Fate::Refused,
                "CREDENTIALS_WRONG" => Fate::Acknowledged(Reply::WrongPassword),
                // The connection broke: services give reasons.
                "" if self.fuse.has_burnt() => return Fate::InDoubt,
                _ => panic!("{wish:?}: {status:?}"),
            },
        };
        let mut witness = self.witness.lock().unwrap();
        if witness.ledger.settle(number, fate.clone()) && fate != Fate::Refused {
            self.fuse.burn();
        }
        fate
    }

    async fn call(
        &mut self,
        wish: &Wish,
        request_id: String,
        correlation: &str,
    ) -> Result<Reply, Status> {
        match wish {
            Wish::CreateAccount { email, name } => {
                let creation = pb::CreateAccountRequest {
                    email: email.clone(),
                    email_verified: true,
                    display_name: name.clone(),
                    request_id,
                    ..pb::CreateAccountRequest::default()
                };
                let creation = named(correlation, creation);
                let created = self.accounts.create_account(creation).await?;
                let account = created.into_inner().account.unwrap();
                Ok(Reply::Created(account_id(&account.account_id)))
            }
            Wish::UpdateAccount { account_id, change } => {
                let update = named(correlation, update(*account_id, change.clone()));
                self.accounts.update_account(update).await?;
                Ok(Reply::Done)
            }
            Wish::DeleteAccount { account_id } => {
                let account_id = account_id.to_string();
                let deletion = named(correlation, pb::DeleteAccountRequest { account_id });
                self.accounts.delete_account(deletion).await?;
                Ok(Reply::Done)
            }
            Wish::RequestReset { email } => {
                let forgot = pb::RequestResetRequest {
                    email: email.clone(),
                    client: client(),
                    request_id,
                };
                let forgot = named(correlation, forgot);
                self.passwords.request_reset(forgot).await?;
                Ok(Reply::Done)
            }
            Wish::SendProfileLink { account_id } => {
                let wanted = pb::SendProfileResetLinkRequest {
                    account_id: account_id.to_string(),
                    client: client(),
                    request_id,
                };
                let wanted = named(correlation, wanted);
                let queued = self.passwords.send_profile_reset_link(wanted).await?;
                Ok(queued_as(&queued.into_inner().message_id))
            }
            Wish::SendInvite { account_id } => {
                let wanted = pb::SendInviteRequest {
                    account_id: account_id.to_string(),
                    request_id,
                };
                let wanted = named(correlation, wanted);
                let queued = self.accounts.send_invite(wanted).await?;
                Ok(queued_as(&queued.into_inner().message_id))
            }
            Wish::ConfirmReset { link, password } => {
                let confirm = pb::ConfirmResetRequest {
                    request_id,
                    ..confirm(&link.reset, password)
                };
                let confirm = named(correlation, confirm);
                let set = self.passwords.confirm_reset(confirm).await?.into_inner();
                Ok(Reply::Version(
                    account_id(&set.account_id),
                    set.credential_version,
                ))
            }
            Wish::CancelReset { link } => {
                let cancel = pb::CancelResetRequest {
                    cancel_token: link.cancel.clone(),
                    client: client(),
                };
                let cancel = named(correlation, cancel);
                self.passwords.cancel_reset(cancel).await?;
                Ok(Reply::Done)
            }
            Wish::EndSessions { account_id } => {
                let account_id = account_id.to_string();
                let end = named(correlation, pb::EndSessionsRequest { account_id });
                self.passwords.end_sessions(end).await?;
                Ok(Reply::Done)
            }
            Wish::SignIn { email, password } => {
                let sign_in = pb::VerifyPasswordRequest {
                    email: email.clone(),
                    password: password.clone(),
                    client: client(),
                };
                let sign_in = named(correlation, sign_in);
                let verified = self.passwords.verify_password(sign_in).await?.into_inner();
                let Some(Outcome::SignedIn(who)) = verified.outcome else {
                    panic!("no second factor is asked for: {verified:?}");
                };
                Ok(Reply::Version(
                    account_id(&who.account_id),
                    who.credential_version,
                ))
            }
        }
    }
}

/// The request of a call of this name.
fn named<T>(correlation: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    let name = correlation.parse().unwrap();
    request.metadata_mut().insert("x-request-id", name);
    request
}

fn queued_as(message_id: &str) -> Reply {
    Reply::Queued(message_id.parse().unwrap())
}

fn account_id(text: &str) -> AccountId {
    text.parse().unwrap()
}

fn update(account_id: AccountId, change: Change) -> pb::UpdateAccountRequest {
    let mut account = pb::Account {
        account_id: account_id.to_string(),
        ..pb::Account::default()
    };
    let mask: &[&str] = match change {
        Change::Name(name) => {
            account.display_name = name;
            &["display_name"]
        }
        Change::Email(email) => {
            account.email = email;
            account.email_verified = true;
            &["email", "email_verified"]
        }
        Change::Verified(verified) => {
            account.email_verified = verified;
            &["email_verified"]
        }
        Change::Disabled(disabled) => {
            account.disabled = disabled;
            &["disabled"]
        }
    };
    update_request(account, mask, "")
}
