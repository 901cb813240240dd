//! Making a link and the message that carries it.

use super::messages::{self, Carried, NewMessage};
use super::row::{Columns, all, change};
use super::work::Work;
use crate::domain::account::{Account, Locale};
use crate::domain::audit::{Draft, EventName};
use crate::domain::call::Call;
use crate::domain::destination::Destination;
use crate::domain::id::{MessageId, ResetId};
use crate::domain::message::DeliveryState;
use crate::domain::pseudonym::Pseudonym;
use crate::domain::reset::{LIVE_LINKS, Origin};
use crate::domain::time::Timestamp;
use crate::domain::tries::TRIES;
use crate::store::{QueuedLink, StoreError};

/// The condition under which a reset `r` of account `a` is live at `?1`.
pub(super) const LIVE: &str =
    "r.used_at IS NULL AND r.cancelled_at IS NULL AND r.expires_at > ?1 AND r.code_tries < 5
     AND r.credential_version = a.credential_version AND a.disabled = 0";

// That text, and that of challenges, have the number spelled out.
const _: () = assert!(TRIES == 5);

/// A link to be made for an account.
pub(super) struct NewLink<'a> {
    pub(super) reset_id: ResetId,
    pub(super) message_id: MessageId,
    pub(super) identifier: Option<Pseudonym>,
    pub(super) origin: Origin,
    /// Goes the way of the origin.
    pub(super) to: &'a Destination,
    pub(super) requested_at: Timestamp,
    pub(super) expires_at: Timestamp,
    pub(super) fallback_locale: &'a Locale,
}

/// Makes a link and queues its message. Where the account has as many live links of that sort as it may, the
/// newest of them is sent again instead: nobody can push out a link that its owner is about to use. A link
/// never goes by two ways, for what it needs beside it depends on the one that it went.
pub(super) fn send_link(
    work: &mut Work<'_>,
    call: &Call,
    account: &Account,
    link: &NewLink<'_>,
) -> Result<QueuedLink, StoreError> {
    let live = live_links(work, account, link.origin)?;
    let (event, reset_id, expires_at) = match live.first() {
        Some((newest, expires_at)) if live.len() >= LIVE_LINKS as usize => {
            (EventName::TokenResent, *newest, *expires_at)
        }
        _ => {
            insert_reset(work, account, link)?;
            (EventName::TokenCreated, link.reset_id, link.expires_at)
        }
    };
    let own_locale = &account.profile.locale;
    let to = link.to;
    messages::insert(
        work,
        &NewMessage {
            message_id: link.message_id,
            account_id: Some(account.account_id),
            identifier: link.identifier,
            carries: Some(Carried::Link(reset_id)),
            kind: link.origin.message_kind(),
            channel: to.channel,
            address: Some(&to.address),
            destination: &to.masked,
            locale: if own_locale.as_str().is_empty() {
                link.fallback_locale
            } else {
                own_locale
            },
            state: DeliveryState::Queued,
            reason: "",
            requested_at: link.requested_at,
            expires_at,
            happened: None,
        },
    )?;
    work.record(
        Draft::success(work.now(), event, call)
            .of(account.account_id)
            .fact("reset_id", &reset_id)
            .fact("message_id", &link.message_id)
            .fact("kind", &link.origin.message_kind().name())
            .fact("channel", &to.channel.name())
            .personal("destination", &to.masked),
    )?;
    Ok(QueuedLink {
        message_id: link.message_id,
        channel: to.channel,
        destination: to.masked.clone(),
        expires_at,
    })
}

/// The account's live links that count together, the newest first, no more than matter.
fn live_links(
    work: &Work<'_>,
    account: &Account,
    origin: Origin,
) -> Result<Vec<(ResetId, Timestamp)>, StoreError> {
    let origins: Vec<_> = origin
        .counted_with()
        .iter()
        .map(|origin| origin.code().to_string())
        .collect();
    let origins = origins.join(", ");
    all(
        work.sql(),
        &format!(
            "SELECT r.reset_id, r.expires_at FROM resets r JOIN accounts a USING (account_id)
             WHERE r.account_id = ?2 AND r.origin IN ({origins}) AND {LIVE} ORDER BY r.created_at DESC, r.reset_id LIMIT {LIVE_LINKS}"
        ),
        (work.now().as_micros(), account.account_id.as_bytes()),
        |row| Ok((row.reset_id("reset_id")?, row.moment("expires_at")?)),
    )
}

fn insert_reset(work: &Work<'_>, account: &Account, link: &NewLink<'_>) -> Result<(), StoreError> {
    change(
        work.sql(),
        "INSERT INTO resets (reset_id, account_id, credential_version, origin, created_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        (
            link.reset_id.as_bytes(),
            account.account_id.as_bytes(),
            account.credential_version.get(),
            link.origin.code(),
            work.now().as_micros(),
            link.expires_at.as_micros(),
        ),
    )?;
    Ok(())
}
