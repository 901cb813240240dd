//! An address that its owner is about to prove.

use super::account::AccountChange;
use super::destination::Destination;
use super::email::Email;
use super::message::ChannelKind;
use super::phone::Phone;
use std::fmt;

/// An address that becomes an account's, verified, once its code was shown. It may be the account's already.
#[derive(Clone, PartialEq, Eq)]
pub enum NewAddress {
    /// Of mail.
    Email(Email),
    /// Of text messages.
    Phone(Phone),
}

impl NewAddress {
    /// The way that messages go to it.
    #[must_use]
    pub const fn channel(&self) -> ChannelKind {
        match self {
            Self::Email(_) => ChannelKind::Email,
            Self::Phone(_) => ChannelKind::Sms,
        }
    }

    /// The whole address.
    #[must_use]
    pub fn address(&self) -> &str {
        match self {
            Self::Email(email) => email.address(),
            Self::Phone(phone) => phone.as_str(),
        }
    }

    /// Reads what [`address`](Self::address) gave.
    #[must_use]
    pub fn parse(channel: ChannelKind, address: &str) -> Option<Self> {
        match channel {
            ChannelKind::Email => Email::parse(address).ok().map(Self::Email),
            ChannelKind::Sms => Phone::parse(address).ok().map(Self::Phone),
        }
    }

    /// Where its code goes.
    #[must_use]
    pub fn destination(&self) -> Destination {
        Destination {
            channel: self.channel(),
            address: self.address().to_owned(),
            masked: match self {
                Self::Email(email) => email.masked(),
                Self::Phone(phone) => phone.masked(),
            },
        }
    }

    /// Makes it an account's.
    #[must_use]
    pub fn change(self) -> AccountChange {
        match self {
            Self::Email(email) => AccountChange {
                email: Some(email),
                email_verified: Some(true),
                ..AccountChange::default()
            },
            Self::Phone(phone) => AccountChange {
                phone: Some(Some(phone)),
                phone_verified: Some(true),
                ..AccountChange::default()
            },
        }
    }
}

/// Masked.
impl fmt::Debug for NewAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.destination().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_as_it_is_written_and_printed_masked() {
        for (channel, address, masked) in [
            (
                ChannelKind::Email,
                "Ada@Example.com",
                "EMAIL, A***@Example.com",
            ),
            (ChannelKind::Sms, "+14155550123", "SMS, +*********23"),
        ] {
            let new = NewAddress::parse(channel, address).unwrap();
            assert_eq!((new.channel(), new.address()), (channel, address));
            assert_eq!(format!("{new:?}"), format!("Destination({masked})"));
            assert_eq!(NewAddress::parse(channel, ""), None);
        }
    }
}
