//! Taking a second factor away from somebody who lost it, once its owner had time to object.

use super::Service;
use super::error::ServiceError;
use crate::domain::call::{Call, CallerName, CorrelationId};
use crate::domain::id::{AccountId, MessageId, ResetId};
use crate::domain::idempotency::{Method, Repeatable};
use crate::domain::removal::{REMOVAL_DELAY, RemovalReason};
use crate::domain::time::Timestamp;
use crate::random;
use crate::store::{FactorRemovalOrdered, FactorRemoved, OrderFactorRemoval, RemoveFactor};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// How long between two looks at what is due: a removal is late by no more.
const EVERY: Duration = Duration::from_secs(1);

/// How many are looked at together.
const AT_A_TIME: u32 = 100;

impl Service {
    /// Orders that an account's factor be taken away; gives the moment from which on it is EMAIL.
    pub async fn order_factor_removal(
        &self,
        call: Call,
        account_id: AccountId,
        reason: RemovalReason,
        request_id: &str,
    ) -> Result<Timestamp, ServiceError> {
        let fields: [&[u8]; 2] = [account_id.as_bytes(), reason.as_str().as_bytes()];
        let repeatable = Repeatable::new(
            &self.keyring.load(),
            &call.caller,
            Method::RemoveSecondFactor,
            request_id,
            &fields,
        )?;
        let intent = OrderFactorRemoval {
            call,
            repeatable,
            account_id,
            reason,
            removal_id: ResetId::from_bytes(random::array(&*self.random)?),
            delay: REMOVAL_DELAY,
            message_id: self.message_id()?,
        };
        match self.store.order_factor_removal(intent).await? {
            FactorRemovalOrdered::Ordered { effective_at } => Ok(effective_at),
            FactorRemovalOrdered::NoFactor => Err(ServiceError::NoFactorToRemove),
            FactorRemovalOrdered::NoVerifiedAddress => Err(ServiceError::NoVerifiedAddress),
            FactorRemovalOrdered::RequestIdReused => Err(ServiceError::RequestIdReused),
            FactorRemovalOrdered::NoAccount => Err(ServiceError::NoAccount),
        }
    }
}

/// Carries out what is due, every second, until `stopped` resolves; a transaction that has begun ends by itself.
pub async fn run(service: Arc<Service>, stopped: impl Future<Output = ()>) {
    let mut stopped = pin!(stopped);
    loop {
        let round = async {
            match remove_due(&service).await {
                Ok(0) => {}
                Ok(removed) => tracing::info!(removed, "second factors removed"),
                // The next round takes up what this one left.
                Err(error) => tracing::warn!(%error, "second factors could not be removed"),
            }
            sleep(EVERY).await;
        };
        tokio::select! {
            () = &mut stopped => return,
            () = round => {}
        }
    }
}

/// Carries out every removal whose time has come, and tells how many those were.
async fn remove_due(service: &Service) -> Result<u32, ServiceError> {
    let mut removed = 0;
    for account_id in service.store.due_factor_removals(AT_A_TIME).await? {
        let intent = RemoveFactor {
            call: Call {
                caller: CallerName::relatch(),
                correlation_id: CorrelationId::from_random(random::array(&*service.random)?),
                source_ip: None,
            },
            account_id,
            notice_id: MessageId::at(service.clock.now(), random::array(&*service.random)?),
        };
        let ended = service.store.remove_factor(intent).await?;
        removed += u32::from(ended == FactorRemoved::Removed);
    }
    Ok(removed)
}
