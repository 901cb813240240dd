//! Messages to people, and how often their delivery is tried.

use std::time::Duration;

/// What a message is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageKind {
    /// A link to choose a new password.
    ResetLink,
    /// A link to choose a first password.
    Invitation,
    /// The code that a confirm asks for.
    ResetCode,
    /// The code that a sign-in asks for.
    SignInCode,
    /// The code that proves an address.
    AddressCode,
    /// A notice that the password was changed.
    PasswordChanged,
    /// A notice that a recovery code was used.
    RecoveryCodeUsed,
    /// A notice that the email or the phone was changed.
    AddressChanged,
    /// A notice that the second factor was changed.
    SecondFactorChanged,
    /// A notice that the second factor is about to be removed, with a link that stops it.
    SecondFactorRemoval,
    /// A notice that recovery codes were issued.
    RecoveryCodesRenewed,
    /// A notice of many wrong passwords.
    WrongPasswords,
    /// A notice of wrong codes.
    WrongSecondFactors,
    /// A notice that the password works no more, for a stranger knows it.
    PasswordCompromised,
}

impl MessageKind {
    /// The number that stands for the kind in the store.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::ResetLink => 1,
            Self::PasswordChanged => 2,
            Self::Invitation => 6,
            Self::AddressChanged => 7,
            Self::ResetCode => 3,
            Self::SignInCode => 4,
            Self::AddressCode => 5,
            Self::RecoveryCodeUsed => 11,
            Self::SecondFactorChanged => 8,
            Self::SecondFactorRemoval => 9,
            Self::RecoveryCodesRenewed => 10,
            Self::WrongPasswords => 12,
            Self::WrongSecondFactors => 13,
            Self::PasswordCompromised => 14,
        }
    }

    /// The kind of this number.
    #[must_use]
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::ResetLink),
            2 => Some(Self::PasswordChanged),
            6 => Some(Self::Invitation),
            7 => Some(Self::AddressChanged),
            3 => Some(Self::ResetCode),
            4 => Some(Self::SignInCode),
            5 => Some(Self::AddressCode),
            11 => Some(Self::RecoveryCodeUsed),
            8 => Some(Self::SecondFactorChanged),
            9 => Some(Self::SecondFactorRemoval),
            10 => Some(Self::RecoveryCodesRenewed),
            12 => Some(Self::WrongPasswords),
            13 => Some(Self::WrongSecondFactors),
            14 => Some(Self::PasswordCompromised),
            _ => None,
        }
    }

    /// Whether it carries a code.
    #[must_use]
    pub const fn is_code(self) -> bool {
        matches!(self, Self::ResetCode | Self::SignInCode | Self::AddressCode)
    }

    /// The kind's name in the audit log and in the inbox.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ResetLink => "RESET_LINK",
            Self::Invitation => "INVITATION",
            Self::PasswordChanged => "PASSWORD_CHANGED",
            Self::AddressChanged => "ADDRESS_CHANGED",
            Self::ResetCode => "RESET_CODE",
            Self::SignInCode => "SIGN_IN_CODE",
            Self::AddressCode => "ADDRESS_CODE",
            Self::RecoveryCodeUsed => "RECOVERY_CODE_USED",
            Self::SecondFactorChanged => "SECOND_FACTOR_CHANGED",
            Self::SecondFactorRemoval => "SECOND_FACTOR_REMOVAL",
            Self::RecoveryCodesRenewed => "RECOVERY_CODES_RENEWED",
            Self::WrongPasswords => "WRONG_PASSWORDS",
            Self::WrongSecondFactors => "WRONG_SECOND_FACTORS",
            Self::PasswordCompromised => "PASSWORD_COMPROMISED",
        }
    }
}

/// What a message tells that asks for nothing and carries no link of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// The password was changed.
    PasswordChanged,
    /// The email or the phone was changed.
    AddressChanged,
    /// A recovery code was used.
    RecoveryCodeUsed {
        /// How many there are left.
        left: u32,
    },
    /// The second factor was changed.
    SecondFactorChanged,
    /// Recovery codes were issued, and those before them are void.
    RecoveryCodesRenewed,
    /// Somebody tries wrong passwords.
    WrongPasswords,
    /// Somebody who has the password or a link tries wrong codes.
    WrongSecondFactors,
    /// The password works no more, for a stranger knows it.
    PasswordCompromised,
}

impl Notice {
    /// Every notice.
    pub const ALL: [Self; 8] = [
        Self::PasswordChanged,
        Self::RecoveryCodeUsed { left: 7 },
        Self::AddressChanged,
        Self::SecondFactorChanged,
        Self::RecoveryCodesRenewed,
        Self::WrongPasswords,
        Self::WrongSecondFactors,
        Self::PasswordCompromised,
    ];

    /// How many recovery codes are left, if that is what it tells.
    #[must_use]
    pub const fn codes_left(self) -> Option<u32> {
        if let Self::RecoveryCodeUsed { left } = self {
            Some(left)
        } else {
            None
        }
    }

