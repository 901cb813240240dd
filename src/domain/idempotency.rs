//! Request ids: what makes a call safe to repeat.

use super::call::CallerName;
use super::keyring::{Keyring, Purpose};
use sha2::{Digest, Sha256};
use std::time::Duration;
use thiserror::Error;

/// How long a success is remembered.
pub const REMEMBERED_FOR: Duration = Duration::from_hours(24);

/// Longest request id, in characters.
const LONGEST: usize = 64;

/// The text is over 64 characters or has control characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be at most 64 characters, without control characters")]
pub struct RequestIdUnreadable;

/// Methods that take a request id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// `PasswordService.RequestReset`
    RequestReset,
    /// `PasswordService.ConfirmReset`
    ConfirmReset,
    /// `PasswordService.SendProfileResetLink`
    SendProfileResetLink,
    /// `PasswordService.ChangePassword`
    ChangePassword,
    /// `AccountService.CreateAccount`
    CreateAccount,
    /// `AccountService.SendInvite`
    SendInvite,
    /// `AccountService.RemoveSecondFactor`
    RemoveSecondFactor,
    /// `DeliveryService.RetryMessage`
    RetryMessage,
}

impl Method {
    const fn name(self) -> &'static [u8] {
        match self {
            Self::RequestReset => b"RequestReset",
            Self::ConfirmReset => b"ConfirmReset",
            Self::SendProfileResetLink => b"SendProfileResetLink",
            Self::ChangePassword => b"ChangePassword",
            Self::CreateAccount => b"CreateAccount",
            Self::SendInvite => b"SendInvite",
            Self::RemoveSecondFactor => b"RemoveSecondFactor",
            Self::RetryMessage => b"RetryMessage",
        }
    }
}

/// A repeatable call: which one it is, and what it asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repeatable {
    /// Hash of caller, method and request id. The id itself is not kept, it is the caller's to fill.
    pub key: [u8; 32],
    /// Keyed hash of the call's fields that are not secret.
    pub fingerprint: Fingerprint,
}

/// A keyed fingerprint, under the signing key and under every other usable key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint(Vec<[u8; 32]>);

impl Fingerprint {
    /// The one to be written down.
    #[must_use]
    pub fn current(&self) -> &[u8; 32] {
        // `Repeatable::new` makes one for each usable key, and a ring always has its signing key.
        self.0.first().unwrap_or(&[0; 32])
    }

    /// Whether a fingerprint written earlier is of the same call.
    #[must_use]
    pub fn matches(&self, written: &[u8]) -> bool {
        self.0.iter().any(|own| own == written)
    }
}

impl Repeatable {
    /// The repeatable call that a request id names; an empty id names none.
    ///
    /// `fields` are the request's fields that are not secret, in the order of the proto, `client`
    /// left out.
    pub fn new(
        keyring: &Keyring,
        caller: &CallerName,
        method: Method,
        request_id: &str,
        fields: &[&[u8]],
    ) -> Result<Option<Self>, RequestIdUnreadable> {
        if request_id.is_empty() {
            return Ok(None);
        }
        if request_id.chars().count() > LONGEST || request_id.chars().any(char::is_control) {
            return Err(RequestIdUnreadable);
        }
        let key = Sha256::digest(joined(&[
            caller.as_str().as_bytes(),
            method.name(),
            request_id.as_bytes(),
        ]));
        let fields = joined(fields);
        let fingerprints = keyring
            .usable()
            .map(|key| key.tag(Purpose::Fingerprint, &fields))
            .collect();
        Ok(Some(Self {
            key: key.into(),
            fingerprint: Fingerprint(fingerprints),
        }))
    }
}

/// The parts one after the other, each behind its length, so that no two lists look alike.
fn joined(parts: &[&[u8]]) -> Vec<u8> {
    let mut joined = Vec::new();
    for part in parts {
        joined.extend_from_slice(&(part.len() as u64).to_be_bytes());
        joined.extend_from_slice(part);
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::keyring::KeyId;

    fn repeatable(
        ring: &Keyring,
        caller: &str,
        method: Method,
        id: &str,
        fields: &[&[u8]],
    ) -> Repeatable {
        Repeatable::new(
            ring,
            &CallerName::parse(caller).unwrap(),
            method,
            id,
            fields,
        )
        .unwrap()
        .unwrap()
    }

    #[test]
    fn caller_method_and_id_make_the_key_and_the_fields_do_not() {
        let ring = Keyring::of(KeyId::from_bytes([1; 4]), [7; 32]);
        let one = repeatable(&ring, "web", Method::RequestReset, "1", &[b"a"]);
        assert_eq!(
            one.key,
            repeatable(&ring, "web", Method::RequestReset, "1", &[b"b"]).key
        );
        assert_ne!(
            one.key,
            repeatable(&ring, "app", Method::RequestReset, "1", &[b"a"]).key
        );
        assert_ne!(
            one.key,
            repeatable(&ring, "web", Method::ConfirmReset, "1", &[b"a"]).key
        );
        assert_ne!(
            one.key,
            repeatable(&ring, "web", Method::RequestReset, "2", &[b"a"]).key
        );
    }

    #[test]
    fn fields_do_not_run_into_each_other() {
        let ring = Keyring::of(KeyId::from_bytes([1; 4]), [7; 32]);
        let one = repeatable(&ring, "web", Method::CreateAccount, "1", &[b"ab", b"c"]);
        let other = repeatable(&ring, "web", Method::CreateAccount, "1", &[b"a", b"bc"]);
        assert!(!one.fingerprint.matches(other.fingerprint.current()));
    }

    #[test]
    fn a_fingerprint_is_known_again_after_a_promotion() {
        let mut ring = Keyring::of(KeyId::from_bytes([1; 4]), [7; 32]);
        let before = repeatable(&ring, "web", Method::RequestReset, "1", &[b"a"]);
        ring.add(KeyId::from_bytes([2; 4]), [8; 32]).unwrap();
        ring.promote(KeyId::from_bytes([2; 4])).unwrap();
        let after = repeatable(&ring, "web", Method::RequestReset, "1", &[b"a"]);
        assert_ne!(before.fingerprint.current(), after.fingerprint.current());
        assert!(after.fingerprint.matches(before.fingerprint.current()));
    }

    #[test]
    fn an_id_has_64_characters_at_the_most() {
        let ring = Keyring::of(KeyId::from_bytes([1; 4]), [7; 32]);
        let caller = CallerName::relatch();
        let new = |id: &str| Repeatable::new(&ring, &caller, Method::RequestReset, id, &[]);
        assert_eq!(new(""), Ok(None));
        assert!(new(&"é".repeat(64)).unwrap().is_some());
        assert_eq!(new(&"é".repeat(65)), Err(RequestIdUnreadable));
        assert_eq!(new("a\nb"), Err(RequestIdUnreadable));
    }
}
