//! The demo accounts: one for each second factor.

use super::file::{DemoAccount, DevFile};
use crate::domain::account::{Account, DisplayName, Locale, Profile, SecondFactor};
use crate::domain::call::{Call, CallerName, CorrelationId};
use crate::domain::email::{Email, EmailKey};
use crate::domain::id::AccountId;
use crate::domain::password::Password;
use crate::domain::phone::Phone;
use crate::domain::pseudonym::{Pseudonym, Subject};
use crate::domain::seal::UnsealRefused;
use crate::domain::totp::Secret;
use crate::random::{self, NoEntropy, Random};
use crate::service::Service;
use crate::service::hasher::{Class, HashError};
use crate::store::{
    AccountCreated, AccountSelector, BeginSignIn, CreateAccount, EnrolDemoApp, SetDemoPassword,
    SignInBegun, StoreError,
};
use data_encoding::HEXLOWER;
use std::time::Duration;
use thiserror::Error;
use tokio::time::Instant;

/// Who they are.
struct Person {
    email: &'static str,
    name: &'static str,
    phone: Option<&'static str>,
    second_factor: SecondFactor,
}

const PEOPLE: [Person; 3] = [
    Person {
        email: "ada@example.com",
        name: "Ada",
        phone: None,
        second_factor: SecondFactor::Email,
    },
    Person {
        email: "grace@example.com",
        name: "Grace",
        phone: Some("+14155550101"),
        second_factor: SecondFactor::Sms,
    },
    Person {
        email: "alan@example.com",
        name: "Alan",
        phone: None,
        second_factor: SecondFactor::Totp,
    },
];

/// Why a demo account cannot be made.
#[derive(Debug, Error)]
pub enum DemoRefused {
    /// The store could not.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A password could not be hashed.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The secret of an authenticator app cannot be read: its key was revoked.
    #[error(
        "a demo account's authenticator app cannot be read ({0}): delete the data directory to start afresh"
    )]
    Unseal(#[from] UnsealRefused),
    /// There is no entropy.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
    /// The file of an earlier start, or this program, names what no account can have.
    #[error("the demo account {0} cannot be made: delete the data directory to start afresh")]
    Impossible(&'static str),
}

/// Makes the demo accounts that are not there yet, and gives all of them the passwords that `before`,
/// the file of an earlier start, names for them.
pub(super) async fn accounts(
    service: &Service,
    before: Option<&DevFile>,
) -> Result<Vec<DemoAccount>, DemoRefused> {
    let mut accounts = Vec::with_capacity(PEOPLE.len());
    for person in PEOPLE {
        let earlier = before.and_then(|file| file.account(person.email));
        let password = match earlier {
            Some(earlier) => earlier.password.clone(),
            None => format!(
                "demo-{}",
                HEXLOWER.encode(&random::array::<8>(&*service.random)?)
            ),
        };
        let profile = profile(&person).ok_or(DemoRefused::Impossible(person.email))?;
        let key = profile.email.key().clone();
        let account = account(service, profile)
            .await?
            .ok_or(DemoRefused::Impossible(person.email))?;
        let typed = Password::parse(password.as_str())
            .map_err(|_| DemoRefused::Impossible(person.email))?;
        let account_id = account.account_id;
        give_password(service, account_id, key, typed).await?;
        accounts.push(DemoAccount {
            account_id: account_id.to_string(),
            email: person.email.to_owned(),
            phone: person.phone.map(ToOwned::to_owned),
            password,
            second_factor: account.profile.second_factor.name().to_owned(),
            totp_secret: enrolled(service, &account, earlier).await?,
        });
    }
    Ok(accounts)
}

/// What the store is told about a person; `None` when the table above is wrong.
fn profile(person: &Person) -> Option<Profile> {
    let phone = person.phone.map(Phone::parse).transpose().ok()?;
    Some(Profile {
        email: Email::parse(person.email).ok()?,
        email_verified: true,
        phone_verified: phone.is_some(),
        phone,
        second_factor: person.second_factor,
        locale: Locale::default(),
        display_name: DisplayName::parse(person.name).ok()?,
    })
}

/// The account of this profile's address, made if it is not there.
async fn account(service: &Service, profile: Profile) -> Result<Option<Account>, DemoRefused> {
    let selector = AccountSelector::Email(profile.email.key().clone());
    if let Some(account) = service.store.account(selector).await? {
        return Ok(Some(account));
    }
    let intent = CreateAccount {
        call: call(&*service.random)?,
        repeatable: None,
        account_id: AccountId::from_bytes(random::array(&*service.random)?),
        profile,
    };
    Ok(match service.store.create_account(intent).await? {
        AccountCreated::Created(account) => Some(account),
        AccountCreated::EmailTaken | AccountCreated::RequestIdReused | AccountCreated::Gone => None,
    })
}

/// Sets the password, unless it is the account's already.
async fn give_password(
    service: &Service,
    account_id: AccountId,
    email: EmailKey,
    password: Password,
) -> Result<(), DemoRefused> {
    let deadline = Instant::now() + Duration::from_mins(1);
    let present = service
        .store
        .begin_sign_in(BeginSignIn {
            email,
            limits: Vec::new(),
            // Nobody's: only that the password works no more from anywhere is of interest here.
            source: Pseudonym::of(&service.keyring.load(), Subject::Source, &[]),
        })
        .await?;
    if let SignInBegun::Check(Some(account)) = present {
        let hash = Some(account.password_hash);
        if service
            .hasher
            .verify(Class::SignIn, deadline, password.clone(), hash)
            .await?
            .matches
        {
            return Ok(());
        }
    }
    let salt = random::array(&*service.random)?;
    let password_hash = service
        .hasher
        .hash(Class::Confirm, deadline, password, salt)
        .await?;
    let call = call(&*service.random)?;
    Ok(service
        .store
        .set_demo_password(SetDemoPassword {
            call,
            account_id,
            password_hash,
        })
        .await?)
}

/// The secret of the account's authenticator app, if TOTP is its factor. An account without an app gets the one
/// that the file of an earlier start names, or a new one.
async fn enrolled(
    service: &Service,
    account: &Account,
    earlier: Option<&DemoAccount>,
) -> Result<Option<String>, DemoRefused> {
    if account.profile.second_factor != SecondFactor::Totp {
        return Ok(None);
    }
    let told = earlier.and_then(|earlier| earlier.totp_secret.as_deref());
    let secret = match told.and_then(Secret::from_base32) {
        Some(secret) => secret,
        None => Secret::from_bytes(random::array(&*service.random)?),
    };
    let account_id = account.account_id;
    let enrol = EnrolDemoApp {
        call: call(&*service.random)?,
        account_id,
        sealed_secret: service.sealed(account_id, &secret)?,
    };
    let app = service.store.enrol_demo_app(enrol).await?;
    let secret = app.map(|app| service.unsealed(account_id, &app.sealed_secret));
    Ok(secret
        .transpose()?
        .map(|secret| secret.base32().to_string()))
}

fn call(random: &dyn Random) -> Result<Call, NoEntropy> {
    Ok(Call {
        caller: CallerName::relatch(),
        correlation_id: CorrelationId::from_random(random::array(random)?),
        source_ip: None,
    })
}
