//! Messages that somebody wants to be tried at once, or sent once more.

use super::accounts;
use super::idempotency::{Earlier, Kept, earlier, remember};
use super::messages;
use super::outbox::{WITH_LINKS, account_id, holds};
use super::row::{Columns as _, change, one};
use super::work::Work;
use crate::domain::audit::{Draft, EventName};
use crate::domain::destination::Destination;
use crate::domain::id::{AccountId, MessageId};
use crate::domain::message::{ChannelKind, DeliveryState, MessageKind};
use crate::store::{MessageRecord, MessageRetried, RetryMessage, StoreError};

/// Makes a message due that waits or has failed, and sends one that was sent once more, under another id. The address
/// of what is over was erased: it goes to the one that its account has now, which for a link is the same, since its
/// link would be dead otherwise.
pub(super) fn retry_message(
    work: &mut Work<'_>,
    intent: &RetryMessage,
) -> Result<MessageRetried, StoreError> {
    let message_id = intent.message_id;
    let Some(message) = found(work, message_id)? else {
        return Ok(MessageRetried::Unknown);
    };
    match earlier(work, intent.repeatable.as_ref())? {
        Earlier::Other => return Ok(MessageRetried::RequestIdReused),
        Earlier::Same(kept) => return as_it_is(work, kept.message_id.unwrap_or(message_id)),
        Earlier::New => {}
    }
    let due = match message.record.state {
        DeliveryState::Suppressed => None,
        DeliveryState::Expired => return Ok(MessageRetried::Expired),
        DeliveryState::Queued | DeliveryState::Failed | DeliveryState::Sent if !message.holds => {
            return Ok(MessageRetried::Expired);
        }
        DeliveryState::Queued => make_due(work, message_id)?.then_some(message_id),
        over @ (DeliveryState::Failed | DeliveryState::Sent) => {
            let Some(to) = destination(work, &message)? else {
                return Ok(MessageRetried::NoVerifiedAddress);
            };
            if over == DeliveryState::Failed {
                put_back(work, message_id, &to)?;
                Some(message_id)
            } else {
                copy(work, message_id, intent.sent_again_as, &to)?;
                Some(intent.sent_again_as)
            }
        }
    };
    let kept = Kept {
        message_id: due,
        ..Kept::default()
    };
    remember(work, intent.repeatable.as_ref(), &kept)?;
    let Some(due) = due else {
        return Ok(MessageRetried::Message(message.record));
    };
    work.wake_workers();
    let mut event = Draft::success(work.now(), EventName::MessageRetried, &intent.call)
        .fact("message_id", &message_id);
    if due != message_id {
        event = event.fact("sent_again_as", &due);
    }
    event.account_id = message.account_id;
    work.record(event)?;
    as_it_is(work, due)
}

fn as_it_is(work: &Work<'_>, message_id: MessageId) -> Result<MessageRetried, StoreError> {
    let now = found(work, message_id)?.map(|message| MessageRetried::Message(message.record));
    Ok(now.unwrap_or(MessageRetried::Unknown))
}

struct Found {
    record: MessageRecord,
    account_id: Option<AccountId>,
    /// Whether what it says still holds.
    holds: bool,
}

fn found(work: &Work<'_>, message_id: MessageId) -> Result<Option<Found>, StoreError> {
    one(
        work.sql(),
        &format!(
            "SELECT m.*, {} AS holds FROM {WITH_LINKS} WHERE m.message_id = ?2",
            holds()
        ),
        (work.now().as_micros(), message_id.as_bytes()),
        |row| {
            Ok(Found {
                record: messages::record(work.sql(), row)?,
                account_id: account_id(row)?,
                holds: row.flag("holds")?,
            })
        },
    )
}

/// Makes a message due now that waits for its next attempt. One that is in a courier's hands stays there: it would be
/// sent twice.
fn make_due(work: &Work<'_>, message_id: MessageId) -> Result<bool, StoreError> {
    let waited = change(
        work.sql(),
        "UPDATE messages AS m SET due_at = ?1 WHERE m.message_id = ?2 AND m.due_at > ?1
             AND EXISTS (SELECT 1 FROM attempts t WHERE t.message_id = m.message_id AND t.attempt = m.attempts)",
        (work.now().as_micros(), message_id.as_bytes()),
    )?;
    Ok(waited > 0)
}

fn destination(work: &Work<'_>, message: &Found) -> Result<Option<Destination>, StoreError> {
    let Some(account_id) = message.account_id else {
        return Ok(None);
    };
    let channel: ChannelKind = message.record.channel;
    let address = match message.record.kind {
        // The address that it was to prove, or the one before, is not the account's: it was erased, and nobody else is to
        // be told in its place.
        MessageKind::AddressCode | MessageKind::AddressChanged => return Ok(None),
        kind if kind.is_code() || kind == MessageKind::Invitation => Destination::of_codes,
        _ => Destination::verified,
    };
    let account = accounts::by_id(work.sql(), account_id)?;
    Ok(account.and_then(|account| address(&account.profile, channel)))
}

/// A text message is counted against its budgets again.
fn put_back(work: &Work<'_>, message_id: MessageId, to: &Destination) -> Result<(), StoreError> {
    change(
        work.sql(),
        "UPDATE messages SET state = ?1, reason = '', address = ?2, destination = ?3, due_at = ?4, counted = 0
         WHERE message_id = ?5",
        (
            DeliveryState::Queued.code(),
            &to.address,
            &to.masked,
            work.now().as_micros(),
            message_id.as_bytes(),
        ),
    )?;
    Ok(())
}

/// Queues what a message said once more, as one of its own: to mailboxes and gateways an id that they know is one that
/// they have. A code stays the code it was, so its sending is not counted again.
fn copy(
    work: &Work<'_>,
    message_id: MessageId,
    sent_again_as: MessageId,
    to: &Destination,
) -> Result<(), StoreError> {
    change(
        work.sql(),
        "INSERT INTO messages (message_id, account_id, identifier, reset_id, challenge_id, sending, kind, channel,
                               address, destination, locale, state, reason, requested_at, expires_at, happened_at,
                               network, browser, system, codes_left, attempts, due_at)
         SELECT ?1, account_id, identifier, reset_id, challenge_id, sending, kind, channel,
                ?2, ?3, locale, ?4, '', requested_at, expires_at, happened_at,
                network, browser, system, codes_left, 0, ?5
         FROM messages WHERE message_id = ?6",
        (
            sent_again_as.as_bytes(),
            &to.address,
            &to.masked,
            DeliveryState::Queued.code(),
            work.now().as_micros(),
            message_id.as_bytes(),
        ),
    )?;
    Ok(())
}
