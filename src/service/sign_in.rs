//! Signing in: the password, and then the second factor.

use super::Service;
use super::error::ServiceError;
use super::second_factor::{Passage, Shown, over};
use crate::domain::account::{CredentialVersion, SecondFactor};
use crate::domain::call::Call;
use crate::domain::challenge::{self, Challenge, ChallengeText};
use crate::domain::client::Client;
use crate::domain::code::CodeFor;
use crate::domain::email::Email;
use crate::domain::id::{AccountId, ChallengeId};
use crate::domain::keyring::Keyring;
use crate::domain::limit::{self, Bucket, Limit};
use crate::domain::password::Password;
use crate::domain::proof::{self, PROOF_LIFETIME, Proof, ProofText};
use crate::domain::pseudonym::{Pseudonym, Subject};
use crate::random::{self, NoEntropy};
use crate::service::hasher::Class;
use crate::store::{
    AskFactor, BeginSignIn, ChallengeFinished, FinishChallenge, FinishSignIn, PasswordTry,
    PendingSignIn, Rehash, SentCode, SignInAccount, SignInBegun, SignInFinished, SignInVerdict,
    Whence,
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

/// What a right password leads to.
#[derive(Debug)]
pub enum FirstStep {
    /// Nothing more is asked for.
    SignedIn(SignedIn),
    /// The second factor is due.
    Pending {
        /// Names the sign-in.
        challenge: ChallengeText,
        /// What is due.
        pending: PendingSignIn,
    },
}

/// Somebody shows the code that a pending sign-in asks for. Its parts are secrets: it is not to be printed.
pub struct SecondStep<'a> {
    /// The challenge's text.
    pub challenge: &'a str,
    /// The code, as typed.
    pub code: &'a str,
    /// Who typed it.
    pub client: Client,
}

impl Service {
    /// Checks a password. Whoever may not sign in costs the same: one transaction, one hash, one event.
    pub async fn sign_in(&self, call: Call, sign_in: SignIn) -> Result<FirstStep, ServiceError> {
        let SignIn {
            email,
            password,
            client,
            deadline,
        } = sign_in;
        let keyring = self.keyring.load_full();
        let limits = self.sign_in_limits(&client);
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
        let challenge_id = ChallengeId::from_bytes(random::array(&*self.random)?);
        let ask = AskFactor {
            challenge_id,
            email_code: self.rules.email_code,
            code: self.code_order(self.rate_of_other_codes(), &client)?,
        };
        let finished = self
            .store
            .finish_sign_in(FinishSignIn {
                call,
                identifier,
                verdict,
                attempt,
                ask,
            })
            .await?;
        match (finished, right) {
            (SignInFinished::SignedIn, Some(account)) => Ok(FirstStep::SignedIn(self.signed_in(
                account.account_id,
                account.credential_version,
                None,
            ))),
            (SignInFinished::Pending(pending), Some(_)) => {
                let challenge = Challenge {
                    challenge_id,
                    expires_at: pending.expires_at,
                };
                Ok(FirstStep::Pending {
                    challenge: challenge::sign(&keyring, challenge),
                    pending,
                })
            }
            (SignInFinished::Refused, _) | (_, None) => Err(ServiceError::CredentialsWrong),
        }
    }

    /// Sends the code of a pending sign-in again; `None` if there is none to send.
    pub async fn send_sign_in_code(
        &self,
        call: Call,
        challenge: &str,
        client: &Client,
    ) -> Result<Option<SentCode>, ServiceError> {
        let what_for = CodeFor::SignIn(self.challenge_id(challenge)?);
        self.send_code(call, what_for, client).await
    }

    /// Finishes a pending sign-in.
    pub async fn pass_second_step(
        &self,
        call: Call,
        step: SecondStep<'_>,
    ) -> Result<SignedIn, ServiceError> {
        let challenge_id = self.challenge_id(step.challenge)?;
        let what_for = CodeFor::SignIn(challenge_id);
        let shown = Shown {
            what_for,
            code: step.code,
            client: &step.client,
            limits: self.sign_in_limits(&step.client),
        };
        let Some(Passage { tried, passed }) = self.pass_factor(&call, shown).await? else {
            return Err(ServiceError::ChallengeInvalid);
        };
        let intent = FinishChallenge {
            call: call.clone(),
            challenge_id,
            credential_version: tried.credential_version,
            passed,
        };
        match self.store.finish_challenge(intent).await? {
            ChallengeFinished::SignedIn => Ok(self.signed_in(
                tried.account_id,
                tried.credential_version,
                Some(tried.second_factor),
            )),
            ChallengeFinished::Spent => Err(self
                .refuse_factor(&call, what_for, tried, &step.client)
                .await),
            ChallengeFinished::Dead(why) => Err(over(what_for, why)),
        }
    }

    /// The sign-in of a challenge whose MAC and expiry hold; neither store nor limiter hears of any other.
    fn challenge_id(&self, text: &str) -> Result<ChallengeId, ServiceError> {
        challenge::verify(&self.keyring.load(), text, self.clock.now())
            .map(|challenge| challenge.challenge_id)
            .map_err(|_| ServiceError::ChallengeInvalid)
    }

    fn signed_in(
        &self,
        account_id: AccountId,
        credential_version: CredentialVersion,
        factor: Option<SecondFactor>,
    ) -> SignedIn {
        let proof = Proof {
            account_id,
            credential_version,
            factor,
            expires_at: self.clock.now().plus(PROOF_LIFETIME),
        };
        SignedIn {
            account_id,
            credential_version,
            proof: proof::sign(&self.keyring.load(), &proof),
        }
    }

    fn sign_in_limits(&self, client: &Client) -> Vec<Limit> {
        limit::for_source(
            &self.keyring.load(),
            Bucket::SignInSource,
            self.rules.rates.sign_in_source,
            client.source(),
        )
    }

    /// A password that this person tries.
    pub(super) fn password_try(
        &self,
        keyring: &Keyring,
        client: &Client,
    ) -> Result<PasswordTry, NoEntropy> {
        Ok(PasswordTry {
            source: Pseudonym::of(keyring, Subject::Source, client.source().narrow()),
            notice_id: self.message_id()?,
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
