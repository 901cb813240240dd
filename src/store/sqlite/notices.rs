//! Telling an account's owner what happened.

use super::messages::{self, Happened, NewMessage};
use super::work::Work;
use crate::domain::account::Account;
use crate::domain::id::MessageId;
use crate::domain::message::{ChannelKind, DeliveryState, NOTICE_LIFETIME, Notice};
use crate::store::{StoreError, Whence};

/// Tells the owner at every verified address that messages can be sent to.
pub(super) fn tell(
    work: &mut Work<'_>,
    account: &Account,
    about: Notice,
    notice_id: MessageId,
    whence: Option<Whence>,
) -> Result<(), StoreError> {
    let profile = &account.profile;
    if !profile.email_verified {
        return Ok(());
    }
    messages::insert(
        work,
        &NewMessage {
            message_id: notice_id,
            account_id: Some(account.account_id),
            identifier: None,
            carries: None,
            kind: about.kind(),
            channel: ChannelKind::Email,
            address: Some(profile.email.address()),
            destination: &profile.email.masked(),
            locale: &profile.locale,
            state: DeliveryState::Queued,
            reason: "",
            requested_at: work.now(),
            expires_at: work.now().plus(NOTICE_LIFETIME),
            happened: Some(Happened {
                at: work.now(),
                whence,
                codes_left: about.codes_left(),
            }),
        },
    )
}
