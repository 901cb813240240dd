//! People with accounts, and with links in their mail.

use crate::Trouble;
use crate::calls::{PASSWORD, WRONG_PASSWORD};
use crate::server::Server;
use relatch::domain::account::{AccountChange, DisplayName, Locale, Profile, SecondFactor};
use relatch::domain::call::{Call, CallerName, CorrelationId};
use relatch::domain::client::Client;
use relatch::domain::email::Email;
use relatch::domain::id::{AccountId, MessageId, ResetId};
use relatch::domain::limit::{Bucket, Limit, LimitKey};
use relatch::domain::password::Password;
use relatch::domain::pseudonym::{Pseudonym, Subject};
use relatch::domain::token::{self, Link, LinkKind};
use relatch::random::{self, SystemRandom};
use relatch::service::Service;
use relatch::service::error::ServiceError;
use relatch::service::hasher::Class;
use relatch::service::sign_in::SignIn;
use relatch::store::{
    AccountCreated, CreateAccount, ProfileLink, RequestProfileLink, SetDemoPassword,
};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Somebody with an account.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) account_id: AccountId,
    pub(crate) email: String,
}

/// Tokens of so many links of this kind that work, each of an account of its own.
pub(crate) fn links(server: &Server, kind: LinkKind, count: usize) -> Result<Vec<String>, Trouble> {
    let links = server.wait(async {
        let mut waiting = JoinSet::new();
        for _ in 0..count {
            waiting.spawn(link(Arc::clone(&server.service), kind));
        }
        let mut links = Vec::with_capacity(count);
        while let Some(link) = waiting.join_next().await {
            links.push(link??);
        }
        Ok::<_, Trouble>(links)
    })?;
    server.settle()?;
    Ok(links)
}

/// So many people who sign in with the [`PASSWORD`].
pub(crate) fn with_password(server: &Server, count: usize) -> Result<Vec<Person>, Trouble> {
    server.wait(async {
        let service = &*server.service;
        let later = Instant::now() + Duration::from_mins(1);
        let salt = random::array(&SystemRandom)?;
        let password = Password::parse(PASSWORD)?;
        let password_hash = service
            .hasher
            .hash(Class::Confirm, later, password, salt)
            .await?;
        let mut people = Vec::with_capacity(count);
        for _ in 0..count {
            let person = somebody(service).await?;
            let intent = SetDemoPassword {
                call: call()?,
                account_id: person.account_id,
                password_hash: password_hash.clone(),
            };
            service.store.set_demo_password(intent).await?;
            people.push(person);
        }
        Ok(people)
    })
}

/// Disables an account.
pub(crate) fn disable(server: &Server, person: &Person) -> Result<(), Trouble> {
    let change = AccountChange {
        disabled: Some(true),
        ..AccountChange::default()
    };
    let update = server
        .service
        .update_account(call()?, person.account_id, None, change);
    server.wait(async { update.await.map(drop) })?;
    Ok(())
}

/// Wrong passwords of this person, one after the other, each from the source of its number.
pub(crate) fn guess(
    server: &Server,
    person: &Person,
    times: u32,
    source: impl Fn(u32) -> u32,
) -> Result<(), Trouble> {
    for number in 0..times {
        let source = Ipv4Addr::from_bits(source(number)).to_string();
        let sign_in = SignIn {
            email: Email::parse(&person.email)?,
            password: Password::parse(WRONG_PASSWORD)?,
            client: Client::parse(&source, "", "")?,
            deadline: Instant::now() + Duration::from_mins(1),
        };
        let guess = server.service.sign_in(call()?, sign_in);
        match server.wait(guess) {
            Err(ServiceError::CredentialsWrong) => {}
            other => return Err(format!("not refused: {other:?}").into()),
        }
    }
    Ok(())
}

