//! `AccountService`: what a company's back office does.

use super::context::CallContext;
use super::export::Export;
use super::import::Import;
use super::page_token::{self, Listing};
use super::read::{self, FieldViolations, Read, Together as _};
use super::refusal::Refusal;
use super::wire;
use crate::domain::account::{Account, AccountChange, Profile, SecondFactor};
use crate::domain::caller::Scope;
use crate::domain::id::AccountId;
use crate::domain::phone::Phone;
use crate::pb;
use crate::pb::account_service_server::AccountService;
use crate::pulled::Pulled;
use crate::service::Service;
use crate::store::{AccountPage, AccountSelector};
use std::pin::Pin;
use std::sync::Arc;
use tokio_stream::Stream;
use tonic::{Request, Response, Status, Streaming};

/// `AccountService`, in front of the use cases.
pub struct AccountApi {
    service: Arc<Service>,
}

impl AccountApi {
    /// The API of this service.
    #[must_use]
    pub fn new(service: Arc<Service>) -> Self {
        Self { service }
    }
}

type Answer<T> = Result<Response<T>, Status>;
type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl AccountService for AccountApi {
    async fn create_account(
        &self,
        request: Request<pb::CreateAccountRequest>,
    ) -> Answer<pb::CreateAccountResponse> {
        let context = CallContext::of(&request)?;
        let request = request.into_inner();
        let profile = profile(&request)?;
        let account = self
            .service
            .create_account(context.call(None), profile, &request.request_id)
            .await
            .map_err(Refusal::from)?;
        Ok(Response::new(pb::CreateAccountResponse {
            account: Some(to_pb(&account)),
        }))
    }

    async fn get_account(
        &self,
        request: Request<pb::GetAccountRequest>,
    ) -> Answer<pb::GetAccountResponse> {
        use pb::get_account_request::Key;
        let selector = match request.into_inner().key {
            Some(Key::AccountId(id)) => AccountSelector::Id(read::account_id("account_id", &id)?),
            Some(Key::Email(email)) => {
                AccountSelector::Email(read::email("email", &email)?.key().clone())
            }
            None => {
                return Err(FieldViolations::of("key", "must be an account_id or an email").into());
            }
        };
        let account = self
            .service
            .account(selector)
            .await
            .map_err(Refusal::from)?;
        Ok(Response::new(pb::GetAccountResponse {
            account: Some(to_pb(&account)),
        }))
    }

    async fn update_account(
        &self,
        request: Request<pb::UpdateAccountRequest>,
    ) -> Answer<pb::UpdateAccountResponse> {
        let context = CallContext::of(&request)?;
        let pb::UpdateAccountRequest {
            account,
            update_mask,
            etag,
        } = request.into_inner();
        let account = account.ok_or_else(|| FieldViolations::of("account", "is required"))?;
        let (account_id, change, expected) = (
            read::account_id("account.account_id", &account.account_id),
            change(&account, update_mask),
            read::etag("etag", &etag),
        )
            .together()?;
        let account = self
            .service
            .update_account(context.call(None), account_id, expected, change)
            .await
            .map_err(Refusal::from)?;
        Ok(Response::new(pb::UpdateAccountResponse {
            account: Some(to_pb(&account)),
        }))
    }

    async fn delete_account(
        &self,
        request: Request<pb::DeleteAccountRequest>,
    ) -> Answer<pb::DeleteAccountResponse> {
        let context = CallContext::of(&request)?;
        let account_id = read::account_id("account_id", &request.get_ref().account_id)?;
        self.service
            .delete_account(context.call(None), account_id)
            .await
            .map_err(Refusal::from)?;
        Ok(Response::new(pb::DeleteAccountResponse {}))
    }

    async fn list_accounts(
        &self,
        request: Request<pb::ListAccountsRequest>,
    ) -> Answer<pb::ListAccountsResponse> {
        let pb::ListAccountsRequest {
            page_size,
            page_token,
        } = request.into_inner();
        let keyring = self.service.keyring.load_full();
        let after: Read<Option<AccountId>> =
            page_token::read(&keyring, Listing::Accounts, &page_token);
        let (at_most, after) = (read::page_size("page_size", page_size), after).together()?;
        let accounts = self
            .service
            .list_accounts(AccountPage { after, at_most })
            .await
            .map_err(Refusal::from)?;
        let full = accounts.len() == at_most as usize;
        let next = accounts
            .last()
            .filter(|_| full)
            .map(|last| page_token::encode(&keyring, Listing::Accounts, &last.account_id));
        Ok(Response::new(pb::ListAccountsResponse {
            accounts: accounts.iter().map(to_pb).collect(),
            next_page_token: next.unwrap_or_default(),
        }))
    }

    async fn import_accounts(
        &self,
        request: Request<Streaming<pb::ImportAccountsRequest>>,
    ) -> Answer<Self::ImportAccountsStream> {
        let call = CallContext::of(&request)?.call(None);
        let import = Import::new(Arc::clone(&self.service), call, request.into_inner());
        Ok(Response::new(Box::pin(Pulled::new(import))))
    }

    type ImportAccountsStream = Answers<pb::ImportAccountsResponse>;

    async fn export_accounts(
        &self,
        request: Request<pb::ExportAccountsRequest>,
    ) -> Answer<Self::ExportAccountsStream> {
        let context = CallContext::of(&request)?;
        let with_hashes = request.get_ref().with_hashes;
        if with_hashes {
            context.caller.require(&Scope::ExportHashes)?;
        }
        self.service
            .begin_export(context.call(None), with_hashes)
            .await
            .map_err(Refusal::from)?;
        let export = Export::new(Arc::clone(&self.service), with_hashes);
        Ok(Response::new(Box::pin(Pulled::new(export))))
    }

    type ExportAccountsStream = Answers<pb::ExportAccountsResponse>;

    async fn send_invite(
        &self,
        request: Request<pb::SendInviteRequest>,
    ) -> Answer<pb::SendInviteResponse> {
        let context = CallContext::of(&request)?;
        let request = request.into_inner();
        let account_id = read::account_id("account_id", &request.account_id)?;
        let message_id = self
            .service
            .send_invite(context.call(None), account_id, &request.request_id)
            .await
            .map_err(Refusal::from)?;
        Ok(Response::new(pb::SendInviteResponse {
            message_id: message_id.to_string(),
        }))
    }

    async fn remove_second_factor(
        &self,
        request: Request<pb::RemoveSecondFactorRequest>,
    ) -> Answer<pb::RemoveSecondFactorResponse> {
        let context = CallContext::of(&request)?;
        let pb::RemoveSecondFactorRequest {
            account_id,
            reason,
            request_id,
        } = request.into_inner();
        let (account_id, reason) = (
            read::account_id("account_id", &account_id),
            read::removal_reason("reason", &reason),
        )
            .together()?;
        let effective_at = self
            .service
            .order_factor_removal(context.call(None), account_id, reason, &request_id)
            .await
            .map_err(Refusal::from)?;
        Ok(Response::new(pb::RemoveSecondFactorResponse {
            effective_at: Some(wire::timestamp(effective_at)),
        }))
    }
}

