//! Accounts: who may have a password.

use super::email::Email;
use super::id::AccountId;
use super::phone::Phone;
use super::time::Timestamp;
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// What an account asks for beside its password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecondFactor {
    /// A code sent to the account's email address.
    Email,
    /// A code sent to the account's phone.
    Sms,
    /// The code of an authenticator app (RFC 6238).
    Totp,
}

impl SecondFactor {
    /// The number that stands for the factor in the store and in proofs.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Email => 1,
            Self::Sms => 2,
            Self::Totp => 3,
        }
    }

    /// The factor of this number.
    #[must_use]
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Email),
            2 => Some(Self::Sms),
            3 => Some(Self::Totp),
            _ => None,
        }
    }

    /// The factor's name in the API: `EMAIL`, `SMS` or `TOTP`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Email => "EMAIL",
            Self::Sms => "SMS",
            Self::Totp => "TOTP",
        }
    }
}

/// Counts what an account signs in with: every change of password, email, phone or second factor,
/// every disabling and every ending of sessions moves it by one. Links, challenges and proofs carry
/// the version they were made under and die when it moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CredentialVersion(i64);

impl CredentialVersion {
    /// The version of a new account.
    pub const FIRST: Self = Self(1);

    /// The version of this number.
    #[must_use]
    pub const fn new(version: i64) -> Self {
        Self(version)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The version after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// Counts changes of an account's record; an update names the one that it read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revision(i64);

/// The text is not an etag of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be the etag of an account that was read before")]
pub struct EtagUnreadable;

impl Revision {
    /// The revision of a new account.
    pub const FIRST: Self = Self(1);

    /// The revision of this number.
    #[must_use]
    pub const fn new(revision: i64) -> Self {
        Self(revision)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }
}

/// The etag: opaque to callers.
impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", self.0)
    }
}

impl FromStr for Revision {
    type Err = EtagUnreadable;

    fn from_str(text: &str) -> Result<Self, EtagUnreadable> {
        let number = i64::from_str_radix(text, 16).map_err(|_| EtagUnreadable)?;
        let revision = Self(number);
        // One spelling only: no sign, no leading zero, no upper case.
        if revision.to_string() == text {
            Ok(revision)
        } else {
            Err(EtagUnreadable)
        }
    }
}

/// A person's name as mails greet it: up to 100 characters of one line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DisplayName(String);

/// Why a text is not a display name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be one line of at most 100 characters, without control characters")]
pub struct DisplayNameUnreadable;

impl DisplayName {
    /// Reads a name; empty means that none is known.
    pub fn parse(text: &str) -> Result<Self, DisplayNameUnreadable> {
        let trimmed = text.trim();
        let breaks_line = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
        if trimmed.chars().count() > 100 || trimmed.chars().any(breaks_line) {
            return Err(DisplayNameUnreadable);
        }
        Ok(Self(trimmed.to_owned()))
    }

