//! Invitations: a link to a first password, to an address that need not be verified.

use super::accounts;
use super::idempotency::{Earlier, Kept, earlier, remember};
use super::links::{NewLink, send_link};
use super::messages;
use super::work::Work;
use crate::domain::destination::Destination;
use crate::domain::reset::Origin;
use crate::store::{InviteSent, SendInvite, StoreError};

/// Sends an invitation, unless the account has a password.
pub(super) fn send(work: &mut Work<'_>, intent: &SendInvite) -> Result<InviteSent, StoreError> {
    match earlier(work, intent.repeatable.as_ref())? {
        Earlier::New => {}
        Earlier::Same(kept) => {
            let queued = messages::kept_link(work.sql(), &kept)?;
            return Ok(queued.map_or(InviteSent::NoAccount, InviteSent::Queued));
        }
        Earlier::Other => return Ok(InviteSent::RequestIdReused),
    }
    let Some(account) = accounts::by_id(work.sql(), intent.account_id)? else {
        return Ok(InviteSent::NoAccount);
    };
    if account.disabled {
        return Ok(InviteSent::Disabled);
    }
    if account.has_password {
        return Ok(InviteSent::HasPassword);
    }
    let link = NewLink {
        reset_id: intent.reset_id,
        message_id: intent.message_id,
        identifier: None,
        origin: Origin::Invitation,
        to: &Destination::email(&account.profile),
        requested_at: work.now(),
        expires_at: intent.lifetime.expiry(work.now()),
        fallback_locale: &account.profile.locale,
    };
    let queued = send_link(work, &intent.call, &account, &link)?;
    let kept = Kept {
        message_id: Some(queued.message_id),
        ..Kept::default()
    };
    remember(work, intent.repeatable.as_ref(), &kept)?;
    Ok(InviteSent::Queued(queued))
}
