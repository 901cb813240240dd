//! The outbox: messages leased, tried, settled, looked up.

use super::Whence;
use crate::domain::account::{DisplayName, Locale};
use crate::domain::call::Call;
use crate::domain::code::CodeFor;
use crate::domain::id::{AccountId, MessageId};
use crate::domain::idempotency::Repeatable;
use crate::domain::message::{ChannelKind, DeliveryState, MessageKind, Notice, Suppression};
use crate::domain::pseudonym::Pseudonym;
use crate::domain::reset::Origin;
use crate::domain::sms_budget::Budget;
use crate::domain::time::Timestamp;
use crate::domain::token::Link;
use std::fmt;
use std::time::Duration;

/// Lease due messages.
#[derive(Debug, Clone)]
pub struct LeaseMessages {
    /// Those that travel this way.
    pub channel: ChannelKind,
    /// How many at the most. With 0 messages whose time is over are expired all the same.
    pub at_most: u32,
    /// For how long nobody else may try them.
    pub lease_for: Duration,
}

/// What is leased.
#[derive(Debug, Clone, Default)]
pub struct Leased {
    /// The messages to try now.
    pub messages: Vec<LeasedMessage>,
    /// How many messages were expired instead.
    pub expired: u32,
    /// When the next message by this channel becomes due, if one waits.
    pub next_due: Option<Timestamp>,
}

/// A message to be tried by whoever holds its lease.
#[derive(Clone)]
pub struct LeasedMessage {
    /// Names the message.
    pub message_id: MessageId,
    /// The lease: which attempt this is, counted from 1.
    pub attempt: u32,
    /// How it travels.
    pub channel: ChannelKind,
    /// Where it goes, in full.
    pub address: String,
    /// In which language.
    pub locale: Locale,
    /// Whom it greets.
    pub display_name: DisplayName,
    /// No attempt may begin from then on, or go on.
    pub expires_at: Timestamp,
    /// What it says.
    pub content: MessageContent,
}

/// Without whom it goes to.
impl fmt::Debug for LeasedMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LeasedMessage")
            .field("message_id", &self.message_id)
            .field("attempt", &self.attempt)
            .field("channel", &self.channel)
            .field("expires_at", &self.expires_at)
            .field("content", &self.content)
            .finish_non_exhaustive()
    }
}

/// What a message says; the secret parts are minted when it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageContent {
    /// A link to choose a new password, or the first one.
    ResetLink {
        /// What its token will say.
        link: Link,
        /// When it was asked for.
        requested_at: Timestamp,
        /// Who asked.
        origin: Origin,
    },
    /// A code for the second factor.
    Code {
        /// What it is good for.
        what_for: CodeFor,
        /// Which one for that, counted from 1.
        sending: u32,
        /// When it was asked for.
        requested_at: Timestamp,
    },
    /// The second factor is about to be removed.
    FactorRemoval {
        /// What the token of the link says that stops it.
        link: Link,
        /// When it was ordered.
        ordered_at: Timestamp,
    },
    /// A code that proves the address that it goes to.
    AddressCode {
        /// When it was asked for.
        requested_at: Timestamp,
    },
    /// Something that the account's owner should know.
    Notice {
        /// What.
        about: Notice,
        /// When it happened.
        at: Timestamp,
        /// From where, if anybody was there to do it.
        whence: Option<Whence>,
    },
}

/// How many attempts are kept of a message, the newest: more than a link of 30 minutes has as a rule, and few
/// enough that a message that is tried for days does not fill the store with them.
pub const ATTEMPTS_KEPT: u32 = 20;

/// Count a text message before it is sent for the first time.
#[derive(Debug, Clone)]
pub struct SpendBudgets {
    /// Which message.
    pub message_id: MessageId,
    /// Which attempt; another one means that the lease was lost.
    pub attempt: u32,
    /// What it counts against.
    pub budgets: Vec<Budget>,
}

