//! Signing in with a password.

use super::Service;
use super::error::ServiceError;
use crate::domain::account::{CredentialVersion, SecondFactor};
use crate::domain::call::Call;
use crate::domain::client::Client;
use crate::domain::email::Email;
use crate::domain::id::{AccountId, MessageId};
use crate::domain::keyring::Keyring;
use crate::domain::limit::{self, Bucket};
use crate::domain::password::Password;
use crate::domain::proof::{self, PROOF_LIFETIME, Proof, ProofText};
use crate::domain::pseudonym::{Pseudonym, Subject};
use crate::random::{self, NoEntropy};
use crate::service::hasher::Class;
use crate::store::{
    BeginSignIn, FinishSignIn, PasswordTry, Rehash, SignInAccount, SignInBegun, SignInFinished,
    SignInVerdict, Whence,
};
use tokio::time::Instant;

/// Somebody shows an address and a password.
#[derive(Debug)]
pub struct SignIn {
    /// The typed address.
    pub email: Email,
    /// The typed password.
    pub password: Password,
    /// Who typed them.
    pub client: Client,
    /// When the caller stops waiting.
    pub deadline: Instant,
}

/// Somebody signed in.
#[derive(Debug)]
pub struct SignedIn {
    /// Who.
    pub account_id: AccountId,
    /// Their credentials now.
    pub credential_version: CredentialVersion,
    /// A signed statement of it.
    pub proof: ProofText,
}

impl Service {
    /// Checks a password. Whoever may not sign in costs the same: one transaction, one hash, one event.
    pub async fn sign_in(&self, call: Call, sign_in: SignIn) -> Result<SignedIn, ServiceError> {
        let SignIn {
            email,
            password,
            client,
            deadline,
        } = sign_in;
        let keyring = self.keyring.load_full();
        let rate = self.rules.rates.sign_in_source;
        let limits = limit::for_source(&keyring, Bucket::SignInSource, rate, client.source());
        let attempt = self.password_try(&keyring, &client)?;
        let (account, not_tried) = match self
            .store
            .begin_sign_in(BeginSignIn {
                email: email.key().clone(),
                limits,
                source: attempt.source,
            })
            .await?
        {
            SignInBegun::Check(account) => (account, None),
            SignInBegun::NotTried(account_id, why) => (None, Some((account_id, why))),
            SignInBegun::SourceLimited(limited) => {
                return Err(ServiceError::limited(Bucket::SignInSource, limited));
            }
        };
        let hash = account
            .as_ref()
            .map(|account| account.password_hash.clone());
        let verdict = self
            .hasher
            .verify(Class::SignIn, deadline, password.clone(), hash)
            .await?;
        let right = account.as_ref().filter(|_| verdict.matches);
        if let Some(account) = right
            && account.second_factor != SecondFactor::Email
        {
            return Err(ServiceError::FactorMissing(account.second_factor));
        }
        let verdict = match right {
            Some(account) => SignInVerdict::Right {
                account_id: account.account_id,
                credential_version: account.credential_version,
                rehash: if verdict.outdated {
                    self.rehash(account, password, deadline).await
                } else {
                    None
                },
            },
            None => match not_tried {
                Some((account_id, why)) => SignInVerdict::NotTried(account_id, why),
                None => SignInVerdict::Wrong {
                    account_id: account.as_ref().map(|account| account.account_id),
                },
            },
        };
        let identifier = Pseudonym::of(
            &keyring,
            Subject::Identifier,
            email.key().as_str().as_bytes(),
        );
        let finished = self
            .store
            .finish_sign_in(FinishSignIn {
                call,
                identifier,
                verdict,
                attempt,
            })
            .await?;
        let (SignInFinished::SignedIn, Some(account)) = (finished, right) else {
            return Err(ServiceError::CredentialsWrong);
        };
        let proof = Proof {
            account_id: account.account_id,
            credential_version: account.credential_version,
            factor: None,
            expires_at: self.clock.now().plus(PROOF_LIFETIME),
        };
        Ok(SignedIn {
            account_id: account.account_id,
            credential_version: account.credential_version,
            proof: proof::sign(&keyring, &proof),
        })
    }

    /// A password that this person tries.
    pub(super) fn password_try(
        &self,
        keyring: &Keyring,
        client: &Client,
    ) -> Result<PasswordTry, NoEntropy> {
        Ok(PasswordTry {
            source: Pseudonym::of(keyring, Subject::Source, client.source().narrow()),
            notice_id: MessageId::at(self.clock.now(), random::array(&*self.random)?),
            whence: Whence::of(client),
        })
    }

    /// A hash with today's parameters for a password that was right under outdated ones. Where there is
    /// no room for it now, the next sign-in makes it.
    async fn rehash(
        &self,
        account: &SignInAccount,
        password: Password,
        deadline: Instant,
    ) -> Option<Rehash> {
        let salt = random::array(&*self.random).ok()?;
        let hashed = self
            .hasher
            .hash(Class::SignIn, deadline, password, salt)
            .await;
        let to = hashed
            .inspect_err(|error| tracing::warn!(%error, "an outdated hash stays for now"))
            .ok()?;
        Some(Rehash {
            from: account.password_hash.clone(),
            to,
        })
    }
}
