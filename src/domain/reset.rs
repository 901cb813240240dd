//! The rules of resets.

use super::account::SecondFactor;
use super::message::{ChannelKind, MessageKind};
use super::time::Timestamp;
use super::token::LinkKind;
use std::time::Duration;
use thiserror::Error;

/// Longest life of a link sent by email: SP 800-63B-4 §4.2.1.2 allows 24 h.
pub const EMAIL_LIFETIME_MAX: Duration = Duration::from_hours(24);

/// Longest life of a link sent by SMS: SP 800-63B-4 §4.2.1.2 allows 10 minutes.
pub const SMS_LIFETIME_MAX: Duration = Duration::from_mins(10);

/// Longest life of an invitation: its account has nothing yet that a stranger could take.
pub const INVITATION_LIFETIME_MAX: Duration = Duration::from_hours(7 * 24);

/// Below it a link would be dead before it is read.
const SHORTEST_LIFETIME: Duration = Duration::from_mins(1);

/// How many links of an account may live at a time, by each way; a further request sends the newest again.
pub const LIVE_LINKS: u32 = 3;

/// How long the link of an email lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkLifetime(Duration);

/// How long the link of a text message lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SmsLinkLifetime(Duration);

/// How long an invitation lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvitationLifetime(Duration);

/// The lifetime is not one that a link may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum LifetimeRefused {
    /// Zero, or over 24 hours.
    #[error("must be between 1 minute and 24 hours (SP 800-63B-4 §4.2.1.2)")]
    Email,
    /// Zero, or over 10 minutes.
    #[error("must be between 1 minute and 10 minutes (SP 800-63B-4 §4.2.1.2)")]
    Sms,
    /// Zero, or over a week.
    #[error("must be between 1 minute and 168 hours")]
    Invitation,
}

impl LinkLifetime {
    /// A lifetime of one minute to 24 hours.
    pub fn new(lifetime: Duration) -> Result<Self, LifetimeRefused> {
        if (SHORTEST_LIFETIME..=EMAIL_LIFETIME_MAX).contains(&lifetime) {
            Ok(Self(lifetime))
        } else {
            Err(LifetimeRefused::Email)
        }
    }

    /// The span.
    #[must_use]
    pub const fn get(self) -> Duration {
        self.0
    }

    /// When a link taken in at `accepted_at` dies.
    #[must_use]
    pub fn expiry(self, accepted_at: Timestamp) -> Timestamp {
        accepted_at.plus(self.0)
    }
}

/// Thirty minutes.
impl Default for LinkLifetime {
    fn default() -> Self {
        Self(Duration::from_mins(30))
    }
}

impl SmsLinkLifetime {
    /// A lifetime of one minute to ten.
    pub fn new(lifetime: Duration) -> Result<Self, LifetimeRefused> {
        if (SHORTEST_LIFETIME..=SMS_LIFETIME_MAX).contains(&lifetime) {
            Ok(Self(lifetime))
        } else {
            Err(LifetimeRefused::Sms)
        }
    }

    /// When a link made at `moment` dies.
    #[must_use]
    pub fn expiry(self, moment: Timestamp) -> Timestamp {
        moment.plus(self.0)
    }
}

/// Ten minutes.
impl Default for SmsLinkLifetime {
    fn default() -> Self {
        Self(SMS_LIFETIME_MAX)
    }
}

impl InvitationLifetime {
    /// A lifetime of one minute to a week.
    pub fn new(lifetime: Duration) -> Result<Self, LifetimeRefused> {
        if (SHORTEST_LIFETIME..=INVITATION_LIFETIME_MAX).contains(&lifetime) {
            Ok(Self(lifetime))
        } else {
            Err(LifetimeRefused::Invitation)
        }
    }

    /// When an invitation made at `moment` ends.
    #[must_use]
    pub fn expiry(self, moment: Timestamp) -> Timestamp {
        moment.plus(self.0)
    }
}

/// Seventy-two hours.
impl Default for InvitationLifetime {
    fn default() -> Self {
        Self(Duration::from_hours(72))
    }
}

/// Who asked for a link, and by which way it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Somebody who typed the address, at sign-in. It went by email.
    Forgotten,
    /// The signed-in person, from their profile.
    Profile(ChannelKind),
    /// The company, for somebody who has no password yet. It went by email.
    Invitation,
}

