//! Invitations: links to a first password.

use super::QueuedLink;
use crate::domain::call::Call;
use crate::domain::id::{AccountId, MessageId, ResetId};
use crate::domain::idempotency::Repeatable;
use crate::domain::reset::InvitationLifetime;

/// Invite the owner of an account to choose a first password.
#[derive(Debug, Clone)]
pub struct SendInvite {
    /// On whose behalf.
    pub call: Call,
    /// Makes the call safe to repeat.
    pub repeatable: Option<Repeatable>,
    /// Whom.
    pub account_id: AccountId,
    /// Names the new reset.
    pub reset_id: ResetId,
    /// Names the new message.
    pub message_id: MessageId,
    /// How long the link lives.
    pub lifetime: InvitationLifetime,
}

/// How an invitation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InviteSent {
    /// The message is queued, now or since an earlier call with the same request id.
    Queued(QueuedLink),
    /// The request id was used with other content.
    RequestIdReused,
    /// No such account.
    NoAccount,
    /// The account is disabled.
    Disabled,
    /// The account has a password, which a reset replaces.
    HasPassword,
}
