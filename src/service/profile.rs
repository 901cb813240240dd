//! What a signed-in person sees and asks for on their profile.

use super::Service;
use super::error::ServiceError;
use crate::domain::call::Call;
use crate::domain::id::{AccountId, MessageId, ResetId};
use crate::domain::idempotency::{Method, Repeatable};
use crate::domain::limit::{Bucket, Limit, LimitKey};
use crate::domain::pseudonym::{Pseudonym, Subject};
use crate::domain::time::Timestamp;
use crate::random;
use crate::store::{
    EndSessions, ProfileLink, QueuedLink, RequestProfileLink, SecurityInfo, SessionsEnded,
};

impl Service {
    /// Sends a link to the person of this account, by the method that they chose.
    pub async fn send_profile_link(
        &self,
        call: Call,
        account_id: AccountId,
        request_id: &str,
    ) -> Result<QueuedLink, ServiceError> {
        let keyring = self.keyring.load();
        let fields: [&[u8]; 1] = [account_id.as_bytes()];
        let repeatable = Repeatable::new(
            &keyring,
            &call.caller,
            Method::SendProfileResetLink,
            request_id,
            &fields,
        )?;
        let whose = Pseudonym::of(&keyring, Subject::Account, account_id.as_bytes());
        let intent = RequestProfileLink {
            call,
            repeatable,
            account_id,
            limit: Limit {
                key: LimitKey::new(Bucket::ProfileLink, whose),
                rate: self.rules.rates.profile_link,
            },
            reset_id: ResetId::from_bytes(random::array(&*self.random)?),
            message_id: MessageId::at(self.clock.now(), random::array(&*self.random)?),
            lifetime: self.rules.lifetime,
            sms_lifetime: self.rules.sms_lifetime,
        };
        match self.store.request_profile_link(intent).await? {
            ProfileLink::Queued(queued) => Ok(queued),
            ProfileLink::RequestIdReused => Err(ServiceError::RequestIdReused),
            ProfileLink::Limited(limited) => {
                Err(ServiceError::limited(Bucket::ProfileLink, limited))
            }
            ProfileLink::NoAccount => Err(ServiceError::NoAccount),
            ProfileLink::Disabled => Err(ServiceError::Disabled),
            ProfileLink::NoVerifiedAddress => Err(ServiceError::NoVerifiedAddress),
            ProfileLink::ChannelMissing(channel) => Err(ServiceError::ChannelMissing(channel)),
        }
    }

    /// What the Security tab shows.
    pub async fn security_info(&self, account_id: AccountId) -> Result<SecurityInfo, ServiceError> {
        self.store
            .security_info(account_id)
            .await?
            .ok_or(ServiceError::NoAccount)
    }

    /// Ends every session of an account; gives the moment before which they began.
    pub async fn end_sessions(
        &self,
        call: Call,
        account_id: AccountId,
    ) -> Result<Timestamp, ServiceError> {
        match self
            .store
            .end_sessions(EndSessions { call, account_id })
            .await?
        {
            SessionsEnded::Ended(valid_after) => Ok(valid_after),
            SessionsEnded::NoAccount => Err(ServiceError::NoAccount),
        }
    }
}
