//! Six-digit codes that are sent to a person: derived from the keyring, never stored.
//!
//! A code is a function of what it is for, of the number of the sending, and of a key. Each sending has a code
//! of its own, which a later one leaves as good as it was.

use super::id::{ChallengeId, MessageId, ResetId};
use super::keyring::{Key, Keyring, Purpose};
use std::fmt;
use std::time::Duration;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// How long a code is good, from its sending on.
pub const CODE_LIFETIME: Duration = Duration::from_mins(10);

/// How many digits a code has.
pub const DIGITS: usize = 6;

const CODES: u128 = 1_000_000;

/// Six decimal digits.
#[derive(Clone)]
pub struct Code(Zeroizing<[u8; DIGITS]>);

impl Code {
    /// Reads what a person typed: six digits, with spaces wherever they like them.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut digits = Zeroizing::new([0; DIGITS]);
        let mut typed = text.bytes().filter(|byte| *byte != b' ');
        for digit in digits.iter_mut() {
            *digit = typed.next().filter(u8::is_ascii_digit)?;
        }
        typed.next().is_none().then_some(Self(digits))
    }

    /// Hands the digits out, for the one who sends or compares them.
    #[must_use]
    pub fn expose(&self) -> &str {
        std::str::from_utf8(self.0.as_slice()).unwrap_or_default()
    }

    fn is(&self, other: &Self) -> bool {
        self.0.as_slice().ct_eq(other.0.as_slice()).into()
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// What a code is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeFor {
    /// Using a link, of this reset.
    Reset(ResetId),
    /// Finishing the sign-in of this challenge.
    SignIn(ChallengeId),
}

/// The code of the `sending`th sending (counted from 1), under the ring's signing key.
#[must_use]
pub fn derive(keyring: &Keyring, what_for: CodeFor, sending: u32) -> Code {
    derive_under(keyring.signing(), what_for, sending)
}

/// Whether `typed` is the code of one of these sendings, under any key that may have signed it: a ring does not tell which
/// of its verifying keys have, so each has a code of its own.
/// Every code is compared, each in constant time (ASVS 11.2.4).
#[must_use]
pub fn matches(keyring: &Keyring, what_for: CodeFor, sendings: &[u32], typed: &Code) -> bool {
    let codes = keyring.usable().flat_map(|key| {
        let code = |sending: &u32| derive_under(key, what_for, *sending);
        sendings.iter().map(code)
    });
    codes.fold(false, |found, code| found | code.is(typed))
}

/// The code that proves an address, by the message that carries it there, under the ring's signing key.
#[must_use]
pub fn derive_for_address(keyring: &Keyring, message_id: MessageId) -> Code {
    address_code(keyring.signing(), message_id)
}

/// Whether `typed` is the code of this message, under any key that may have signed it.
#[must_use]
pub fn matches_for_address(keyring: &Keyring, message_id: MessageId, typed: &Code) -> bool {
    let codes = keyring.usable().map(|key| address_code(key, message_id));
    codes.fold(false, |found, code| found | code.is(typed))
}

fn address_code(key: &Key, message_id: MessageId) -> Code {
    number(key, Purpose::AddressCode, message_id.as_bytes())
}

fn derive_under(key: &Key, what_for: CodeFor, sending: u32) -> Code {
    let (purpose, id) = match &what_for {
        CodeFor::Reset(id) => (Purpose::ResetCode, id.as_bytes()),
        CodeFor::SignIn(id) => (Purpose::SignInCode, id.as_bytes()),
    };
    let mut message = [0; 20];
    message[..16].copy_from_slice(id);
    message[16..].copy_from_slice(&sending.to_be_bytes());
    number(key, purpose, &message)
}

