//! The outbox: messages leased to couriers and settled by them.

use super::addresses;
use super::challenges;
use super::links::LIVE;
use super::row::{self, Columns, all, change, one};
use super::work::Work;
use crate::domain::account::DisplayName;
use crate::domain::audit::{Draft, EventName, Outcome};
use crate::domain::call::{Call, CallerName, CorrelationId};
use crate::domain::code::CodeFor;
use crate::domain::id::{AccountId, MessageId};
use crate::domain::message::{DeliveryState, MessageKind, Notice};
use crate::domain::network::Network;
use crate::domain::time::Timestamp;
use crate::domain::token::Link;
use crate::domain::user_agent::{Browser, BrowserAndSystem, System};
use crate::store::{
    ATTEMPTS_KEPT, AttemptOutcome, LeaseMessages, Leased, LeasedMessage, MarkBounced,
    MessageBounced, MessageContent, MessageSettled, SettleMessage, StoreError, Whence,
};
use rusqlite::Row;

/// How many due messages are looked at for those that are over when none is to be leased.
const SWEPT: u32 = 100;

/// Messages `m` with what their links and codes belong to: the account `a`, the reset `r`, the challenge `c`, the
/// removal of a factor `f`, the verification of an address `v`.
pub(super) const WITH_LINKS: &str = "messages m
     LEFT JOIN accounts a ON a.account_id = m.account_id
     LEFT JOIN resets r ON r.reset_id = m.reset_id
     LEFT JOIN challenges c ON c.challenge_id = m.challenge_id
     LEFT JOIN factor_removals f ON f.account_id = m.account_id AND m.kind = 9
     LEFT JOIN address_verifications v ON v.message_id = m.message_id";

// These texts have the numbers of kinds spelled out.
const _: () =
    assert!(MessageKind::SecondFactorRemoval.code() == 9 && MessageKind::AddressCode.code() == 5);

/// The condition under which such a message is worth sending at `?1`: its time is not over, its link or code lives.
pub(super) fn holds() -> String {
    let (challenge_lives, verification_lives) = (challenges::LIVE, addresses::LIVE);
    format!(
        "m.expires_at > ?1 AND (m.reset_id IS NULL OR ({LIVE})) AND f.ended_at IS NULL
           AND (m.challenge_id IS NULL OR ifnull({challenge_lives}, 0))
           AND (m.kind <> 5 OR ifnull({verification_lives}, 0))"
    )
}

/// Leases what is due. A message whose time is over, or whose link died meanwhile, is expired instead of tried.
pub(super) fn lease_messages(
    work: &mut Work<'_>,
    intent: &LeaseMessages,
) -> Result<Leased, StoreError> {
    let looked_at = match intent.at_most {
        0 => SWEPT,
        at_most => at_most,
    };
    let due = all(
        work.sql(),
        &format!(
            "SELECT m.*, a.display_name, r.origin, r.expires_at AS link_expires_at, f.removal_id, f.effective_at,
                    {} AS holds
             FROM {WITH_LINKS}
             WHERE m.channel = ?3 AND m.due_at <= ?1 ORDER BY m.due_at LIMIT ?2",
            holds()
        ),
        (work.now().as_micros(), looked_at, intent.channel.code()),
        Due::read,
    )?;
    let lease_ends = work.now().plus(intent.lease_for);
    let mut leased = Leased::default();
    for message in due {
        match message {
            Due::Worth(_) if intent.at_most == 0 => {}
            Due::Worth(message) => {
                change(
                    work.sql(),
                    "UPDATE messages SET attempts = ?1, due_at = ?2 WHERE message_id = ?3",
                    (
                        message.attempt,
                        lease_ends.as_micros(),
                        message.message_id.as_bytes(),
                    ),
                )?;
                leased.messages.push(*message);
            }
            // It may be readable to another version, and must not keep the others back.
            Due::Unreadable(message_id, error) => {
                tracing::error!(%message_id, %error, "a message cannot be read: it is put off");
                put_off(work, message_id, lease_ends)?;
            }
            Due::TooLate(message_id, account_id, why) => {
                leased.expired += 1;
                end(work, message_id, DeliveryState::Expired, why)?;
                let event = event(work, EventName::MessageExpired, message_id, account_id);
                work.record(event.because(Outcome::Failure, why))?;
            }
        }
    }
    leased.next_due = one(
        work.sql(),
        "SELECT due_at FROM messages WHERE channel = ?1 AND due_at IS NOT NULL ORDER BY due_at LIMIT 1",
        [intent.channel.code()],
        |row| row.moment("due_at"),
    )?;
    Ok(leased)
}

