//! Where a message goes.

use super::account::{Profile, SecondFactor};
use super::message::ChannelKind;
use std::fmt;

/// An address that messages can be sent to.
#[derive(Clone, PartialEq, Eq)]
pub struct Destination {
    /// By which way.
    pub channel: ChannelKind,
    /// The whole address.
    pub address: String,
    /// The address as it may be shown.
    pub masked: String,
}

impl Destination {
    /// The address of a person's mail, whether or not it is known to be theirs.
    #[must_use]
    pub fn email(profile: &Profile) -> Self {
        Self {
            channel: ChannelKind::Email,
            address: profile.email.address().to_owned(),
            masked: profile.email.masked(),
        }
    }

    /// Where messages by this channel reach a person, if that address is known to be theirs.
    #[must_use]
    pub fn verified(profile: &Profile, channel: ChannelKind) -> Option<Self> {
        match channel {
            ChannelKind::Email => profile.email_verified.then(|| Self::email(profile)),
            ChannelKind::Sms => {
                let phone = profile.phone.as_ref().filter(|_| profile.phone_verified)?;
                Some(Self {
                    channel,
                    address: phone.as_str().to_owned(),
                    masked: phone.masked(),
                })
            }
        }
    }

    /// Where codes and invitations by this channel go: to the email whether or not it is known to be theirs, since
    /// nobody else can be meant by the name that they sign in with, and an invitation is what verifies it.
    #[must_use]
    pub fn of_codes(profile: &Profile, channel: ChannelKind) -> Option<Self> {
        match channel {
            ChannelKind::Email => Some(Self::email(profile)),
            ChannelKind::Sms => Self::verified(profile, channel),
        }
    }
}

/// Masked.
impl fmt::Debug for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Destination({}, {})", self.channel.name(), self.masked)
    }
}

impl SecondFactor {
    /// The way that links from a profile go: that of the factor, and by email where it has none, for an
    /// app cannot receive one.
    #[must_use]
    pub const fn channel(self) -> ChannelKind {
        match self {
            Self::Email | Self::Totp => ChannelKind::Email,
            Self::Sms => ChannelKind::Sms,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::account::{DisplayName, Locale};
    use crate::domain::email::Email;
    use crate::domain::phone::Phone;

    #[test]
    fn only_a_verified_address_is_a_destination_and_is_printed_masked() {
        let mut profile = Profile {
            email: Email::parse("ada@example.com").unwrap(),
            email_verified: false,
            phone: None,
            phone_verified: true,
            second_factor: SecondFactor::Email,
            locale: Locale::default(),
            display_name: DisplayName::default(),
        };
        let reached = |profile: &Profile| {
            [ChannelKind::Email, ChannelKind::Sms]
                .map(|channel| Destination::verified(profile, channel))
        };
        assert_eq!(reached(&profile), [None, None]);
        profile.email_verified = true;
        profile.phone = Some(Phone::parse("+14155550123").unwrap());
        let [email, phone] = reached(&profile).map(Option::unwrap);
        assert_eq!(email.address, "ada@example.com");
        assert_eq!(phone.address, "+14155550123");
        assert_eq!(
            format!("{email:?} {phone:?}"),
            "Destination(EMAIL, a***@example.com) Destination(SMS, +*********23)"
        );
        profile.phone_verified = false;
        assert_eq!(reached(&profile)[1], None);
    }
}
