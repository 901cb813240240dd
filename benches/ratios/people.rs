//! People with accounts, and with links in their mail.

use crate::Trouble;
use crate::calls::PASSWORD;
use crate::server::Server;
use relatch::domain::account::{DisplayName, Locale, Profile, SecondFactor};
use relatch::domain::call::{Call, CallerName, CorrelationId};
use relatch::domain::email::Email;
use relatch::domain::id::{AccountId, MessageId, ResetId};
use relatch::domain::limit::{Bucket, Limit, LimitKey};
use relatch::domain::password::Password;
use relatch::domain::pseudonym::{Pseudonym, Subject};
use relatch::domain::token::{self, Link, LinkKind};
use relatch::random::{self, SystemRandom};
use relatch::service::Service;
use relatch::service::hasher::Class;
use relatch::store::{
    AccountCreated, CreateAccount, ProfileLink, RequestProfileLink, SetDemoPassword,
};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// So many links that work, each of an account of its own.
pub(crate) fn links(server: &Server, count: usize) -> Result<Vec<String>, Trouble> {
    let links = server.wait(async {
        let mut waiting = JoinSet::new();
        for _ in 0..count {
            waiting.spawn(link(Arc::clone(&server.service)));
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

/// The addresses of so many people who sign in with the [`PASSWORD`].
pub(crate) fn with_password(server: &Server, count: usize) -> Result<Vec<String>, Trouble> {
    server.wait(async {
        let service = &*server.service;
        let later = Instant::now() + Duration::from_mins(1);
        let salt = random::array(&SystemRandom)?;
        let password = Password::parse(PASSWORD)?;
        let password_hash = service
            .hasher
            .hash(Class::Confirm, later, password, salt)
            .await?;
        let mut emails = Vec::with_capacity(count);
        for _ in 0..count {
            let (account_id, email) = person(service).await?;
            let intent = SetDemoPassword {
                call: call()?,
                account_id,
                password_hash: password_hash.clone(),
            };
            service.store.set_demo_password(intent).await?;
            emails.push(email);
        }
        Ok(emails)
    })
}

async fn link(service: Arc<Service>) -> Result<String, Trouble> {
    let (account_id, _) = person(&service).await?;
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
    };
    match service.store.request_profile_link(intent).await? {
        ProfileLink::Queued(queued) => {
            let expires_at = queued.expires_at;
            let link = Link {
                reset_id,
                expires_at,
            };
            Ok(token::mint(&keyring, LinkKind::Reset, link)
                .expose()
                .to_owned())
        }
        other => Err(format!("no link: {other:?}").into()),
    }
}

async fn person(service: &Service) -> Result<(AccountId, String), Trouble> {
    let account_id = AccountId::from_bytes(random::array(&SystemRandom)?);
    let email = format!("{account_id}@example.com");
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
        AccountCreated::Created(_) => Ok((account_id, email)),
        other => Err(format!("no account: {other:?}").into()),
    }
}

fn call() -> Result<Call, Trouble> {
    Ok(Call {
        caller: CallerName::relatch(),
        correlation_id: CorrelationId::from_random(random::array(&SystemRandom)?),
        source_ip: None,
    })
}
