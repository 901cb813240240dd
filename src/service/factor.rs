//! What a signed-in person does to their second factor. Every change needs a proof of the present one.

use super::Service;
use super::error::ServiceError;
use crate::domain::account::SecondFactor;
use crate::domain::call::Call;
use crate::domain::id::AccountId;
use crate::domain::proof;
use crate::domain::recovery_code::{CODES, RecoveryCode, RecoveryCodeDigest};
use crate::domain::seal::{self, Sealed, SealedFor, UnsealRefused};
use crate::domain::totp::{self, Secret, Step};
use crate::random::{self, NoEntropy};
use crate::store::{
    App, BeginEnrolment, EnrolmentBegun, EnrolmentFinished, EnrolmentTried, FinishEnrolment,
    ProofFails, RecoveryCodesRenewed, RenewRecoveryCodes, SecondFactorSet, SetSecondFactor,
    ShownProof, TryEnrolment,
};
use std::time::Duration;
use zeroize::Zeroizing;

/// How long the first code of an app that is being enrolled is waited for.
pub const ENROLMENT_LIFETIME: Duration = Duration::from_mins(10);

/// What an app is enrolled with; shown once.
#[derive(Debug)]
pub struct NewApp {
    /// What it shares with the account.
    pub secret: Secret,
    /// The same for its camera.
    pub uri: Zeroizing<String>,
}

impl Service {
    /// Begins to enrol an authenticator app.
    pub async fn begin_totp_enrolment(
        &self,
        call: Call,
        account_id: AccountId,
        proof: &str,
    ) -> Result<NewApp, ServiceError> {
        let proof = self.shown_proof(account_id, proof)?;
        let secret = Secret::from_bytes(random::array(&*self.random)?);
        let intent = BeginEnrolment {
            call,
            proof,
            sealed_secret: self.sealed(account_id, &secret)?,
            lifetime: ENROLMENT_LIFETIME,
        };
        match self.store.begin_enrolment(intent).await? {
            EnrolmentBegun::Begun(email) => Ok(NewApp {
                uri: secret.uri(&self.rules.product_name, email.address()),
                secret,
            }),
            EnrolmentBegun::Refused(why) => Err(why.into()),
        }
    }

    /// Ends the enrolment with the app's first code; gives the recovery codes that come with it.
    pub async fn finish_totp_enrolment(
        &self,
        call: Call,
        account_id: AccountId,
        code: &str,
    ) -> Result<Vec<RecoveryCode>, ServiceError> {
        let tried = self
            .store
            .try_enrolment(TryEnrolment {
                call: call.clone(),
                account_id,
            })
            .await?;
        let (sealed_secret, credential_version) = match tried {
            EnrolmentTried::Compare {
                sealed_secret,
                credential_version,
            } => (sealed_secret, credential_version),
            EnrolmentTried::Gone => return Err(ServiceError::ChallengeInvalid),
            EnrolmentTried::NoAccount => return Err(ServiceError::NoAccount),
        };
        let secret = match self.unsealed(account_id, &sealed_secret) {
            // The key was revoked meanwhile: what was begun under it is begun anew.
            Err(UnsealRefused::UnknownKey(_)) => return Err(ServiceError::ChallengeInvalid),
            unsealed => unsealed?,
        };
        let last_step = totp::matching_step(&secret, code, self.clock.now(), Step::BEFORE_ANY)
            .ok_or(ServiceError::SecondFactorWrong)?;
        let (codes, recovery_codes) = self.recovery_codes()?;
        let intent = FinishEnrolment {
            call,
            account_id,
            credential_version,
            app: App {
                sealed_secret,
                last_step,
            },
            recovery_codes,
            notice_id: self.message_id()?,
        };
        match self.store.finish_enrolment(intent).await? {
            EnrolmentFinished::Finished => Ok(codes),
            EnrolmentFinished::Gone => Err(ServiceError::ChallengeInvalid),
        }
    }

