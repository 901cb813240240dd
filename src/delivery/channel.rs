//! What carries a message to a person.

use async_trait::async_trait;
use std::fmt;
use std::time::Duration;
use thiserror::Error;

use crate::domain::id::MessageId;
use crate::domain::message::{ChannelKind, MessageKind};
use crate::domain::time::Timestamp;

/// Carries messages: a mail server, an SMS gateway, or the inbox of a development machine.
#[async_trait]
pub trait Channel: Send + Sync + 'static {
    /// Hands `message` over; `Ok` once the other side has taken the responsibility for it.
    ///
    /// The same message may come more than once, for a crash between acceptance and settlement
    /// looks like no attempt at all: its `message_id` tells the other side that it is the same.
    /// Whoever awaits this may drop it when it takes too long.
    async fn send(&self, message: OutgoingMessage) -> Result<(), SendError>;

    /// Waits until messages can be handed over, and tells how many at a time: all that there are,
    /// unless the channel says otherwise. While it waits messages stay where they are, and cost nothing.
    async fn ready(&self) -> u32 {
        u32::MAX
    }

    /// How long an attempt may take.
    fn patience(&self) -> Duration {
        Duration::from_secs(20)
    }
}

/// Why a channel did not accept a message. The texts are the other side's words; the courier takes
/// addresses out of them before they are kept.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SendError {
    /// It takes no message of anybody at present: no connection, no answer, no login.
    #[error("nothing at present: {error}")]
    Unavailable {
        /// What kept it, or what the other side said.
        error: String,
    },
    /// It may accept this one later: a mailbox in use, too many at once.
    #[error("not now: {error}")]
    Retry {
        /// What the other side said.
        error: String,
    },
    /// It never will: there is no such mailbox, the message itself is refused.
    #[error("never: {error}")]
    GiveUp {
        /// What the other side said.
        error: String,
    },
}

/// A message as it leaves the house, its link in clear.
#[derive(Clone, PartialEq, Eq)]
pub struct OutgoingMessage {
    /// Names the message: the mail's `Message-ID`, the SMS gateway's idempotency key.
    pub message_id: MessageId,
    /// What it is about.
    pub kind: MessageKind,
    /// How it travels.
    pub channel: ChannelKind,
    /// The full address.
    pub to: String,
    /// One line; empty for an SMS.
    pub subject: String,
    /// The text part, its lines separated by LF.
    pub text: String,
    /// The HTML part, a whole document; an SMS has none.
    pub html: Option<String>,
    /// When this attempt began.
    pub sent_at: Timestamp,
}

/// Leaves out who receives it and what it says: the parts hold live links.
impl fmt::Debug for OutgoingMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutgoingMessage")
            .field("message_id", &self.message_id)
            .field("kind", &self.kind)
            .field("channel", &self.channel)
            .field("sent_at", &self.sent_at)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_printed_without_address_and_content() {
        let message = OutgoingMessage {
            message_id: MessageId::from_bytes([1; 16]),
            kind: MessageKind::ResetLink,
            channel: ChannelKind::Email,
            to: "ada@example.com".to_owned(),
            subject: "Reset for Ada".to_owned(),
            text: "rlt1_secret".to_owned(),
            html: Some("<p>rlt1_secret".to_owned()),
            sent_at: Timestamp::from_micros(0),
        };
        let printed = format!("{message:?}");
        assert!(
            printed.contains("01010101") && printed.contains("ResetLink"),
            "{printed}"
        );
        for secret in ["ada", "Ada", "rlt1_", "example"] {
            assert!(!printed.contains(secret), "{printed}");
        }
    }
}