/// A message that is due.
enum Due {
    Worth(Box<LeasedMessage>),
    TooLate(MessageId, Option<AccountId>, &'static str),
    Unreadable(MessageId, StoreError),
}

impl Due {
    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        let message_id = row.message_id("message_id")?;
        if !row.flag("holds")? {
            let why = match row.message_kind() {
                Ok(
                    MessageKind::ResetLink
                    | MessageKind::Invitation
                    | MessageKind::SecondFactorRemoval,
                ) => "link_dead",
                Ok(kind) if kind.is_code() => "code_dead",
                Ok(_) | Err(_) => "notice_too_old",
            };
            return Ok(Self::TooLate(message_id, account_id(row)?, why));
        }
        Ok(match leased(row, message_id) {
            Ok(message) => Self::Worth(Box::new(message)),
            Err(error) => Self::Unreadable(message_id, error),
        })
    }
}

fn leased(row: &Row<'_>, message_id: MessageId) -> Result<LeasedMessage, StoreError> {
    let name: Option<String> = row.get("display_name")?;
    Ok(LeasedMessage {
        message_id,
        attempt: attempts(row)?.saturating_add(1),
        channel: row.channel()?,
        address: row.text("address")?,
        locale: row.locale()?,
        display_name: DisplayName::parse(name.as_deref().unwrap_or_default())
            .map_err(|_| row::unreadable("display_name"))?,
        expires_at: row.moment("expires_at")?,
        content: content(row)?,
    })
}

/// Whose message it is, if it is anybody's.
pub(super) fn account_id(row: &Row<'_>) -> Result<Option<AccountId>, StoreError> {
    let bytes: Option<[u8; 16]> = row.get("account_id")?;
    Ok(bytes.map(AccountId::from_bytes))
}

/// How many attempts were begun.
fn attempts(row: &Row<'_>) -> Result<u32, StoreError> {
    u32::try_from(row.number("attempts")?).map_err(|_| row::unreadable("attempts"))
}

/// Nobody tries the message until then.
fn put_off(work: &Work<'_>, message_id: MessageId, until: Timestamp) -> Result<(), StoreError> {
    change(
        work.sql(),
        "UPDATE messages SET due_at = ?1 WHERE message_id = ?2",
        (until.as_micros(), message_id.as_bytes()),
    )?;
    Ok(())
}

fn content(row: &Row<'_>) -> Result<MessageContent, StoreError> {
    Ok(match row.message_kind()? {
        MessageKind::ResetLink | MessageKind::Invitation => MessageContent::ResetLink {
            link: Link {
                reset_id: row.reset_id("reset_id")?,
                expires_at: row.moment("link_expires_at")?,
            },
            requested_at: row.moment("requested_at")?,
            origin: row.origin()?,
        },
        MessageKind::ResetCode => MessageContent::Code {
            what_for: CodeFor::Reset(row.reset_id("reset_id")?),
            sending: row.get("sending")?,
            requested_at: row.moment("requested_at")?,
        },
        MessageKind::SignInCode => MessageContent::Code {
            what_for: CodeFor::SignIn(row.challenge_id("challenge_id")?),
            sending: row.get("sending")?,
            requested_at: row.moment("requested_at")?,
        },
        MessageKind::AddressCode => MessageContent::AddressCode {
            requested_at: row.moment("requested_at")?,
        },
        MessageKind::PasswordChanged => notice(row, Notice::PasswordChanged)?,
        MessageKind::AddressChanged => notice(row, Notice::AddressChanged)?,
        MessageKind::SecondFactorChanged => notice(row, Notice::SecondFactorChanged)?,
        MessageKind::SecondFactorRemoval => MessageContent::FactorRemoval {
            link: Link {
                reset_id: row.reset_id("removal_id")?,
                expires_at: row.moment("effective_at")?,
            },
            ordered_at: row.moment("happened_at")?,
        },
        MessageKind::RecoveryCodesRenewed => notice(row, Notice::RecoveryCodesRenewed)?,
        MessageKind::WrongPasswords => notice(row, Notice::WrongPasswords)?,
        MessageKind::RecoveryCodeUsed => {
            let left = row.get("codes_left")?;
            notice(row, Notice::RecoveryCodeUsed { left })?
        }
        MessageKind::WrongSecondFactors => notice(row, Notice::WrongSecondFactors)?,
        MessageKind::PasswordCompromised => notice(row, Notice::PasswordCompromised)?,
    })
}

fn notice(row: &Row<'_>, about: Notice) -> Result<MessageContent, StoreError> {
    let network: Option<String> = row.get("network")?;
    Ok(MessageContent::Notice {
        about,
        at: row.moment("happened_at")?,
        whence: network.map(|network| whence(row, &network)).transpose()?,
    })
}

fn whence(row: &Row<'_>, network: &str) -> Result<Whence, StoreError> {
    let network = Network::parse(network).ok_or_else(|| row::unreadable("network"))?;
    let browser =
        Browser::parse(&row.text("browser")?).ok_or_else(|| row::unreadable("browser"))?;
    let system = System::parse(&row.text("system")?).ok_or_else(|| row::unreadable("system"))?;
    Ok(Whence {
        network,
        device: BrowserAndSystem { browser, system },
    })
}

