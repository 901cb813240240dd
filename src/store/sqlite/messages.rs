//! Messages: queued, and looked up.

use super::idempotency::Kept;
use super::row::{self, Columns, all, change, one};
use super::work::Work;
use crate::domain::account::Locale;
use crate::domain::code::CodeFor;
use crate::domain::id::{AccountId, MessageId, ResetId};
use crate::domain::message::{ChannelKind, DeliveryState, MessageKind};
use crate::domain::pseudonym::Pseudonym;
use crate::domain::time::Timestamp;
use crate::store::{
    Attempt, MessageFilter, MessagePage, MessageRecord, QueuedLink, StoreError, Whence,
};
use rusqlite::{Connection, Row, ToSql, params};

/// A message about to be queued, or suppressed.
pub(super) struct NewMessage<'a> {
    pub(super) message_id: MessageId,
    pub(super) account_id: Option<AccountId>,
    pub(super) identifier: Option<Pseudonym>,
    pub(super) carries: Option<Carried>,
    pub(super) kind: MessageKind,
    pub(super) channel: ChannelKind,
    pub(super) address: Option<&'a str>,
    pub(super) destination: &'a str,
    pub(super) locale: &'a Locale,
    pub(super) state: DeliveryState,
    pub(super) reason: &'static str,
    pub(super) requested_at: Timestamp,
    pub(super) expires_at: Timestamp,
    pub(super) happened: Option<Happened>,
}

/// What a message lets its reader do.
#[derive(Clone, Copy)]
pub(super) enum Carried {
    Link(ResetId),
    Code(CodeFor, u32),
}

/// What a notice says about what happened.
pub(super) struct Happened {
    pub(super) at: Timestamp,
    pub(super) whence: Option<Whence>,
    pub(super) codes_left: Option<u32>,
}

/// Puts a message into the outbox, due at once if it is queued.
pub(super) fn insert(work: &mut Work<'_>, message: &NewMessage<'_>) -> Result<(), StoreError> {
    let queued = message.state == DeliveryState::Queued;
    let happened = message.happened.as_ref();
    let whence = happened.and_then(|happened| happened.whence);
    let (reset_id, challenge_id, sending) = match message.carries {
        None => (None, None, None),
        Some(Carried::Link(id)) => (Some(*id.as_bytes()), None, None),
        Some(Carried::Code(CodeFor::Reset(id), sending)) => {
            (Some(*id.as_bytes()), None, Some(sending))
        }
        Some(Carried::Code(CodeFor::SignIn(id), sending)) => {
            (None, Some(*id.as_bytes()), Some(sending))
        }
    };
    change(
        work.sql(),
        "INSERT INTO messages (message_id, account_id, identifier, reset_id, kind, channel, address, destination,
                               locale, state, reason, requested_at, expires_at, happened_at, network, browser,
                               system, attempts, due_at, challenge_id, sending, codes_left)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, 0, ?18, ?19, ?20, ?21)",
        params![
            message.message_id.as_bytes(),
            message.account_id.map(|id| *id.as_bytes()),
            message.identifier.map(|identifier| *identifier.as_bytes()),
            reset_id,
            message.kind.code(),
            message.channel.code(),
            message.address,
            message.destination,
            message.locale.as_str(),
            message.state.code(),
            message.reason,
            message.requested_at.as_micros(),
            message.expires_at.as_micros(),
            happened.map(|happened| happened.at.as_micros()),
            whence.map(|whence| whence.network.to_string()),
            whence.map(|whence| whence.device.browser.as_str()),
            whence.map(|whence| whence.device.system.as_str()),
            queued.then(|| work.now().as_micros()),
            challenge_id,
            sending,
            happened.and_then(|happened| happened.codes_left),
        ],
    )?;
    if queued {
        work.wake_workers();
    }
    Ok(())
}

/// What a caller was told about a message that carries a link.
fn queued_link(
    connection: &Connection,
    message_id: MessageId,
) -> Result<Option<QueuedLink>, StoreError> {
    one(
        connection,
        "SELECT channel, destination, expires_at FROM messages WHERE message_id = ?1",
        [message_id.as_bytes()],
        |row| {
            Ok(QueuedLink {
                message_id,
                channel: row.channel()?,
                destination: row.text("destination")?,
                expires_at: row.moment("expires_at")?,
            })
        },
    )
}

/// What was told of the message that a repeated call made. `None` when it is gone: messages go with their
/// account.
pub(super) fn kept_link(
    connection: &Connection,
    kept: &Kept,
) -> Result<Option<QueuedLink>, StoreError> {
    let Some(message_id) = kept.message_id else {
        return Err(row::unreadable("idempotency.message_id"));
    };
    queued_link(connection, message_id)
}

/// A page of messages, newest first.
pub(super) fn list_messages(
    connection: &Connection,
    page: &MessagePage,
) -> Result<Vec<MessageRecord>, StoreError> {
    let (condition, whose): (String, Vec<&dyn ToSql>) = match &page.filter {
        MessageFilter::Account(account_id) => {
            ("account_id = ?".to_owned(), vec![account_id.as_bytes()])
        }
        MessageFilter::Identifier(pseudonyms) => (
            format!("identifier IN ({})", vec!["?"; pseudonyms.len()].join(", ")),
            pseudonyms
                .iter()
                .map(|pseudonym| pseudonym.as_bytes() as &dyn ToSql)
                .collect(),
        ),
        // Spelled out: the index of suppressed messages is found by this number.
        MessageFilter::Suppressed => ("state = 5".to_owned(), Vec::new()),
    };
    let (before, before_id) = page.after.map_or((i64::MAX, [0xff; 16]), |(moment, id)| {
        (moment.as_micros(), *id.as_bytes())
    });
    let rest: [&dyn ToSql; 3] = [&before, &before_id, &page.at_most];
    let parameters: Vec<&dyn ToSql> = whose.into_iter().chain(rest).collect();
    let sql = format!(
        "SELECT * FROM messages WHERE {condition} AND (requested_at, message_id) < (?, ?)
         ORDER BY requested_at DESC, message_id DESC LIMIT ?"
    );
    all(connection, &sql, parameters.as_slice(), |row| {
        record(connection, row)
    })
}

/// A message as the support desk sees it, from its row.
pub(super) fn record(connection: &Connection, row: &Row<'_>) -> Result<MessageRecord, StoreError> {
    let message_id = row.message_id("message_id")?;
    Ok(MessageRecord {
        message_id,
        kind: row.message_kind()?,
        channel: row.channel()?,
        destination: row.text("destination")?,
        state: row.delivery_state()?,
        reason: row.text("reason")?,
        requested_at: row.moment("requested_at")?,
        expires_at: row.moment("expires_at")?,
        attempts: attempts(connection, message_id)?,
    })
}

fn attempts(connection: &Connection, message_id: MessageId) -> Result<Vec<Attempt>, StoreError> {
    all(
        connection,
        "SELECT ended_at, outcome, error FROM attempts WHERE message_id = ?1 ORDER BY attempt",
        [message_id.as_bytes()],
        |row| {
            Ok(Attempt {
                time: row.moment("ended_at")?,
                outcome: row.text("outcome")?,
                error: row.text("error")?,
            })
        },
    )
}
