//! Using a link: the order of checks is the point.
//!
//! Size and MAC and expiry come first and touch nothing; then the source's limit and the reset's
//! state, in one transaction; then the policy, the second factor, the hash, and the commit. A password
//! that the policy refuses burns neither link nor code.

use super::Service;
use super::error::{LinkInvalid, ServiceError};
use super::inspect::personal_words;
use super::second_factor::Shown;
use crate::domain::call::Call;
use crate::domain::client::Client;
use crate::domain::code::CodeFor;
use crate::domain::idempotency::{Method, Repeatable};
use crate::domain::limit::{self, Bucket};
use crate::domain::password::Password;
use crate::domain::token::{self, Link, TokenRefused};
use crate::random;
use crate::service::hasher::Class;
use crate::store::{
    ConfirmReset, Confirmation, DeadLink, LiveReset, OpenReset, OpenedReset, RepeatedConfirm,
    ResetConfirmed, Whence,
};
use tokio::time::Instant;

/// The holder of a link chose a password. Its parts are secrets: it is not to be printed.
pub struct Confirm<'a> {
    /// The link's token.
    pub token: &'a str,
    /// The new password.
    pub new_password: Password,
    /// The code of the second factor; empty for none.
    pub second_factor_code: &'a str,
    /// Who chose it.
    pub client: Client,
    /// The caller's request id; empty for none.
    pub request_id: &'a str,
    /// When the caller stops waiting.
    pub deadline: Instant,
}

impl Service {
    /// Sets the password, once.
    pub async fn confirm(
        &self,
        call: Call,
        confirm: Confirm<'_>,
    ) -> Result<Confirmation, ServiceError> {
        let link = token::authenticate_choosing(&self.keyring.load(), confirm.token)?;
        let repeatable = self.repeatable_confirm(&call, link, confirm.request_id)?;
        // A repeated call is answered for a day, longer than its link lives; the store tells one from a
        // late first.
        if repeatable.is_none() && link.expires_at <= self.clock.now() {
            return Err(TokenRefused::Expired.into());
        }
        let opened = self
            .open_for_confirm(link, repeatable.clone(), &confirm.client)
            .await?;
        let live = match opened {
            Opened::Live(live) => live,
            Opened::Repeated(repeated) => return self.repeat(repeated, &confirm).await,
        };
        match self
            .use_link(call, link, live, repeatable.clone(), &confirm)
            .await
        {
            // The same call, sent twice at once: the other one may just have been answered.
            Err(ServiceError::LinkInvalid(LinkInvalid::Dead(DeadLink::Used)))
                if repeatable.is_some() =>
            {
                match self
                    .open_for_confirm(link, repeatable, &confirm.client)
                    .await?
                {
                    Opened::Repeated(repeated) => self.repeat(repeated, &confirm).await,
                    Opened::Live(_) => Err(DeadLink::Used.into()),
                }
            }
            used => used,
        }
    }

    async fn use_link(
        &self,
        call: Call,
        link: Link,
        live: LiveReset,
        repeatable: Option<Repeatable>,
        confirm: &Confirm<'_>,
    ) -> Result<Confirmation, ServiceError> {
        let words = personal_words(
            live.email.address(),
            live.phone.as_ref(),
            live.display_name.as_str(),
        );
        let password = &confirm.new_password;
        let judgement = self
            .judge(Class::Confirm, confirm.deadline, password.clone(), words)
            .await?;
        if !judgement.accepts() {
            return Err(ServiceError::PasswordRejected(judgement));
        }
        // Before a code is counted, which would be in vain if there were none.
        let place = self.hasher.place(Class::Confirm)?;
        let what_for = CodeFor::Reset(link.reset_id);
        let passage = match live.asked {
            None => None,
            Some(factor) if confirm.second_factor_code.is_empty() => {
                return Err(ServiceError::SecondFactorRequired(factor));
            }
            Some(_) => {
                let shown = Shown {
                    what_for,
                    code: confirm.second_factor_code,
                    client: &confirm.client,
                    limits: Vec::new(),
                };
                self.pass_factor(&call, shown).await?
            }
        };
        let (tried, passed) = passage
            .map(|passage| (passage.tried, passage.passed))
            .unzip();
        let salt = random::array(&*self.random)?;
        let password_hash = self
            .hasher
            .hash_at(place, confirm.deadline, password.clone(), salt)
            .await?;
        let intent = ConfirmReset {
            call: call.clone(),
            repeatable,
            reset_id: link.reset_id,
            credential_version: live.credential_version,
            passed,
            password_hash,
            notice_id: self.message_id()?,
            whence: Whence::of(&confirm.client),
        };
        match self.store.confirm_reset(intent).await? {
            ResetConfirmed::Confirmed(confirmation) => Ok(confirmation),
            ResetConfirmed::FactorAsked(factor) => Err(ServiceError::SecondFactorRequired(factor)),
            ResetConfirmed::Spent => Err(match tried {
                Some(tried) => {
                    self.refuse_factor(&call, what_for, tried, &confirm.client)
                        .await
                }
                None => ServiceError::SecondFactorWrong,
            }),
            ResetConfirmed::Dead(why) => Err(why.into()),
        }
    }

    /// Gives the first answer again to who knows the password that it set; to anybody else the link is
    /// used.
    async fn repeat(
        &self,
        repeated: RepeatedConfirm,
        confirm: &Confirm<'_>,
    ) -> Result<Confirmation, ServiceError> {
        let (password, deadline) = (confirm.new_password.clone(), confirm.deadline);
        let verdict = self
            .hasher
            .verify(Class::Confirm, deadline, password, repeated.hash_it_set)
            .await?;
        if verdict.matches {
            Ok(repeated.confirmation)
        } else {
            Err(DeadLink::Used.into())
        }
    }

    async fn open_for_confirm(
        &self,
        link: Link,
        repeatable: Option<Repeatable>,
        client: &Client,
    ) -> Result<Opened, ServiceError> {
        let rate = self.rules.rates.confirm_source;
        let limits = limit::for_source(
            &self.keyring.load(),
            Bucket::ConfirmSource,
            rate,
            client.source(),
        );
        match self
            .store
            .open_reset(OpenReset {
                link,
                limits,
                repeatable,
            })
            .await?
        {
            OpenedReset::Live(live) => Ok(Opened::Live(live)),
            OpenedReset::Repeated(repeated) => Ok(Opened::Repeated(repeated)),
            OpenedReset::Dead(why) => Err(why.into()),
            OpenedReset::RequestIdReused => Err(ServiceError::RequestIdReused),
            OpenedReset::SourceLimited(limited) => {
                Err(ServiceError::limited(Bucket::ConfirmSource, limited))
            }
        }
    }

    /// The reset is the only field of a confirm that is not secret.
    fn repeatable_confirm(
        &self,
        call: &Call,
        link: Link,
        request_id: &str,
    ) -> Result<Option<Repeatable>, ServiceError> {
        let fields: [&[u8]; 1] = [link.reset_id.as_bytes()];
        let keyring = self.keyring.load();
        Ok(Repeatable::new(
            &keyring,
            &call.caller,
            Method::ConfirmReset,
            request_id,
            &fields,
        )?)
    }
}

enum Opened {
    Live(LiveReset),
    Repeated(RepeatedConfirm),
}