/// Whether it may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BudgetsSpent {
    /// It may: it was counted, now or at an earlier attempt.
    Spent,
    /// It may not, for this reason, and is suppressed.
    Beyond(Suppression),
    /// The lease had passed on to someone else, or the message is gone.
    LeaseLost,
}

/// Write down how an attempt ended.
#[derive(Debug, Clone)]
pub struct SettleMessage {
    /// Which message.
    pub message_id: MessageId,
    /// Which attempt; another one means that the lease was lost.
    pub attempt: u32,
    /// How it ended.
    pub outcome: AttemptOutcome,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttemptOutcome {
    /// The channel accepted the message.
    Accepted,
    /// It may work later.
    Retry {
        /// How long to wait.
        pause: Duration,
        /// The channel's words, without addresses.
        error: String,
    },
    /// It never will.
    GiveUp {
        /// The channel's words, without addresses.
        error: String,
    },
}

/// Whether the settlement was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageSettled {
    /// It was.
    Settled,
    /// The lease had passed on to someone else, or the message is gone.
    LeaseLost,
}

/// Make a message due at once that was not accepted, or send one once more that was.
#[derive(Debug, Clone)]
pub struct RetryMessage {
    /// On whose behalf.
    pub call: Call,
    /// Makes the call safe to repeat.
    pub repeatable: Option<Repeatable>,
    /// Which message.
    pub message_id: MessageId,
    /// The id of the one that says the same, if it was sent already.
    pub sent_again_as: MessageId,
}

/// What became of that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MessageRetried {
    /// The message as it is now: due, or what it was where there is nothing to try; or the one that is sent in its place.
    Message(MessageRecord),
    /// There is no such message.
    Unknown,
    /// Its link is dead, or its time over.
    Expired,
    /// Its account has no verified address any more by which it could go.
    NoVerifiedAddress,
    /// The request id was used for another message.
    RequestIdReused,
}

/// Write down that a message came back after the channel had accepted it.
#[derive(Debug, Clone)]
pub struct MarkBounced {
    /// Which message.
    pub message_id: MessageId,
    /// Why, in the words of whoever returned it, without addresses.
    pub error: String,
}

/// Whether that was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageBounced {
    /// It was: the message has failed.
    Bounced,
    /// The message had ended otherwise, this way already, or was never tried.
    NotOut,
    /// There is no such message.
    Unknown,
}

/// Whose messages to list.
#[derive(Debug, Clone)]
pub enum MessageFilter {
    /// An account's.
    Account(AccountId),
    /// Those of a typed address, by its pseudonyms.
    Identifier(Vec<Pseudonym>),
    /// Everybody's that were suppressed.
    Suppressed,
}

/// A page of messages, newest first.
#[derive(Debug, Clone)]
pub struct MessagePage {
    /// Whose.
    pub filter: MessageFilter,
    /// Starts behind this message.
    pub after: Option<(Timestamp, MessageId)>,
    /// How many at the most.
    pub at_most: u32,
}

/// A message as the support desk sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageRecord {
    /// Names the message.
    pub message_id: MessageId,
    /// What it is about.
    pub kind: MessageKind,
    /// How it travels.
    pub channel: ChannelKind,
    /// The masked address.
    pub destination: String,
    /// Where it stands.
    pub state: DeliveryState,
    /// Why it stands there: a suppression's name, the last attempt's error, `bounced`, or `link_dead`, `code_dead`
    /// and `notice_too_old` of what has expired.
    pub reason: String,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// No attempt begins from then on.
    pub expires_at: Timestamp,
    /// What was tried last, up to [`ATTEMPTS_KEPT`], oldest first.
    pub attempts: Vec<Attempt>,
}

/// One attempt at delivery that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// When it ended.
    pub time: Timestamp,
    /// `accepted`, `retry`, `gave_up`, or `bounced`: no attempt, but what became of an accepted one.
    pub outcome: String,
    /// The channel's words; empty when it accepted.
    pub error: String,
}