/// Writes down how an attempt ended, for whoever still holds the lease.
pub(super) fn settle_message(
    work: &mut Work<'_>,
    intent: &SettleMessage,
) -> Result<MessageSettled, StoreError> {
    let held = one(
        work.sql(),
        "SELECT account_id FROM messages WHERE message_id = ?1 AND attempts = ?2 AND state = ?3",
        (
            intent.message_id.as_bytes(),
            intent.attempt,
            DeliveryState::Queued.code(),
        ),
        account_id,
    )?;
    let Some(account_id) = held else {
        return Ok(MessageSettled::LeaseLost);
    };
    let attempt = (intent.message_id, intent.attempt);
    match &intent.outcome {
        AttemptOutcome::Accepted => {
            keep_attempt(work, attempt, "accepted", "")?;
            end(work, intent.message_id, DeliveryState::Sent, "")?;
            work.record(event(
                work,
                EventName::MessageSent,
                intent.message_id,
                account_id,
            ))?;
        }
        AttemptOutcome::Retry { pause, error } => {
            keep_attempt(work, attempt, "retry", error)?;
            change(
                work.sql(),
                "UPDATE messages SET due_at = ?1, reason = ?2 WHERE message_id = ?3",
                (
                    work.now().plus(*pause).as_micros(),
                    error,
                    intent.message_id.as_bytes(),
                ),
            )?;
        }
        AttemptOutcome::GiveUp { error } => {
            keep_attempt(work, attempt, "gave_up", error)?;
            end(work, intent.message_id, DeliveryState::Failed, error)?;
            let event = event(
                work,
                EventName::MessageFailed,
                intent.message_id,
                account_id,
            );
            work.record(event.because(Outcome::Failure, "refused_for_good"))?;
        }
    }
    Ok(MessageSettled::Settled)
}

fn keep_attempt(
    work: &Work<'_>,
    (message_id, attempt): (MessageId, u32),
    outcome: &str,
    error: &str,
) -> Result<(), StoreError> {
    change(
        work.sql(),
        "INSERT INTO attempts (message_id, attempt, ended_at, outcome, error) VALUES (?1, ?2, ?3, ?4, ?5)",
        (
            message_id.as_bytes(),
            attempt,
            work.now().as_micros(),
            outcome,
            error,
        ),
    )?;
    change(
        work.sql(),
        "DELETE FROM attempts WHERE message_id = ?1 AND attempt <= ?2",
        (
            message_id.as_bytes(),
            i64::from(attempt) - i64::from(ATTEMPTS_KEPT),
        ),
    )?;
    Ok(())
}

/// Writes down that a message came back. It may do so before its courier could say that it was sent.
pub(super) fn mark_bounced(
    work: &mut Work<'_>,
    intent: &MarkBounced,
) -> Result<MessageBounced, StoreError> {
    let message_id = intent.message_id;
    let found = one(
        work.sql(),
        "SELECT account_id, state, attempts FROM messages WHERE message_id = ?1",
        [message_id.as_bytes()],
        |row| Ok((account_id(row)?, row.delivery_state()?, attempts(row)?)),
    )?;
    let Some((account_id, state, attempts)) = found else {
        return Ok(MessageBounced::Unknown);
    };
    if attempts == 0 || !matches!(state, DeliveryState::Sent | DeliveryState::Queued) {
        return Ok(MessageBounced::NotOut);
    }
    let after = attempts.saturating_add(1);
    keep_attempt(work, (message_id, after), "bounced", &intent.error)?;
    // Whoever tries it at this moment finds that the lease is lost.
    change(
        work.sql(),
        "UPDATE messages SET attempts = ?1 WHERE message_id = ?2",
        (after, message_id.as_bytes()),
    )?;
    end(work, message_id, DeliveryState::Failed, "bounced")?;
    let event = event(work, EventName::MessageBounced, message_id, account_id);
    work.record(event.because(Outcome::Failure, "bounced"))?;
    Ok(MessageBounced::Bounced)
}

/// Takes a message out of the outbox: its address is erased.
pub(super) fn end(
    work: &Work<'_>,
    message_id: MessageId,
    state: DeliveryState,
    reason: &str,
) -> Result<(), StoreError> {
    change(
        work.sql(),
        "UPDATE messages SET state = ?1, reason = ?2, address = NULL, due_at = NULL WHERE message_id = ?3",
        (state.code(), reason, message_id.as_bytes()),
    )?;
    Ok(())
}

/// What became of a message, for the log.
pub(super) fn event(
    work: &Work<'_>,
    name: EventName,
    message_id: MessageId,
    account_id: Option<AccountId>,
) -> Draft {
    let now: Timestamp = work.now();
    let call = Call {
        caller: CallerName::relatch(),
        correlation_id: CorrelationId::of_message(message_id),
        source_ip: None,
    };
    let mut event = Draft::success(now, name, &call).fact("message_id", &message_id);
    event.account_id = account_id;
    event
}
