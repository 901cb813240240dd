//! Telling an account's owner what happened.

use super::messages::{self, Happened, NewMessage};
use super::work::Work;
use crate::domain::account::Account;
use crate::domain::destination::Destination;
use crate::domain::id::MessageId;
use crate::domain::message::{ChannelKind, DeliveryState, MessageKind, NOTICE_LIFETIME, Notice};
use crate::domain::time::Timestamp;
use crate::store::{StoreError, Whence};

/// A message for the owner of an account, wherever they can be reached.
#[derive(Clone, Copy)]
pub(super) struct Announcement {
    pub(super) kind: MessageKind,
    /// Names the mail; the text message has the twin of it.
    pub(super) message_id: MessageId,
    pub(super) expires_at: Timestamp,
    pub(super) whence: Option<Whence>,
    /// Of a used recovery code: how many are left.
    pub(super) codes_left: Option<u32>,
}

/// Tells the owner what happened, at every verified address, by every channel that there is.
pub(super) fn tell(
    work: &mut Work<'_>,
    account: &Account,
    about: Notice,
    notice_id: MessageId,
    whence: Option<Whence>,
) -> Result<(), StoreError> {
    let announcement = Announcement {
        kind: about.kind(),
        message_id: notice_id,
        expires_at: work.now().plus(NOTICE_LIFETIME),
        whence,
        codes_left: about.codes_left(),
    };
    announce(work, account, announcement)?;
    Ok(())
}

/// Announces something in the same way; says at how many addresses.
pub(super) fn announce(
    work: &mut Work<'_>,
    account: &Account,
    announcement: Announcement,
) -> Result<u32, StoreError> {
    let mut told = 0;
    for (channel, message_id) in [
        (ChannelKind::Email, announcement.message_id),
        (ChannelKind::Sms, announcement.message_id.twin()),
    ] {
        if let Some(to) = Destination::verified(&account.profile, channel)
            && work.carries(channel)
        {
            let announcement = Announcement {
                message_id,
                ..announcement
            };
            announce_at(work, account, &to, announcement)?;
            told += 1;
        }
    }
    Ok(told)
}

fn announce_at(
    work: &mut Work<'_>,
    account: &Account,
    to: &Destination,
    announcement: Announcement,
) -> Result<(), StoreError> {
    messages::insert(
        work,
        &NewMessage {
            message_id: announcement.message_id,
            account_id: Some(account.account_id),
            identifier: None,
            carries: None,
            kind: announcement.kind,
            channel: to.channel,
            address: Some(&to.address),
            destination: &to.masked,
            locale: &account.profile.locale,
            state: DeliveryState::Queued,
            reason: "",
            requested_at: work.now(),
            expires_at: announcement.expires_at,
            happened: Some(Happened {
                at: work.now(),
                whence: announcement.whence,
                codes_left: announcement.codes_left,
            }),
        },
    )
}