    /// The kind of message that it is.
    #[must_use]
    pub const fn kind(self) -> MessageKind {
        match self {
            Self::PasswordChanged => MessageKind::PasswordChanged,
            Self::AddressChanged => MessageKind::AddressChanged,
            Self::RecoveryCodeUsed { .. } => MessageKind::RecoveryCodeUsed,
            Self::SecondFactorChanged => MessageKind::SecondFactorChanged,
            Self::RecoveryCodesRenewed => MessageKind::RecoveryCodesRenewed,
            Self::WrongPasswords => MessageKind::WrongPasswords,
            Self::WrongSecondFactors => MessageKind::WrongSecondFactors,
            Self::PasswordCompromised => MessageKind::PasswordCompromised,
        }
    }
}

/// How a message travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChannelKind {
    /// Email.
    Email,
    /// Text message.
    Sms,
}

impl ChannelKind {
    /// The number that stands for the channel in the store.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Email => 1,
            Self::Sms => 2,
        }
    }

    /// The channel of this number.
    #[must_use]
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Email),
            2 => Some(Self::Sms),
            _ => None,
        }
    }

    /// The channel's name in the API: `EMAIL` or `SMS`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Email => "EMAIL",
            Self::Sms => "SMS",
        }
    }
}

/// How long a notice is tried; it has no link whose end would be its own.
///
/// A mail server that takes it over tries for four or five days more (RFC 5321 §4.5.4.1). These three bridge an
/// outage of that server itself over a long weekend, after which the news helps its reader no more.
pub const NOTICE_LIFETIME: Duration = Duration::from_hours(72);

/// Where a message stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryState {
    /// Waits for its first or next attempt.
    Queued,
    /// The channel accepted it.
    Sent,
    /// The channel refused it for good.
    Failed,
    /// Its link was dead, or a notice's time over, when an attempt would have started.
    Expired,
    /// It was never going to be sent; nobody outside learns so.
    Suppressed,
}

impl DeliveryState {
    /// The number that stands for the state in the store.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Queued => 1,
            Self::Sent => 2,
            Self::Failed => 3,
            Self::Expired => 4,
            Self::Suppressed => 5,
        }
    }

    /// The state of this number.
    #[must_use]
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Queued),
            2 => Some(Self::Sent),
            3 => Some(Self::Failed),
            4 => Some(Self::Expired),
            5 => Some(Self::Suppressed),
            _ => None,
        }
    }
}

/// Why a request led to no message, or a message was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suppression {
    /// No account has the address.
    NoAccount,
    /// The account is disabled.
    Disabled,
    /// The address was never verified.
    Unverified,
    /// The address's limit was reached.
    IdentifierLimit,
    /// The link's life was over before the request was resolved.
    Expired,
    /// The store holds of the account what this version cannot read.
    Unreadable,
    /// No text message goes to numbers of this country.
    CountryNotServed,
    /// The number got as many text messages today as one may.
    NumberBudget,
    /// The country's numbers did.
    CountryBudget,
    /// All numbers together did.
    DayBudget,
}

impl Suppression {
    /// The reason as operators read it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoAccount => "no_account",
            Self::Disabled => "account_disabled",
            Self::Unverified => "address_unverified",
            Self::IdentifierLimit => "identifier_limit",
            Self::Expired => "expired_before_resolved",
            Self::Unreadable => "account_unreadable",
            Self::CountryNotServed => "sms_country_not_served",
            Self::NumberBudget => "sms_number_budget",
            Self::CountryBudget => "sms_country_budget",
            Self::DayBudget => "sms_day_budget",
        }
    }
}

const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_mins(5);

/// How long to wait after the `attempt`th failure (counted from 1): doubling from 5 s to 5 min, and
/// of that a random share between half and all, so that a recovered server is not met by everyone at once.
#[must_use]
pub fn pause_after(attempt: u32, random: u32) -> Duration {
    let doubled = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(attempt.saturating_sub(1)));
    let full = doubled.min(LONGEST_PAUSE);
    let share = f64::from(random) / f64::from(u32::MAX);
    full / 2 + (full / 2).mul_f64(share)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn pauses_double_up_to_five_minutes() {
        let longest = |attempt| pause_after(attempt, u32::MAX);
        assert_eq!(longest(1), Duration::from_secs(5));
        assert_eq!(longest(2), Duration::from_secs(10));
        assert_eq!(longest(7), LONGEST_PAUSE);
        assert_eq!(longest(u32::MAX), LONGEST_PAUSE);
    }

    proptest! {
        #[test]
        fn jitter_takes_at_most_half(attempt: u32, random: u32) {
            let (pause, longest) = (pause_after(attempt, random), pause_after(attempt, u32::MAX));
            prop_assert!(pause <= longest && pause >= longest / 2);
        }
    }
}
