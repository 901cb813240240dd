//! Changing a password that is known: the order of checks is that of a confirm.
//!
//! Size first; then the source's limit; then the present password, whose wrong tries count as those of a
//! sign-in; then the policy, the hash, and the commit. A second factor is not asked for: the calling service
//! has signed the person in.

use super::Service;
use super::error::ServiceError;
use super::inspect::account_words;
use crate::domain::call::Call;
use crate::domain::client::Client;
use crate::domain::id::AccountId;
use crate::domain::idempotency::{Method, Repeatable};
use crate::domain::limit::{self, Bucket};
use crate::domain::password::Password;
use crate::random;
use crate::service::hasher::Class;
use crate::store::{
    ChangePassword, ChangingAccount, CheckPresent, Confirmation, OpenChange, OpenedChange,
    PasswordChanged, PasswordTry, PresentChecked, PresentVerdict,
};
use tokio::time::Instant;

/// A signed-in person chose a new password.
#[derive(Debug)]
pub struct Change<'a> {
    /// Whose.
    pub account_id: AccountId,
    /// The present password, as typed.
    pub current_password: Password,
    /// The new password.
    pub new_password: Password,
    /// Who typed them.
    pub client: Client,
    /// The caller's request id; empty for none.
    pub request_id: &'a str,
    /// When the caller stops waiting.
    pub deadline: Instant,
}

impl Service {
    /// Replaces the password of somebody who knows the present one.
    pub async fn change_password(
        &self,
        call: Call,
        change: Change<'_>,
    ) -> Result<Confirmation, ServiceError> {
        let repeatable = self.repeatable_change(&call, &change)?;
        let attempt = self.password_try(&self.keyring.load(), &change.client)?;
        match self
            .open_change(&change, &attempt, repeatable.clone())
            .await?
        {
            Opened::Present(present) => {
                self.replace(call, present, attempt, repeatable, change)
                    .await
            }
            Opened::Repeated(present, confirmation) => {
                self.repeat_change(call, present, confirmation, attempt, change)
                    .await
            }
        }
    }

    async fn replace(
        &self,
        call: Call,
        present: ChangingAccount,
        attempt: PasswordTry,
        repeatable: Option<Repeatable>,
        change: Change<'_>,
    ) -> Result<Confirmation, ServiceError> {
        let shown = change.current_password.clone();
        if !self
            .check_present(&call, &present, &attempt, shown, change.deadline)
            .await?
        {
            return self.overtaken(call, attempt, repeatable, change).await;
        }
        let (password, deadline) = (change.new_password.clone(), change.deadline);
        let words = account_words(&present.account);
        let judgement = self
            .judge(Class::Confirm, deadline, password.clone(), words)
            .await?;
        if !judgement.accepts() {
            return Err(ServiceError::PasswordRejected(judgement));
        }
        let salt = random::array(&*self.random)?;
        let to = self
            .hasher
            .hash(Class::Confirm, deadline, password, salt)
            .await?;
        let intent = ChangePassword {
            call: call.clone(),
            repeatable: repeatable.clone(),
            account_id: change.account_id,
            credential_version: present.account.credential_version,
            to,
            attempt: attempt.clone(),
        };
        match self.store.change_password(intent).await? {
            PasswordChanged::Changed(confirmation) => Ok(confirmation),
            PasswordChanged::Moved => self.overtaken(call, attempt, repeatable, change).await,
        }
    }

    /// The credentials moved under this call: perhaps by the same call, sent twice at once, whose other one has
    /// just been answered.
    async fn overtaken(
        &self,
        call: Call,
        attempt: PasswordTry,
        repeatable: Option<Repeatable>,
        change: Change<'_>,
    ) -> Result<Confirmation, ServiceError> {
        if repeatable.is_some()
            && let Opened::Repeated(present, confirmation) =
                self.open_change(&change, &attempt, repeatable).await?
        {
            return self
                .repeat_change(call, present, confirmation, attempt, change)
                .await;
        }
        Err(ServiceError::CredentialsWrong)
    }

    /// Gives the first answer again to who knows the password that it set. Anybody else has typed a wrong
    /// password.
    async fn repeat_change(
        &self,
        call: Call,
        present: ChangingAccount,
        confirmation: Confirmation,
        attempt: PasswordTry,
        change: Change<'_>,
    ) -> Result<Confirmation, ServiceError> {
        let (shown, deadline) = (change.new_password, change.deadline);
        let is_right = self
            .check_present(&call, &present, &attempt, shown, deadline)
            .await?;
        is_right
            .then_some(confirmation)
            .ok_or(ServiceError::CredentialsWrong)
    }

    /// Counts the shown password unless it is right; `false` if it was, and the credentials moved meanwhile.
    async fn check_present(
        &self,
        call: &Call,
        present: &ChangingAccount,
        attempt: &PasswordTry,
        shown: Password,
        deadline: Instant,
    ) -> Result<bool, ServiceError> {
        let against = present.against.clone();
        let matches = self
            .hasher
            .verify(Class::SignIn, deadline, shown, against.clone().ok())
            .await?
            .matches;
        let verdict = match &against {
            Err(why) => PresentVerdict::NotTried(*why),
            Ok(_) if matches => PresentVerdict::Right,
            Ok(_) => PresentVerdict::Wrong,
        };
        let checked = self
            .store
            .check_present(CheckPresent {
                call: call.clone(),
                account_id: present.account.account_id,
                credential_version: present.account.credential_version,
                verdict,
                attempt: attempt.clone(),
            })
            .await?;
        match checked {
            PresentChecked::Stands => Ok(true),
            PresentChecked::Moved => Ok(false),
            PresentChecked::Refused => Err(ServiceError::CredentialsWrong),
        }
    }

    async fn open_change(
        &self,
        change: &Change<'_>,
        attempt: &PasswordTry,
        repeatable: Option<Repeatable>,
    ) -> Result<Opened, ServiceError> {
        let bucket = Bucket::ConfirmSource;
        let (rate, source) = (self.rules.rates.confirm_source, change.client.source());
        let limits = limit::for_source(&self.keyring.load(), bucket, rate, source);
        match self
            .store
            .open_change(OpenChange {
                account_id: change.account_id,
                limits,
                source: attempt.source,
                repeatable,
            })
            .await?
        {
            OpenedChange::Present(present) => Ok(Opened::Present(present)),
            OpenedChange::Repeated(present, answer) => Ok(Opened::Repeated(present, answer)),
            OpenedChange::RequestIdReused => Err(ServiceError::RequestIdReused),
            OpenedChange::NoAccount => Err(ServiceError::NoAccount),
            OpenedChange::SourceLimited(limited) => Err(ServiceError::limited(bucket, limited)),
        }
    }

    /// The account is the only field of a change that is not secret.
    fn repeatable_change(
        &self,
        call: &Call,
        change: &Change<'_>,
    ) -> Result<Option<Repeatable>, ServiceError> {
        let fields: [&[u8]; 1] = [change.account_id.as_bytes()];
        Ok(Repeatable::new(
            &self.keyring.load(),
            &call.caller,
            Method::ChangePassword,
            change.request_id,
            &fields,
        )?)
    }
}

enum Opened {
    Present(ChangingAccount),
    Repeated(ChangingAccount, Confirmation),
}
