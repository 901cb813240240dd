//! Looking at a link, judging a password for it, and calling it off.

use super::Service;
use super::error::ServiceError;
use crate::domain::account::Account;
use crate::domain::call::Call;
use crate::domain::client::Client;
use crate::domain::code::CodeFor;
use crate::domain::id::AccountId;
use crate::domain::limit::{self, Bucket, Limit};
use crate::domain::password::{Judgement, Password, PasswordUnreadable, PersonalWords};
use crate::domain::phone::Phone;
use crate::domain::token::{self, Link, LinkKind};
use crate::service::hasher::Class;
use crate::store::{
    CancelResets, LiveReset, OpenAccount, OpenReset, OpenedAccount, OpenedReset, ResetsCancelled,
    SentCode,
};
use std::sync::Arc;
use tokio::time::Instant;

/// Whose password is judged.
#[derive(Debug)]
pub enum Subject<'a> {
    /// The account of a reset link.
    Token(&'a str),
    /// An account that the caller names.
    Account(AccountId),
}

impl Service {
    /// What the holder of a working link is told about it.
    pub async fn inspect(&self, token: &str, client: &Client) -> Result<LiveReset, ServiceError> {
        let link = self.choosing(token)?;
        self.open(link, self.check_limits(client)).await
    }

    /// Sends the code that using a link asks for; `None` if there is none to send.
    pub async fn send_reset_code(
        &self,
        call: Call,
        token: &str,
        client: &Client,
    ) -> Result<Option<SentCode>, ServiceError> {
        let link = self.choosing(token)?;
        self.send_code(call, CodeFor::Reset(link.reset_id), client)
            .await
    }

    /// Everything that the policy has to say about a password.
    pub async fn check_password(
        &self,
        subject: Subject<'_>,
        password: Result<Password, PasswordUnreadable>,
        client: &Client,
        deadline: Instant,
    ) -> Result<Judgement, ServiceError> {
        let words = match subject {
            Subject::Token(token) => {
                let live = self.inspect(token, client).await?;
                personal_words(
                    live.email.address(),
                    live.phone.as_ref(),
                    live.display_name.as_str(),
                )
            }
            Subject::Account(account_id) => {
                account_words(&self.open_account(account_id, client).await?)
            }
        };
        match password {
            Ok(password) => self.judge(Class::Policy, deadline, password, words).await,
            Err(why) => Ok(self.rules.policy.judge_unreadable(why)),
        }
    }

    async fn open_account(
        &self,
        account_id: AccountId,
        client: &Client,
    ) -> Result<Account, ServiceError> {
        let limits = self.check_limits(client);
        let intent = OpenAccount { account_id, limits };
        match self.store.open_account(intent).await? {
            OpenedAccount::Found(account) => Ok(account),
            OpenedAccount::NoAccount => Err(ServiceError::NoAccount),
            OpenedAccount::SourceLimited(limited) => {
                Err(ServiceError::limited(Bucket::CheckSource, limited))
            }
        }
    }

    /// Kills every live link of the account that a cancel link belongs to. Pressing it again is fine.
    pub async fn cancel(
        &self,
        call: Call,
        cancel_token: &str,
        client: &Client,
    ) -> Result<(), ServiceError> {
        let now = self.clock.now();
        let link = token::verify(&self.keyring.load(), LinkKind::Cancel, cancel_token, now)?;
        let intent = CancelResets {
            call,
            link,
            limits: self.check_limits(client),
        };
        match self.store.cancel_resets(intent).await? {
            ResetsCancelled::Cancelled(_) => Ok(()),
            ResetsCancelled::Unknown => Err(crate::store::DeadLink::Unknown.into()),
            ResetsCancelled::SourceLimited(limited) => {
                Err(ServiceError::limited(Bucket::CheckSource, limited))
            }
        }
    }

    /// The link of a token that lets its holder choose a password, if MAC and expiry hold; neither store nor
    /// limiter hears of any other.
    pub(super) fn choosing(&self, token: &str) -> Result<Link, ServiceError> {
        let link = token::authenticate_choosing(&self.keyring.load(), token)?;
        Ok(link.unless_over(self.clock.now())?)
    }

    pub(super) async fn judge(
        &self,
        class: Class,
        deadline: Instant,
        password: Password,
        words: PersonalWords,
    ) -> Result<Judgement, ServiceError> {
        let rules = (Arc::clone(&self.rules.policy), self.breaches.clone());
        Ok(self
            .hasher
            .judge(class, deadline, rules, password, words)
            .await?)
    }

    async fn open(&self, link: Link, limits: Vec<Limit>) -> Result<LiveReset, ServiceError> {
        match self
            .store
            .open_reset(OpenReset {
                link,
                limits,
                repeatable: None,
            })
            .await?
        {
            OpenedReset::Live(live) => Ok(live),
            OpenedReset::Dead(why) => Err(why.into()),
            OpenedReset::SourceLimited(limited) => {
                Err(ServiceError::limited(Bucket::CheckSource, limited))
            }
            // Only a repeatable call is ever a repetition.
            OpenedReset::Repeated(_) | OpenedReset::RequestIdReused => {
                Err(ServiceError::RequestIdReused)
            }
        }
    }

    fn check_limits(&self, client: &Client) -> Vec<Limit> {
        limit::for_source(
            &self.keyring.load(),
            Bucket::CheckSource,
            self.rules.rates.check_source,
            client.source(),
        )
    }
}

/// The words that may not make up the password of the holder of a link.
pub(super) fn personal_words(
    email: &str,
    phone: Option<&Phone>,
    display_name: &str,
) -> PersonalWords {
    let words = PersonalWords::default()
        .with_text(email)
        .with_text(display_name);
    match phone {
        Some(phone) => words.with_phone(phone.as_str()),
        None => words,
    }
}

/// The words that may not make up the password of this account.
pub(super) fn account_words(account: &Account) -> PersonalWords {
    let profile = &account.profile;
    personal_words(
        profile.email.address(),
        profile.phone.as_ref(),
        profile.display_name.as_str(),
    )
}
