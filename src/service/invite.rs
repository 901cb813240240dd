//! Inviting somebody to choose a first password.

use super::Service;
use super::error::ServiceError;
use crate::domain::call::Call;
use crate::domain::id::{AccountId, MessageId, ResetId};
use crate::domain::idempotency::{Method, Repeatable};
use crate::random;
use crate::store::{InviteSent, SendInvite};

impl Service {
    /// Sends an invitation; gives the message that carries it.
    pub async fn send_invite(
        &self,
        call: Call,
        account_id: AccountId,
        request_id: &str,
    ) -> Result<MessageId, ServiceError> {
        let fields: [&[u8]; 1] = [account_id.as_bytes()];
        let repeatable = Repeatable::new(
            &self.keyring.load(),
            &call.caller,
            Method::SendInvite,
            request_id,
            &fields,
        )?;
        let intent = SendInvite {
            call,
            repeatable,
            account_id,
            reset_id: ResetId::from_bytes(random::array(&*self.random)?),
            message_id: self.message_id()?,
            lifetime: self.rules.invitation_lifetime,
        };
        match self.store.send_invite(intent).await? {
            InviteSent::Queued(queued) => Ok(queued.message_id),
            InviteSent::RequestIdReused => Err(ServiceError::RequestIdReused),
            InviteSent::NoAccount => Err(ServiceError::NoAccount),
            InviteSent::Disabled => Err(ServiceError::Disabled),
            InviteSent::HasPassword => Err(ServiceError::HasPassword),
        }
    }
}