/// What a new account is made of.
pub(super) fn profile(request: &pb::CreateAccountRequest) -> Read<Profile> {
    let (email, phone, second_factor, locale, display_name) = (
        read::email("email", &request.email),
        read::phone("phone", &request.phone),
        read::second_factor("second_factor", request.second_factor),
        read::locale("locale", &request.locale),
        read::display_name("display_name", &request.display_name),
    )
        .together()?;
    let second_factor = second_factor.unwrap_or(SecondFactor::Email);
    match second_factor {
        SecondFactor::Email => {}
        SecondFactor::Sms if request.phone_verified && phone.is_some() => {}
        SecondFactor::Sms => {
            return Err(FieldViolations::of(
                "second_factor",
                "SMS needs a verified phone",
            ));
        }
        SecondFactor::Totp => {
            return Err(FieldViolations::of(
                "second_factor",
                "TOTP is enrolled by the person, not set",
            ));
        }
    }
    Ok(Profile {
        email,
        email_verified: request.email_verified,
        phone_verified: request.phone_verified && phone.is_some(),
        phone,
        second_factor,
        locale,
        display_name,
    })
}

/// What the mask names, as it stands in the account.
fn change(account: &pb::Account, mask: Option<prost_types::FieldMask>) -> Read<AccountChange> {
    let paths = mask.map(|mask| mask.paths).unwrap_or_default();
    if paths.is_empty() {
        return Err(FieldViolations::of(
            "update_mask",
            "must name at least one field",
        ));
    }
    let mut change = AccountChange::default();
    for path in &paths {
        match path.as_str() {
            "email" => change.email = Some(read::email("account.email", &account.email)?),
            "email_verified" => change.email_verified = Some(account.email_verified),
            "phone" => change.phone = Some(read::phone("account.phone", &account.phone)?),
            "phone_verified" => change.phone_verified = Some(account.phone_verified),
            "locale" => change.locale = Some(read::locale("account.locale", &account.locale)?),
            "display_name" => {
                change.display_name = Some(read::display_name(
                    "account.display_name",
                    &account.display_name,
                )?);
            }
            "disabled" => change.disabled = Some(account.disabled),
            "compromised" if account.compromised => change.compromised = true,
            "compromised" => {
                return Err(FieldViolations::of(
                    "account.compromised",
                    "can only be set: a new password clears it",
                ));
            }
            _ => {
                return Err(FieldViolations::of(
                    "update_mask",
                    "may name email, email_verified, phone, phone_verified, locale, display_name, disabled and compromised",
                ));
            }
        }
    }
    Ok(change)
}

/// An account as the API shows it.
pub(super) fn to_pb(account: &Account) -> pb::Account {
    let profile = &account.profile;
    pb::Account {
        account_id: account.account_id.to_string(),
        email: profile.email.address().to_owned(),
        email_verified: profile.email_verified,
        phone: profile
            .phone
            .as_ref()
            .map(Phone::as_str)
            .unwrap_or_default()
            .to_owned(),
        phone_verified: profile.phone_verified,
        second_factor: wire::second_factor(profile.second_factor).into(),
        locale: profile.locale.as_str().to_owned(),
        display_name: profile.display_name.as_str().to_owned(),
        disabled: account.disabled,
        has_password: account.has_password,
        compromised: account.compromised,
        password_changed_at: account.password_changed_at.map(wire::timestamp),
        credential_version: account.credential_version.get(),
        created_at: Some(wire::timestamp(account.created_at)),
        etag: account.revision.to_string(),
    }
}
