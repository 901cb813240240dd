//! Requests for links: into the intake, out of it, and straight from a profile.

use super::idempotency::{Earlier, Kept, earlier, remember};
use super::links::{NewLink, send_link};
use super::row::{self, Columns, all, change, one};
use super::work::Work;
use super::{limits, messages};
use crate::domain::account::{Account, Locale};
use crate::domain::audit::{Draft, EventName, Outcome};
use crate::domain::call::{Call, CallerName, CorrelationId};
use crate::domain::destination::Destination;
use crate::domain::email::Email;
use crate::domain::id::{MessageId, ResetId};
use crate::domain::limit::{Limit, LimitKey, Rate};
use crate::domain::message::{ChannelKind, DeliveryState, MessageKind, Suppression};
use crate::domain::pseudonym::Pseudonym;
use crate::domain::reset::Origin;
use crate::domain::time::Timestamp;
use crate::store::{
    ProfileLink, RequestProfileLink, Resolve, Resolved, StoreError, TakeIn, TakenIn,
};
use rusqlite::{Connection, Row};

/// One intake row, and not a look at any account.
pub(super) fn take_in(work: &mut Work<'_>, intent: &TakeIn) -> Result<TakenIn, StoreError> {
    match earlier(work, intent.repeatable.as_ref())? {
        Earlier::New => {}
        Earlier::Same(_) => return Ok(TakenIn::Accepted),
        Earlier::Other => return Ok(TakenIn::RequestIdReused),
    }
    let turn = match limits::take(work, &intent.limits)? {
        Ok(full_again) => full_again,
        Err(limited) => return Ok(TakenIn::SourceLimited(limited)),
    };
    if work.unresolved() >= intent.cap {
        return Ok(TakenIn::IntakeFull);
    }
    change(
        work.sql(),
        "INSERT INTO intake (turn, message_id, accepted_at, expires_at, email, email_key, identifier,
                             identifier_limit, locale, reset_id, caller, correlation_id, source_ip)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        (
            turn.as_micros(),
            intent.message_id.as_bytes(),
            work.now().as_micros(),
            intent.lifetime.expiry(work.now()).as_micros(),
            intent.email.address(),
            intent.email.key().as_str(),
            intent.identifier.as_bytes(),
            intent.identifier_limit.as_bytes(),
            intent.locale.as_str(),
            intent.reset_id.as_bytes(),
            intent.call.caller.as_str(),
            intent.call.correlation_id.as_str(),
            intent.call.source_ip.map(|ip| ip.to_string()).unwrap_or_default(),
        ),
    )?;
    remember(work, intent.repeatable.as_ref(), &Kept::default())?;
    work.request_taken_in();
    Ok(TakenIn::Accepted)
}

/// How many requests the intake holds.
pub(super) fn unresolved(connection: &Connection) -> Result<u32, StoreError> {
    let count = one(connection, "SELECT count(*) FROM intake", [], |row| {
        Ok(row.get(0)?)
    })?;
    Ok(count.unwrap_or(0))
}

/// Opens the next envelopes, those first whose sources asked for the least lately.
pub(super) fn resolve(work: &mut Work<'_>, intent: &Resolve) -> Result<Resolved, StoreError> {
    let envelopes = all(
        work.sql(),
        "SELECT * FROM intake ORDER BY turn, message_id LIMIT ?1",
        [intent.at_most],
        |row| {
            let place = (row.number("turn")?, row.get::<_, Vec<u8>>("message_id")?);
            Ok((place, Envelope::read(row)))
        },
    )?;
    let count = u32::try_from(envelopes.len()).unwrap_or(u32::MAX);
    let (mut suppressed, mut limited) = (0, 0);
    for (place, envelope) in envelopes {
        change(
            work.sql(),
            "DELETE FROM intake WHERE turn = ?1 AND message_id = ?2",
            place,
        )?;
        work.request_resolved();
        match envelope {
            Ok(envelope) => {
                let why = open(work, &envelope, intent.identifier_rate)?;
                suppressed += u32::from(why.is_some());
                limited += u32::from(why == Some(Suppression::IdentifierLimit));
            }
            // What cannot be read now never can; everybody behind it would wait for ever.
            Err(error) => tracing::error!(%error, "a request for a link was dropped"),
        }
    }
    Ok(Resolved {
        count,
        left: work.unresolved(),
        suppressed,
        limited,
    })
}

/// A request as the intake holds it.
struct Envelope {
    accepted_at: Timestamp,
    expires_at: Timestamp,
    email: Email,
    identifier: Pseudonym,
    identifier_limit: LimitKey,
    locale: Locale,
    reset_id: ResetId,
    message_id: MessageId,
    call: Call,
}

impl Envelope {
    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        let call = Call {
            caller: CallerName::parse(&row.text("caller")?)
                .map_err(|_| row::unreadable("caller"))?,
            correlation_id: CorrelationId::parse(&row.text("correlation_id")?)
                .ok_or_else(|| row::unreadable("correlation_id"))?,
            source_ip: row.text("source_ip")?.parse().ok(),
        };
        Ok(Self {
            accepted_at: row.moment("accepted_at")?,
            expires_at: row.moment("expires_at")?,
            email: row.email()?,
            identifier: Pseudonym::from_bytes(row.get("identifier")?),
            identifier_limit: LimitKey::from_bytes(row.get("identifier_limit")?),
            locale: row.locale()?,
            reset_id: row.reset_id("reset_id")?,
            message_id: row.message_id("message_id")?,
            call,
        })
    }
}