/// The remainder of 128 bits by a million: no code is likelier than another by more than one part in 2^108.
fn number(key: &Key, purpose: Purpose, message: &[u8]) -> Code {
    let tag = Zeroizing::new(key.tag(purpose, message));
    let mut rest = u128::from_be_bytes(std::array::from_fn(|i| tag[i])) % CODES;
    let mut digits = Zeroizing::new([0; DIGITS]);
    for digit in digits.iter_mut().rev() {
        *digit = b"0123456789"[(rest % 10) as usize];
        rest /= 10;
    }
    Code(digits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::keyring::KeyId;
    use proptest::prelude::*;
    use std::collections::HashSet;

    const OLD: KeyId = KeyId::from_bytes([1; 4]);
    const NEW: KeyId = KeyId::from_bytes([2; 4]);

    fn ring() -> Keyring {
        Keyring::of(OLD, [7; 32])
    }

    fn sign_in(byte: u8) -> CodeFor {
        CodeFor::SignIn(ChallengeId::from_bytes([byte; 16]))
    }

    #[test]
    fn a_code_is_good_for_its_own_sending_and_thing_only() {
        let code = derive(&ring(), sign_in(1), 1);
        assert!(matches(&ring(), sign_in(1), &[1], &code));
        assert!(matches(&ring(), sign_in(1), &[2, 1], &code));
        assert!(!matches(&ring(), sign_in(1), &[2, 3], &code));
        assert!(!matches(&ring(), sign_in(1), &[], &code));
        assert!(!matches(&ring(), sign_in(2), &[1], &code));
        let reset = CodeFor::Reset(ResetId::from_bytes([1; 16]));
        assert!(!matches(&ring(), reset, &[1], &code));
    }

    #[test]
    fn a_code_outlives_the_promotion_of_another_key_and_dies_when_its_own_is_revoked() {
        let code = derive(&ring(), sign_in(1), 1);
        let mut ring = ring();
        ring.add(NEW, [8; 32]).unwrap();
        ring.promote(NEW).unwrap();
        assert!(matches(&ring, sign_in(1), &[1], &code));
        ring.revoke(OLD).unwrap();
        assert!(!matches(&ring, sign_in(1), &[1], &code));
    }

    #[test]
    fn a_code_for_an_address_is_that_of_its_message_alone() {
        let (one, two) = (
            MessageId::from_bytes([1; 16]),
            MessageId::from_bytes([2; 16]),
        );
        let code = derive_for_address(&ring(), one);
        assert!(matches_for_address(&ring(), one, &code));
        assert!(!matches_for_address(&ring(), two, &code));
        assert!(!matches(&ring(), sign_in(1), &[1], &code));
        let mut ring = ring();
        ring.add(NEW, [8; 32]).unwrap();
        ring.promote(NEW).unwrap();
        assert!(matches_for_address(&ring, one, &code));
    }

    #[test]
    fn every_digit_is_as_likely_everywhere() {
        let mut seen = [[0_u32; 10]; DIGITS];
        let mut codes = HashSet::new();
        for sending in 0..20_000 {
            let code = derive(&ring(), sign_in(1), sending);
            for (place, digit) in code.expose().bytes().enumerate() {
                seen[place][usize::from(digit - b'0')] += 1;
            }
            codes.insert(code.expose().to_owned());
        }
        // 2,000 each; five standard deviations are 212.
        assert!(
            seen.iter()
                .flatten()
                .all(|times| (1_788..2_212).contains(times))
        );
        assert!(codes.len() > 19_700, "{} of 20,000 differ", codes.len());
    }

    #[test]
    fn people_may_group_digits_and_nothing_else_is_read() {
        for typed in ["012345", "012 345", " 0 1 2 3 4 5 "] {
            assert_eq!(Code::parse(typed).unwrap().expose(), "012345");
        }
        for wrong in [
            "",
            "12345",
            "1234567",
            "12345a",
            "12-3456",
            "１２３４５６",
            "123456\n",
        ] {
            assert!(Code::parse(wrong).is_none(), "{wrong:?}");
        }
    }

    #[test]
    fn a_code_is_not_printed() {
        assert_eq!(format!("{:?}", Code::parse("012345")), "Some([redacted])");
    }

    proptest! {
        #[test]
        fn a_derived_code_is_read_as_it_is_sent(id: [u8; 16], sending: u32) {
            let what_for = CodeFor::Reset(ResetId::from_bytes(id));
            let code = derive(&ring(), what_for, sending);
            let typed = Code::parse(code.expose()).unwrap();
            prop_assert!(matches(&ring(), what_for, &[sending], &typed));
        }

        #[test]
        fn no_text_panics(text in ".*") {
            let _ = Code::parse(&text);
        }
    }
}