/// So many people who have nothing but an account.
pub(crate) fn nameless(server: &Server, count: usize) -> Result<Vec<Person>, Trouble> {
    const AT_A_TIME: usize = 1_024;
    server.wait(async {
        let mut people = Vec::with_capacity(count);
        while people.len() < count {
            let mut creating = JoinSet::new();
            for _ in 0..AT_A_TIME {
                let service = Arc::clone(&server.service);
                creating.spawn(async move { somebody(&service).await });
            }
            while let Some(person) = creating.join_next().await {
                people.push(person??);
            }
        }
        Ok(people)
    })
}

/// How many accounts [`many`] creates at a time.
const AT_A_TIME: u32 = 1_024;

/// Creates the accounts of so many people, whose addresses are those of [`numbered`].
pub(crate) fn many(server: &Server, count: u32) -> Result<(), Trouble> {
    server.wait(async {
        let mut creating = JoinSet::new();
        for first in 0..AT_A_TIME.min(count) {
            let service = Arc::clone(&server.service);
            creating.spawn(async move {
                for number in (first..count).step_by(AT_A_TIME as usize) {
                    // Ids that grow fill the tree in order, which is soon done; how deep it is does not change.
                    let account_id = AccountId::from_bytes(u128::from(number).to_be_bytes());
                    create(&service, account_id, numbered("person", number)).await?;
                }
                Ok::<_, Trouble>(())
            });
        }
        while let Some(created) = creating.join_next().await {
            created??;
        }
        Ok(())
    })
}

/// An address, as long as every other of the same name.
pub(crate) fn numbered(name: &str, number: u32) -> String {
    format!("{name}-{number:08}@example.com")
}

async fn link(service: Arc<Service>, kind: LinkKind) -> Result<String, Trouble> {
    let account_id = somebody(&service).await?.account_id;
    let keyring = service.keyring.load_full();
    let whose = Pseudonym::of(&keyring, Subject::Account, account_id.as_bytes());
    let reset_id = ResetId::from_bytes(random::array(&SystemRandom)?);
    let intent = RequestProfileLink {
        call: call()?,
        repeatable: None,
        account_id,
        limit: Limit {
            key: LimitKey::new(Bucket::ProfileLink, whose),
            rate: service.rules.rates.profile_link,
        },
        reset_id,
        message_id: MessageId::from_bytes(random::array(&SystemRandom)?),
        lifetime: service.rules.lifetime,
        sms_lifetime: service.rules.sms_lifetime,
    };
    match service.store.request_profile_link(intent).await? {
        ProfileLink::Queued(queued) => {
            let expires_at = queued.expires_at;
            let link = Link {
                reset_id,
                expires_at,
            };
            Ok(token::mint(&keyring, kind, link).expose().to_owned())
        }
        other => Err(format!("no link: {other:?}").into()),
    }
}

async fn somebody(service: &Service) -> Result<Person, Trouble> {
    let account_id = AccountId::from_bytes(random::array(&SystemRandom)?);
    create(service, account_id, format!("{account_id}@example.com")).await
}

async fn create(
    service: &Service,
    account_id: AccountId,
    email: String,
) -> Result<Person, Trouble> {
    let profile = Profile {
        email: Email::parse(&email)?,
        email_verified: true,
        phone: None,
        phone_verified: false,
        second_factor: SecondFactor::Email,
        locale: Locale::default(),
        display_name: DisplayName::parse("Ada")?,
    };
    let intent = CreateAccount {
        call: call()?,
        repeatable: None,
        account_id,
        profile,
    };
    match service.store.create_account(intent).await? {
        AccountCreated::Created(_) => Ok(Person { account_id, email }),
        other => Err(format!("no account: {other:?}").into()),
    }
}

/// A call of nobody's.
pub(crate) fn call() -> Result<Call, Trouble> {
    Ok(Call {
        caller: CallerName::relatch(),
        correlation_id: CorrelationId::from_random(random::array(&SystemRandom)?),
        source_ip: None,
    })
}
