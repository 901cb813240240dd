//! Telling an account's owner what happened.

use super::messages::{self, Happened, NewMessage};
use super::work::Work;
use crate::domain::account::Account;
use crate::domain::destination::Destination;
use crate::domain::id::MessageId;
use crate::domain::message::{ChannelKind, DeliveryState, MessageKind, NOTICE_LIFETIME, Notice};
use crate::domain::time::Timestamp;
use crate::store::{AddressNotices, StoreError, Whence};

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

impl Announcement {
    /// That of something that happened now.
    fn of(work: &Work<'_>, about: Notice, message_id: MessageId, whence: Option<Whence>) -> Self {
        Self {
            kind: about.kind(),
            message_id,
            expires_at: work.now().plus(NOTICE_LIFETIME),
            whence,
            codes_left: about.codes_left(),
        }
    }
}

/// Tells the owner what happened, at every verified address, by every channel that there is.
pub(super) fn tell(
    work: &mut Work<'_>,
    account: &Account,
    about: Notice,
    notice_id: MessageId,
    whence: Option<Whence>,
) -> Result<(), StoreError> {
    let announcement = Announcement::of(work, about, notice_id, whence);
    announce(work, account, announcement)?;
    Ok(())
}

/// Whether there is an address at which the owner can be told something.
pub(super) fn reaches(work: &Work<'_>, account: &Account) -> bool {
    ways(work, account).next().is_some()
}

fn ways(work: &Work<'_>, account: &Account) -> impl Iterator<Item = Destination> {
    [ChannelKind::Email, ChannelKind::Sms]
        .into_iter()
        .filter(|channel| work.carries(*channel))
        .filter_map(|channel| Destination::verified(&account.profile, channel))
}

/// Announces something in the same way; says at how many addresses.
pub(super) fn announce(
    work: &mut Work<'_>,
    account: &Account,
    announcement: Announcement,
) -> Result<u32, StoreError> {
    let mut told = 0;
    for to in ways(work, account).collect::<Vec<_>>() {
        announce_at(work, account, &to, announcement)?;
        told += 1;
    }
    Ok(told)
}

/// Tells the owner that an address is another one, or known to be theirs: at every verified address of the account, and at
/// the verified one that it had before.
pub(super) fn tell_of_addresses(
    work: &mut Work<'_>,
    before: &Account,
    after: &Account,
    notices: AddressNotices,
) -> Result<(), StoreError> {
    let about = Notice::AddressChanged;
    tell(work, after, about, notices.present, None)?;
    let (old, new) = (&before.profile, &after.profile);
    let former = Announcement::of(work, about, notices.former, None);
    for to in ways(work, before).collect::<Vec<_>>() {
        let is_another = match to.channel {
            ChannelKind::Email => old.email != new.email,
            ChannelKind::Sms => old.phone != new.phone,
        };
        if is_another {
            announce_at(work, after, &to, former)?;
        }
    }
    Ok(())
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
            message_id: match to.channel {
                ChannelKind::Email => announcement.message_id,
                ChannelKind::Sms => announcement.message_id.twin(),
            },
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
