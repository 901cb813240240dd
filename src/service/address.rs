//! What a signed-in person does to prove an address.

use super::Service;
use super::error::ServiceError;
use crate::domain::call::Call;
use crate::domain::code::{self, CODE_LIFETIME, Code};
use crate::domain::id::AccountId;
use crate::domain::limit::Bucket;
use crate::domain::message::ChannelKind;
use crate::domain::new_address::NewAddress;
use crate::domain::seal::{self, Sealed, SealedFor, UnsealRefused};
use crate::random::{self, NoEntropy};
use crate::store::{
    AddressNotices, BeginVerification, FinishVerification, TryVerification, VerificationBegun,
    VerificationFinished, VerificationTried,
};

impl Service {
    /// Sends a code to an address that is to become the account's.
    pub async fn begin_address_verification(
        &self,
        call: Call,
        account_id: AccountId,
        proof: &str,
        address: &NewAddress,
    ) -> Result<(), ServiceError> {
        let intent = BeginVerification {
            call,
            proof: self.shown_proof(account_id, proof)?,
            to: address.destination(),
            sealed_address: self.sealed_address(account_id, address)?,
            message_id: self.message_id()?,
            rate: self.rate_of_other_codes(),
            lifetime: CODE_LIFETIME,
        };
        match self.store.begin_verification(intent).await? {
            VerificationBegun::Begun => Ok(()),
            VerificationBegun::Limited(limited) => {
                Err(ServiceError::limited(Bucket::Codes, limited))
            }
            VerificationBegun::ChannelMissing(channel) => {
                Err(ServiceError::ChannelMissing(channel))
            }
            VerificationBegun::Refused(why) => Err(why.into()),
        }
    }

    /// Makes the address the account's, by the code that was sent there.
    pub async fn finish_address_verification(
        &self,
        call: Call,
        account_id: AccountId,
        code: &str,
    ) -> Result<(), ServiceError> {
        let tried = self
            .store
            .try_verification(TryVerification {
                call: call.clone(),
                account_id,
            })
            .await?;
        let (message_id, channel, sealed_address, credential_version) = match tried {
            VerificationTried::Compare {
                message_id,
                channel,
                sealed_address,
                credential_version,
            } => (message_id, channel, sealed_address, credential_version),
            VerificationTried::Gone => return Err(ServiceError::ChallengeInvalid),
            VerificationTried::NoAccount => return Err(ServiceError::NoAccount),
        };
        let right = Code::parse(code).is_some_and(|typed| {
            code::matches_for_address(&self.keyring.load(), message_id, &typed)
        });
        if !right {
            return Err(ServiceError::SecondFactorWrong);
        }
        let intent = FinishVerification {
            call,
            account_id,
            credential_version,
            message_id,
            address: self.unsealed_address(account_id, channel, &sealed_address)?,
            notices: self.address_notices()?,
        };
        match self.store.finish_verification(intent).await? {
            VerificationFinished::Finished => Ok(()),
            VerificationFinished::EmailTaken => Err(ServiceError::EmailTaken),
            VerificationFinished::Gone => Err(ServiceError::ChallengeInvalid),
        }
    }

    /// Names for the notices of another address.
    pub(super) fn address_notices(&self) -> Result<AddressNotices, NoEntropy> {
        Ok(AddressNotices {
            present: self.message_id()?,
            former: self.message_id()?,
        })
    }

    /// The address as it may be stored.
    fn sealed_address(
        &self,
        account_id: AccountId,
        address: &NewAddress,
    ) -> Result<Sealed, NoEntropy> {
        let (keyring, nonce) = (self.keyring.load(), random::array(&*self.random)?);
        let whose = SealedFor::Address(account_id);
        let address = address.address().as_bytes();
        Ok(seal::seal(&keyring, whose, address, nonce))
    }

    /// The address that was stored.
    fn unsealed_address(
        &self,
        account_id: AccountId,
        channel: ChannelKind,
        sealed: &Sealed,
    ) -> Result<NewAddress, UnsealRefused> {
        let whose = SealedFor::Address(account_id);
        let address = seal::unseal(&self.keyring.load(), whose, sealed)?;
        let address = std::str::from_utf8(&address).ok();
        address
            .and_then(|address| NewAddress::parse(channel, address))
            .ok_or(UnsealRefused::Malformed)
    }
}
