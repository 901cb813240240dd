//! The inbox as a page: on the left what was sent and what was not, on the right one message.

use askama::Template;
use std::sync::Arc;

use crate::delivery::channel::OutgoingMessage;
use crate::domain::message::{ChannelKind, Suppression};
use crate::domain::time::Timestamp;
use crate::store::MessageRecord;

pub(super) const STYLE: &str = include_str!("../../../templates/inbox/page.css");
pub(super) const SCRIPT: &str = include_str!("../../../templates/inbox/page.js");

/// How many messages the page lists, newest first.
pub(super) const LISTED: usize = 100;

#[derive(Template)]
#[template(path = "inbox/page.html")]
pub(super) struct InboxPage {
    pub(super) style: &'static str,
    pub(super) script: &'static str,
    pub(super) messages: Vec<Arc<OutgoingMessage>>,
    /// `None` when the store cannot be read.
    pub(super) suppressed: Option<Vec<MessageRecord>>,
    pub(super) open: Open,
}

/// What stands on the right.
pub(super) enum Open {
    Nothing,
    Message {
        message: Arc<OutgoingMessage>,
        /// The headers that it has as a mail; none for a text message.
        head: Vec<(String, String)>,
    },
    /// No such message, or not any more.
    Missing,
}

impl InboxPage {
    fn opened(&self) -> Option<&OutgoingMessage> {
        match &self.open {
            Open::Message { message, .. } => Some(message),
            Open::Nothing | Open::Missing => None,
        }
    }

    fn is_reading(&self) -> bool {
        !matches!(self.open, Open::Nothing)
    }

    fn is_open(&self, message: &OutgoingMessage) -> bool {
        self.opened()
            .is_some_and(|open| open.message_id == message.message_id)
    }
}

/// What a message is listed under: its subject, or its first line where it has none.
fn title(message: &OutgoingMessage) -> &str {
    match message.subject.as_str() {
        "" => message.text.lines().next().unwrap_or_default(),
        subject => subject,
    }
}

/// Whether a line of a text message is a link and nothing else.
fn is_link(line: &str) -> bool {
    line.starts_with("https://") || line.starts_with("http://")
}

/// How a message travels, for people.
const fn way(channel: ChannelKind) -> &'static str {
    match channel {
        ChannelKind::Email => "Email",
        ChannelKind::Sms => "SMS",
    }
}

/// The time of day in UTC, to the second.
fn time_of_day(at: Timestamp) -> String {
    jiff::Timestamp::from_microsecond(at.as_micros()).map_or_else(
        |_| at.to_string(),
        |at| at.strftime("%H:%M:%S UTC").to_string(),
    )
}

/// A suppression's name in a sentence.
fn explained(reason: &str) -> &str {
    const EXPLANATIONS: [(Suppression, &str); 10] = [
        (Suppression::NoAccount, "No account has this address."),
        (Suppression::Disabled, "The account is disabled."),
        (
            Suppression::Unverified,
            "The account's address is not verified.",
        ),
        (
            Suppression::IdentifierLimit,
            "Too many requests for this address.",
        ),
        (
            Suppression::Expired,
            "The link would have been dead before it was made.",
        ),
        (
            Suppression::Unreadable,
            "This version cannot read the account.",
        ),
        (
            Suppression::CountryNotServed,
            "No text messages go to this country.",
        ),
        (
            Suppression::NumberBudget,
            "Too many text messages to this number today.",
        ),
        (
            Suppression::CountryBudget,
            "Too many text messages to this country today.",
        ),
        (Suppression::DayBudget, "Too many text messages today."),
    ];
    EXPLANATIONS
        .iter()
        .find(|(suppression, _)| suppression.name() == reason)
        .map_or(reason, |(_, explanation)| explanation)
}
