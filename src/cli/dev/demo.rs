//! The demo accounts: one for each second factor.

use super::file::{DemoAccount, DevFile};
use crate::domain::account::{DisplayName, Locale, Profile, SecondFactor};
use crate::domain::call::{Call, CallerName, CorrelationId};
use crate::domain::email::Email;
use crate::domain::id::AccountId;
use crate::domain::password::Password;
use crate::domain::phone::Phone;
use crate::random::{self, Random};
use crate::service::Service;
use crate::service::hasher::Class;
use crate::store::{AccountCreated, AccountSelector, CreateAccount, SetDemoPassword};
use data_encoding::{BASE32_NOPAD, HEXLOWER};
use std::error::Error;
use std::time::Duration;
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

/// Makes the demo accounts that are not there yet, and gives all of them the passwords that `before`,
/// the file of an earlier start, names for them.
pub(super) async fn accounts(
    service: &Service,
    before: Option<&DevFile>,
) -> Result<Vec<DemoAccount>, Box<dyn Error>> {
    let mut accounts = Vec::with_capacity(PEOPLE.len());
    for person in PEOPLE {
        let earlier = before.and_then(|file| file.account(person.email));
        let account_id = account(service, &person).await?;
        let password = match earlier {
            Some(earlier) => earlier.password.clone(),
            None => format!(
                "demo-{}",
                HEXLOWER.encode(&random::array::<8>(&*service.random)?)
            ),
        };
        set_password(service, account_id, &password).await?;
        accounts.push(DemoAccount {
            account_id: account_id.to_string(),
            email: person.email.to_owned(),
            phone: person.phone.map(ToOwned::to_owned),
            password,
            second_factor: person.second_factor.name().to_owned(),
            totp_secret: totp_secret(&*service.random, &person, earlier)?,
        });
    }
    Ok(accounts)
}

async fn account(service: &Service, person: &Person) -> Result<AccountId, Box<dyn Error>> {
    let email = Email::parse(person.email)?;
    let selector = AccountSelector::Email(email.key().clone());
    if let Some(account) = service.store.account(selector).await? {
        return Ok(account.account_id);
    }
    let phone = person.phone.map(Phone::parse).transpose()?;
    let profile = Profile {
        email,
        email_verified: true,
        phone_verified: phone.is_some(),
        phone,
        second_factor: person.second_factor,
        locale: Locale::default(),
        display_name: DisplayName::parse(person.name)?,
    };
    let intent = CreateAccount {
        call: call(&*service.random)?,
        repeatable: None,
        account_id: AccountId::from_bytes(random::array(&*service.random)?),
        profile,
    };
    match service.store.create_account(intent).await? {
        AccountCreated::Created(account) => Ok(account.account_id),
        other => Err(format!(
            "the demo account {} was not created: {other:?}",
            person.email
        )
        .into()),
    }
}

async fn set_password(
    service: &Service,
    account_id: AccountId,
    password: &str,
) -> Result<(), Box<dyn Error>> {
    let deadline = Instant::now() + Duration::from_mins(1);
    let salt = random::array(&*service.random)?;
    let password_hash = service
        .hasher
        .hash(Class::Confirm, deadline, Password::parse(password)?, salt)
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

/// The secret that an authenticator app would be given.
fn totp_secret(
    random: &dyn Random,
    person: &Person,
    earlier: Option<&DemoAccount>,
) -> Result<Option<String>, random::NoEntropy> {
    if person.second_factor != SecondFactor::Totp {
        return Ok(None);
    }
    match earlier.and_then(|earlier| earlier.totp_secret.clone()) {
        Some(secret) => Ok(Some(secret)),
        None => Ok(Some(BASE32_NOPAD.encode(&random::array::<20>(random)?))),
    }
}

fn call(random: &dyn Random) -> Result<Call, random::NoEntropy> {
    Ok(Call {
        caller: CallerName::relatch(),
        correlation_id: CorrelationId::from_random(random::array(random)?),
        source_ip: None,
    })
}
