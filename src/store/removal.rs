//! Removals of second factors: ordered, objected to, carried out.

use crate::domain::call::Call;
use crate::domain::id::{AccountId, MessageId, ResetId};
use crate::domain::idempotency::Repeatable;
use crate::domain::removal::RemovalReason;
use crate::domain::time::Timestamp;
use std::time::Duration;

/// Order that a factor be taken away.
#[derive(Debug, Clone)]
pub struct OrderFactorRemoval {
    /// On whose behalf.
    pub call: Call,
    /// Makes the call safe to repeat.
    pub repeatable: Option<Repeatable>,
    /// Whose.
    pub account_id: AccountId,
    /// Why.
    pub reason: RemovalReason,
    /// Names the removal in its cancel link, as a reset's id does.
    pub removal_id: ResetId,
    /// How long the owner has to object.
    pub delay: Duration,
    /// Names the announcement.
    pub message_id: MessageId,
}

/// How that ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FactorRemovalOrdered {
    /// From then on the factor is EMAIL: ordered now, or before and still to come.
    Ordered {
        /// When.
        effective_at: Timestamp,
    },
    /// The factor is EMAIL already.
    NoFactor,
    /// There is no verified address at which the owner could be told and object.
    NoVerifiedAddress,
    /// The request id was used with other content.
    RequestIdReused,
    /// No such account.
    NoAccount,
}

/// Carry a removal out.
#[derive(Debug, Clone)]
pub struct RemoveFactor {
    /// On whose behalf.
    pub call: Call,
    /// Whose.
    pub account_id: AccountId,
    /// Names the notice.
    pub notice_id: MessageId,
}

/// How that ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FactorRemoved {
    /// The factor is EMAIL.
    Removed,
    /// Its time has not come, or somebody objected.
    NotDue,
}