impl Origin {
    /// The number that stands for the origin in the store.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Forgotten => 1,
            Self::Profile(ChannelKind::Email) => 2,
            Self::Profile(ChannelKind::Sms) => 3,
            Self::Invitation => 4,
        }
    }

    /// The origin of this number.
    #[must_use]
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Forgotten),
            2 => Some(Self::Profile(ChannelKind::Email)),
            3 => Some(Self::Profile(ChannelKind::Sms)),
            4 => Some(Self::Invitation),
            _ => None,
        }
    }

    /// The way that its links go.
    #[must_use]
    pub const fn channel(self) -> ChannelKind {
        match self {
            Self::Forgotten | Self::Invitation => ChannelKind::Email,
            Self::Profile(channel) => channel,
        }
    }

    /// The origins whose links count together with those of this one.
    #[must_use]
    pub const fn counted_with(self) -> &'static [Self] {
        match self {
            Self::Forgotten | Self::Profile(ChannelKind::Email) => {
                &[Self::Forgotten, Self::Profile(ChannelKind::Email)]
            }
            Self::Profile(ChannelKind::Sms) => &[Self::Profile(ChannelKind::Sms)],
            Self::Invitation => &[Self::Invitation],
        }
    }

    /// The kind of token that its links carry.
    #[must_use]
    pub const fn link_kind(self) -> LinkKind {
        match self {
            Self::Forgotten | Self::Profile(_) => LinkKind::Reset,
            Self::Invitation => LinkKind::Invitation,
        }
    }

    /// The kind of message that brings them.
    #[must_use]
    pub const fn message_kind(self) -> MessageKind {
        match self {
            Self::Forgotten | Self::Profile(_) => MessageKind::ResetLink,
            Self::Invitation => MessageKind::Invitation,
        }
    }

    /// What the holder of such a link must show beside it, for an account that has this factor now: nothing
    /// more only if the link itself went the factor's way. A reset never bypasses a second factor.
    #[must_use]
    pub const fn requires(self, factor: SecondFactor) -> Option<SecondFactor> {
        match (factor, self.channel()) {
            (SecondFactor::Email, ChannelKind::Email) | (SecondFactor::Sms, ChannelKind::Sms) => {
                None
            }
            (factor, _) => Some(factor),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lifetime_stays_within_what_nist_allows() {
        assert_eq!(LinkLifetime::default().get(), Duration::from_mins(30));
        assert!(LinkLifetime::new(EMAIL_LIFETIME_MAX).is_ok());
        assert_eq!(
            LinkLifetime::new(EMAIL_LIFETIME_MAX + Duration::from_secs(1)),
            Err(LifetimeRefused::Email)
        );
        assert_eq!(
            LinkLifetime::new(Duration::ZERO),
            Err(LifetimeRefused::Email)
        );
        for refused in [Duration::from_secs(59), Duration::from_secs(601)] {
            assert_eq!(SmsLinkLifetime::new(refused), Err(LifetimeRefused::Sms));
        }
        for refused in [Duration::from_secs(59), Duration::from_hours(169)] {
            let refused = InvitationLifetime::new(refused);
            assert_eq!(refused, Err(LifetimeRefused::Invitation));
        }
        assert!(InvitationLifetime::new(INVITATION_LIFETIME_MAX).is_ok());
        let longest = SmsLinkLifetime::new(Duration::from_mins(10));
        assert_eq!(longest, Ok(SmsLinkLifetime::default()));
    }

    #[test]
    fn only_a_link_that_went_the_factors_own_way_needs_nothing_more() {
        use SecondFactor::{Email, Sms, Totp};
        let by_sms = Origin::Profile(ChannelKind::Sms);
        for by_email in [
            Origin::Forgotten,
            Origin::Profile(ChannelKind::Email),
            Origin::Invitation,
        ] {
            assert_eq!(by_email.requires(Email), None);
            assert_eq!(by_email.requires(Sms), Some(Sms));
            assert_eq!(by_email.requires(Totp), Some(Totp));
        }
        assert_eq!(by_sms.requires(Sms), None);
        assert_eq!(by_sms.requires(Totp), Some(Totp));
        assert_eq!(by_sms.requires(Email), Some(Email));
    }

    #[test]
    fn an_origin_is_found_by_its_number_and_counts_with_those_that_go_its_way() {
        for code in 1..=4 {
            let origin = Origin::from_code(code).unwrap();
            assert_eq!(origin.code(), code);
            assert!(origin.counted_with().contains(&origin));
            for other in origin.counted_with() {
                assert_eq!(other.channel(), origin.channel());
                assert_eq!(other.counted_with(), origin.counted_with());
                assert_eq!(other.link_kind(), origin.link_kind());
                assert_eq!(other.message_kind(), origin.message_kind());
            }
        }
        assert_eq!(Origin::from_code(0), None);
        assert_eq!(Origin::from_code(5), None);
    }
}