/// Makes the message, or tells why there is none.
fn open(
    work: &mut Work<'_>,
    envelope: &Envelope,
    rate: Rate,
) -> Result<Option<Suppression>, StoreError> {
    let limit = Limit {
        key: envelope.identifier_limit,
        rate,
    };
    let limited = limits::take(work, &[limit])?.is_err();
    let account = one(
        work.sql(),
        "SELECT * FROM accounts WHERE email_key = ?1",
        [envelope.email.key().as_str()],
        |row| Ok(row::account(row)),
    )?;
    let account = match account.transpose() {
        Ok(account) => account,
        // One account that cannot be read must not keep the links of all others back.
        Err(error) => {
            let message_id = envelope.message_id;
            tracing::error!(%message_id, %error, "an account cannot be read: it gets no link");
            return suppress(work, envelope, None, Suppression::Unreadable);
        }
    };
    match recipient(work.now(), envelope, account.as_ref(), limited) {
        Ok((account, to)) => {
            let link = NewLink {
                reset_id: envelope.reset_id,
                message_id: envelope.message_id,
                identifier: Some(envelope.identifier),
                origin: Origin::Forgotten,
                to: &to,
                requested_at: envelope.accepted_at,
                expires_at: envelope.expires_at,
                fallback_locale: &envelope.locale,
            };
            send_link(work, &envelope.call, account, &link).map(|_| None)
        }
        Err(why) => suppress(work, envelope, account.as_ref(), why),
    }
}

/// The account that a link is for and where it goes, or why none goes anywhere.
fn recipient<'a>(
    now: Timestamp,
    envelope: &Envelope,
    account: Option<&'a Account>,
    limited: bool,
) -> Result<(&'a Account, Destination), Suppression> {
    match account {
        _ if envelope.expires_at <= now => Err(Suppression::Expired),
        _ if limited => Err(Suppression::IdentifierLimit),
        None => Err(Suppression::NoAccount),
        Some(account) if account.disabled => Err(Suppression::Disabled),
        Some(account) => {
            let to = Destination::verified(&account.profile, ChannelKind::Email);
            Ok((account, to.ok_or(Suppression::Unverified)?))
        }
    }
}

/// Leaves a message that is never sent: an answer for the support desk.
fn suppress(
    work: &mut Work<'_>,
    envelope: &Envelope,
    account: Option<&Account>,
    why: Suppression,
) -> Result<Option<Suppression>, StoreError> {
    let destination = envelope.email.masked();
    messages::insert(
        work,
        &messages::NewMessage {
            message_id: envelope.message_id,
            account_id: account.map(|account| account.account_id),
            identifier: Some(envelope.identifier),
            carries: None,
            kind: MessageKind::ResetLink,
            channel: ChannelKind::Email,
            address: None,
            destination: &destination,
            locale: &envelope.locale,
            state: DeliveryState::Suppressed,
            reason: why.name(),
            requested_at: envelope.accepted_at,
            expires_at: envelope.expires_at,
            happened: None,
        },
    )?;
    let mut event = Draft::success(work.now(), EventName::RequestSuppressed, &envelope.call)
        .because(Outcome::Refused, why.name())
        .fact("message_id", &envelope.message_id)
        .personal("destination", &destination);
    event.account_id = account.map(|account| account.account_id);
    work.record(event)?;
    Ok(Some(why))
}

/// A link that a signed-in person asked for.
pub(super) fn request_profile_link(
    work: &mut Work<'_>,
    intent: &RequestProfileLink,
) -> Result<ProfileLink, StoreError> {
    match earlier(work, intent.repeatable.as_ref())? {
        Earlier::New => {}
        Earlier::Same(kept) => {
            let queued = messages::kept_link(work.sql(), &kept)?;
            return Ok(queued.map_or(ProfileLink::NoAccount, ProfileLink::Queued));
        }
        Earlier::Other => return Ok(ProfileLink::RequestIdReused),
    }
    let account = one(
        work.sql(),
        "SELECT * FROM accounts WHERE account_id = ?1",
        [intent.account_id.as_bytes()],
        row::account,
    )?;
    let Some(account) = account else {
        return Ok(ProfileLink::NoAccount);
    };
    if account.disabled {
        return Ok(ProfileLink::Disabled);
    }
    let channel = account.profile.second_factor.channel();
    if !work.carries(channel) {
        return Ok(ProfileLink::ChannelMissing(channel));
    }
    let Some(to) = Destination::verified(&account.profile, channel) else {
        return Ok(ProfileLink::NoVerifiedAddress);
    };
    if let Err(limited) = limits::take(work, &[intent.limit])? {
        return Ok(ProfileLink::Limited(limited));
    }
    let link = NewLink {
        reset_id: intent.reset_id,
        message_id: intent.message_id,
        identifier: None,
        origin: Origin::Profile(channel),
        to: &to,
        requested_at: work.now(),
        expires_at: match channel {
            ChannelKind::Email => intent.lifetime.expiry(work.now()),
            ChannelKind::Sms => intent.sms_lifetime.expiry(work.now()),
        },
        fallback_locale: &account.profile.locale,
    };
    let queued = send_link(work, &intent.call, &account, &link)?;
    let kept = Kept {
        message_id: Some(queued.message_id),
        ..Kept::default()
    };
    remember(work, intent.repeatable.as_ref(), &kept)?;
    Ok(ProfileLink::Queued(queued))
}