    /// The name; empty when none is known.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A language tag such as `de-AT` (BCP 47); empty means the default language.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Locale(String);

/// The text is not a language tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be a language tag such as en or de-AT, at most 35 characters")]
pub struct LocaleUnreadable;

impl Locale {
    /// Reads a tag (RFC 5646 §4.4.1 recommends room for 35 characters).
    pub fn parse(text: &str) -> Result<Self, LocaleUnreadable> {
        let subtag = |part: &str| {
            (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
        };
        if text.is_empty() || (text.len() <= 35 && text.split('-').all(subtag)) {
            Ok(Self(text.to_owned()))
        } else {
            Err(LocaleUnreadable)
        }
    }

    /// The tag; empty means the default language.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An account as the back office sees it. It holds no password and no hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Names the account for ever.
    pub account_id: AccountId,
    /// What is known about the person.
    pub profile: Profile,
    /// A disabled account can neither sign in nor reset.
    pub disabled: bool,
    /// Whether a password is set.
    pub has_password: bool,
    /// Whether a stranger is said to know that password: it works no more, until there is a new one.
    pub compromised: bool,
    /// When the password was last set.
    pub password_changed_at: Option<Timestamp>,
    /// See [`CredentialVersion`].
    pub credential_version: CredentialVersion,
    /// Sessions begun before this moment are over.
    pub sessions_valid_after: Option<Timestamp>,
    /// When the account was created.
    pub created_at: Timestamp,
    /// See [`Revision`].
    pub revision: Revision,
}

impl Account {
    /// The same, changed once more if its credentials are still those of before: every link, challenge and proof
    /// dies, and every session is over.
    #[must_use]
    pub fn under_other_credentials_than(mut self, before: &Self, now: Timestamp) -> Self {
        if self.credential_version == before.credential_version {
            self.credential_version = before.credential_version.next();
            self.sessions_valid_after = Some(now);
            self.revision = Revision(before.revision.0.saturating_add(1));
        }
        self
    }
}

/// What is known about a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Where mail goes; unique by its key.
    pub email: Email,
    /// Only a verified address receives links and notices; an unverified one codes and invitations.
    pub email_verified: bool,
    /// Where text messages go.
    pub phone: Option<Phone>,
    /// Only a verified phone receives anything, but for the code that verifies it.
    pub phone_verified: bool,
    /// What is asked for beside the password.
    pub second_factor: SecondFactor,
    /// The language of messages.
    pub locale: Locale,
    /// How messages greet the person.
    pub display_name: DisplayName,
}

/// Changes to an account; what is `None` stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AccountChange {
    /// A new address; unverified unless `email_verified` says otherwise.
    pub email: Option<Email>,
    /// Asserts or withdraws that the address is the person's.
    pub email_verified: Option<bool>,
    /// A new phone (`Some(None)` removes it); unverified unless `phone_verified` says otherwise.
    pub phone: Option<Option<Phone>>,
    /// Asserts or withdraws that the phone is the person's.
    pub phone_verified: Option<bool>,
    /// A new language.
    pub locale: Option<Locale>,
    /// A new name.
    pub display_name: Option<DisplayName>,
    /// Disables or enables the account.
    pub disabled: Option<bool>,
    /// Says that a stranger knows the password, if there is one. Only a new password takes it back.
    pub compromised: bool,
}

impl AccountChange {
    /// The account after this change; the same account when nothing differs.
    ///
    /// The credential version moves when email, phone or ability to sign in change, when the password is
    /// compromised, or when an address is no longer held to be the person's; so do the sessions' watermark and with them every link, challenge and proof.
    #[must_use]
    pub fn apply(&self, before: &Account, now: Timestamp) -> Account {
        let mut after = before.clone();
        if let Some(email) = &self.email
            && *email != before.profile.email
        {
            after.profile.email = email.clone();
            after.profile.email_verified = false;
        }
        if let Some(phone) = &self.phone
            && *phone != before.profile.phone
        {
            after.profile.phone.clone_from(phone);
            after.profile.phone_verified = false;
        }
        if let Some(verified) = self.email_verified {
            after.profile.email_verified = verified;
        }
        if let Some(verified) = self.phone_verified {
            after.profile.phone_verified = verified && after.profile.phone.is_some();
        }
        if let Some(locale) = &self.locale {
            after.profile.locale = locale.clone();
        }
        if let Some(display_name) = &self.display_name {
            after.profile.display_name = display_name.clone();
        }
        after.disabled = self.disabled.unwrap_or(before.disabled);
        after.compromised |= self.compromised && before.has_password;
        if after == *before {
            return after;
        }
        after.revision = Revision(before.revision.0.saturating_add(1));
        let withdrawn = |before: bool, after: bool| before && !after;
        let moved = after.profile.email != before.profile.email
            || after.profile.phone != before.profile.phone
            || withdrawn(before.profile.email_verified, after.profile.email_verified)
            || withdrawn(before.profile.phone_verified, after.profile.phone_verified)
            || withdrawn(!before.disabled, !after.disabled)
            || withdrawn(!before.compromised, !after.compromised);
        if moved {
            after.credential_version = before.credential_version.next();
            after.sessions_valid_after = Some(now);
        }
        after
    }
}

#[cfg(test)]
mod tests;
