//! What a company's back office does with accounts.

use super::Service;
use super::error::ServiceError;
use crate::domain::account::{Account, AccountChange, Profile, Revision, SecondFactor};
use crate::domain::call::Call;
use crate::domain::id::AccountId;
use crate::domain::idempotency::{Method, Repeatable};
use crate::domain::phone::Phone;
use crate::random;
use crate::store::{
    AccountCreated, AccountDeleted, AccountPage, AccountSelector, AccountUpdated, CreateAccount,
    DeleteAccount, UpdateAccount,
};

impl Service {
    /// Creates an account without a password.
    pub async fn create_account(
        &self,
        call: Call,
        profile: Profile,
        request_id: &str,
    ) -> Result<Account, ServiceError> {
        let repeatable = self.repeatable_creation(&call, &profile, request_id)?;
        let account_id = AccountId::from_bytes(random::array(&*self.random)?);
        match self
            .store
            .create_account(CreateAccount {
                call,
                repeatable,
                account_id,
                profile,
            })
            .await?
        {
            AccountCreated::Created(account) => Ok(account),
            AccountCreated::RequestIdReused => Err(ServiceError::RequestIdReused),
            AccountCreated::EmailTaken => Err(ServiceError::EmailTaken),
            AccountCreated::Gone => Err(ServiceError::NoAccount),
        }
    }

    fn repeatable_creation(
        &self,
        call: &Call,
        profile: &Profile,
        request_id: &str,
    ) -> Result<Option<Repeatable>, ServiceError> {
        let fields: [&[u8]; 7] = [
            profile.email.address().as_bytes(),
            &[u8::from(profile.email_verified)],
            profile
                .phone
                .as_ref()
                .map_or(&[], |phone: &Phone| phone.as_str().as_bytes()),
            &[u8::from(profile.phone_verified)],
            &[SecondFactor::code(profile.second_factor)],
            profile.locale.as_str().as_bytes(),
            profile.display_name.as_str().as_bytes(),
        ];
        let keyring = self.keyring.load();
        Ok(Repeatable::new(
            &keyring,
            &call.caller,
            Method::CreateAccount,
            request_id,
            &fields,
        )?)
    }

    /// Reads an account.
    pub async fn account(&self, which: AccountSelector) -> Result<Account, ServiceError> {
        self.store
            .account(which)
            .await?
            .ok_or(ServiceError::NoAccount)
    }

    /// Changes an account, if it is still as the caller read it.
    pub async fn update_account(
        &self,
        call: Call,
        account_id: AccountId,
        expected: Option<Revision>,
        change: AccountChange,
    ) -> Result<Account, ServiceError> {
        match self
            .store
            .update_account(UpdateAccount {
                call,
                account_id,
                expected,
                change,
                address_notices: self.address_notices()?,
                notice_id: self.message_id()?,
            })
            .await?
        {
            AccountUpdated::Updated(account) => Ok(account),
            AccountUpdated::RevisionMismatch => Err(ServiceError::EtagMismatch),
            AccountUpdated::EmailTaken => Err(ServiceError::EmailTaken),
            AccountUpdated::NoAccount => Err(ServiceError::NoAccount),
        }
    }

    /// Deletes an account with everything that is its own.
    pub async fn delete_account(
        &self,
        call: Call,
        account_id: AccountId,
    ) -> Result<(), ServiceError> {
        match self
            .store
            .delete_account(DeleteAccount { call, account_id })
            .await?
        {
            AccountDeleted::Deleted => Ok(()),
            AccountDeleted::NoAccount => Err(ServiceError::NoAccount),
        }
    }

    /// A page of accounts, in the order of their ids.
    pub async fn list_accounts(&self, page: AccountPage) -> Result<Vec<Account>, ServiceError> {
        Ok(self.store.list_accounts(page).await?)
    }
}