    /// Chooses the second factor.
    pub async fn set_second_factor(
        &self,
        call: Call,
        account_id: AccountId,
        proof: &str,
        second_factor: SecondFactor,
    ) -> Result<(), ServiceError> {
        let intent = SetSecondFactor {
            call,
            proof: self.shown_proof(account_id, proof)?,
            second_factor,
            notice_id: self.message_id()?,
        };
        match self.store.set_second_factor(intent).await? {
            SecondFactorSet::Set => Ok(()),
            SecondFactorSet::NoVerifiedPhone => Err(ServiceError::NoVerifiedPhone),
            SecondFactorSet::ChannelMissing(channel) => Err(ServiceError::ChannelMissing(channel)),
            SecondFactorSet::NoApp => Err(ServiceError::NoApp),
            SecondFactorSet::Refused(why) => Err(why.into()),
        }
    }

    /// Issues new recovery codes in the place of the old ones.
    pub async fn renew_recovery_codes(
        &self,
        call: Call,
        account_id: AccountId,
        proof: &str,
    ) -> Result<Vec<RecoveryCode>, ServiceError> {
        let proof = self.shown_proof(account_id, proof)?;
        let (codes, recovery_codes) = self.recovery_codes()?;
        let intent = RenewRecoveryCodes {
            call,
            proof,
            recovery_codes,
            notice_id: self.message_id()?,
        };
        match self.store.renew_recovery_codes(intent).await? {
            RecoveryCodesRenewed::Renewed => Ok(codes),
            RecoveryCodesRenewed::NoUse => Err(ServiceError::NoUseForRecoveryCodes),
            RecoveryCodesRenewed::Refused(why) => Err(why.into()),
        }
    }

    /// What a proof says, if it is one of this account and its time is not over. One without a factor stands for
    /// that of an account that is asked for none.
    pub(super) fn shown_proof(
        &self,
        account_id: AccountId,
        text: &str,
    ) -> Result<ShownProof, ServiceError> {
        let proof = proof::verify(&self.keyring.load(), text, self.clock.now())
            .map_err(|_| ServiceError::ProofInvalid)?;
        let unasked = (!self.rules.email_code).then_some(SecondFactor::Email);
        match proof.factor.or(unasked) {
            Some(second_factor) if proof.account_id == account_id => Ok(ShownProof {
                account_id,
                credential_version: proof.credential_version,
                second_factor,
            }),
            _ => Err(ServiceError::ProofInvalid),
        }
    }

    /// The secret as it may be stored.
    pub(crate) fn sealed(
        &self,
        account_id: AccountId,
        secret: &Secret,
    ) -> Result<Sealed, NoEntropy> {
        let (keyring, nonce) = (self.keyring.load(), random::array(&*self.random)?);
        let whose = SealedFor::Totp(account_id);
        Ok(seal::seal(&keyring, whose, secret.expose(), nonce))
    }

    /// The secret that was stored.
    pub(crate) fn unsealed(
        &self,
        account_id: AccountId,
        sealed: &Sealed,
    ) -> Result<Secret, UnsealRefused> {
        let whose = SealedFor::Totp(account_id);
        let secret = seal::unseal(&self.keyring.load(), whose, sealed)?;
        Secret::from_slice(&secret).ok_or(UnsealRefused::Malformed)
    }

    /// New recovery codes, and what is stored of them.
    fn recovery_codes(&self) -> Result<(Vec<RecoveryCode>, Vec<RecoveryCodeDigest>), NoEntropy> {
        let codes = (0..CODES)
            .map(|_| random::array(&*self.random).map(RecoveryCode::from_bytes))
            .collect::<Result<Vec<_>, _>>()?;
        let digests = codes.iter().map(RecoveryCode::digest).collect();
        Ok((codes, digests))
    }
}

impl From<ProofFails> for ServiceError {
    fn from(why: ProofFails) -> Self {
        match why {
            ProofFails::NoAccount => Self::NoAccount,
            ProofFails::Void => Self::ProofInvalid,
        }
    }
}
