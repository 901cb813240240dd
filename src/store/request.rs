//! Requests for reset links: taken in blindly, resolved later.

use super::Limited;
use crate::domain::account::Locale;
use crate::domain::call::Call;
use crate::domain::email::Email;
use crate::domain::id::{AccountId, MessageId, ResetId};
use crate::domain::idempotency::Repeatable;
use crate::domain::limit::{Limit, LimitKey, Rate};
use crate::domain::message::ChannelKind;
use crate::domain::pseudonym::Pseudonym;
use crate::domain::reset::{LinkLifetime, SmsLinkLifetime};
use crate::domain::time::Timestamp;

/// How many unresolved requests the intake holds; beyond it everybody is refused.
pub const INTAKE_CAP: u32 = 100_000;

/// Somebody asks for a reset link.
#[derive(Debug, Clone)]
pub struct TakeIn {
    /// On whose behalf.
    pub call: Call,
    /// Makes the call safe to repeat.
    pub repeatable: Option<Repeatable>,
    /// The limits of the source. The intake is resolved fairly across sources: those first that took the
    /// least from their limits lately.
    pub limits: Vec<Limit>,
    /// The typed address; erased when the request is resolved.
    pub email: Email,
    /// The pseudonym of the typed address's key, in the log and for the support desk.
    pub identifier: Pseudonym,
    /// The counter of links for the typed address.
    pub identifier_limit: LimitKey,
    /// The language the person's browser asked for, if the account names none.
    pub locale: Locale,
    /// Names the reset that the request will lead to.
    pub reset_id: ResetId,
    /// Names the message that the request will lead to.
    pub message_id: MessageId,
    /// How long the link lives, counted from this transaction.
    pub lifetime: LinkLifetime,
    /// How many unresolved requests there may be, see [`INTAKE_CAP`].
    pub cap: u32,
}

/// How a request for a link was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TakenIn {
    /// It is in the intake, now or since an earlier call with the same request id.
    Accepted,
    /// The request id was used with other content.
    RequestIdReused,
    /// The source's limit is reached.
    SourceLimited(Limited),
    /// The intake is full.
    IntakeFull,
}

/// Resolve some of what was taken in.
#[derive(Debug, Clone)]
pub struct Resolve {
    /// How many requests at the most.
    pub at_most: u32,
    /// Links per typed address, existing or not.
    pub identifier_rate: Rate,
}

/// What became of the intake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resolved {
    /// How many requests were resolved.
    pub count: u32,
    /// How many are left.
    pub left: u32,
    /// How many of those resolved led to no message.
    pub suppressed: u32,
    /// How many of those suppressed were beyond the limit of their typed address.
    pub limited: u32,
}

/// A signed-in person asks for a link.
#[derive(Debug, Clone)]
pub struct RequestProfileLink {
    /// On whose behalf.
    pub call: Call,
    /// Makes the call safe to repeat.
    pub repeatable: Option<Repeatable>,
    /// Whose.
    pub account_id: AccountId,
    /// The limit of links from this profile.
    pub limit: Limit,
    /// Names the new reset.
    pub reset_id: ResetId,
    /// Names the new message.
    pub message_id: MessageId,
    /// How long the link lives if it goes by email.
    pub lifetime: LinkLifetime,
    /// How long it lives if it goes by SMS.
    pub sms_lifetime: SmsLinkLifetime,
}

/// How a profile's request ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProfileLink {
    /// The message is queued, now or since an earlier call with the same request id.
    Queued(QueuedLink),
    /// The request id was used with other content.
    RequestIdReused,
    /// The profile's limit is reached.
    Limited(Limited),
    /// No such account.
    NoAccount,
    /// The account is disabled.
    Disabled,
    /// The account has no verified address by which its link would have to go.
    NoVerifiedAddress,
    /// The account's link would have to go by a channel that this service has not got.
    ChannelMissing(ChannelKind),
}

/// A link on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuedLink {
    /// Names the message.
    pub message_id: MessageId,
    /// How it travels.
    pub channel: ChannelKind,
    /// The masked address.
    pub destination: String,
    /// When the link dies.
    pub expires_at: Timestamp,
}
