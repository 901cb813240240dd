//! Telling an account's owner what happened.

use super::messages::{self, Happened, NewMessage};
use super::work::Work;
use crate::domain::account::Account;
use crate::domain::destination::Destination;
use crate::domain::id::MessageId;
use crate::domain::message::{ChannelKind, DeliveryState, NOTICE_LIFETIME, Notice};
use crate::store::{AddressNotices, StoreError, Whence};

/// Tells the owner at every verified address, by every channel that there is.
pub(super) fn tell(
    work: &mut Work<'_>,
    account: &Account,
    about: Notice,
    notice_id: MessageId,
    whence: Option<Whence>,
) -> Result<(), StoreError> {
    for (channel, message_id) in [
        (ChannelKind::Email, notice_id),
        (ChannelKind::Sms, notice_id.twin()),
    ] {
        if let Some(to) = Destination::verified(&account.profile, channel)
            && work.carries(channel)
        {
            tell_at(work, account, &to, about, message_id, whence)?;
        }
    }
    Ok(())
}

/// Tells the owner that an address is another one: at every verified address of the account, and at the verified
/// one that it had before. Nobody is told of nothing.
pub(super) fn tell_of_another_address(
    work: &mut Work<'_>,
    before: &Account,
    after: &Account,
    notices: AddressNotices,
) -> Result<(), StoreError> {
    let (old, new) = (&before.profile, &after.profile);
    let about = Notice::AddressChanged;
    let mail = (ChannelKind::Email, old.email != new.email, notices.former);
    let text = (
        ChannelKind::Sms,
        old.phone != new.phone,
        notices.former.twin(),
    );
    if mail.1 || text.1 {
        tell(work, after, about, notices.present, None)?;
    }
    for (channel, another, message_id) in [mail, text] {
        if let Some(to) = Destination::verified(old, channel).filter(|_| another)
            && work.carries(channel)
        {
            tell_at(work, after, &to, about, message_id, None)?;
        }
    }
    Ok(())
}

fn tell_at(
    work: &mut Work<'_>,
    account: &Account,
    to: &Destination,
    about: Notice,
    message_id: MessageId,
    whence: Option<Whence>,
) -> Result<(), StoreError> {
    messages::insert(
        work,
        &NewMessage {
            message_id,
            account_id: Some(account.account_id),
            identifier: None,
            carries: None,
            kind: about.kind(),
            channel: to.channel,
            address: Some(&to.address),
            destination: &to.masked,
            locale: &account.profile.locale,
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
