//! The codes of authenticator apps (RFC 6238): six digits every 30 seconds, by HMAC-SHA-1.
//!
//! A code is good in its own step and in the next, for people who type slowly (RFC 6238 §5.2); never before
//! its time. A step is accepted once: the store keeps the last one.

use super::time::Timestamp;
use data_encoding::BASE32_NOPAD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::fmt;
use totp_rs::{Algorithm, Builder, Totp};
use zeroize::Zeroizing;

/// Length of a secret, in bytes: 160 bits, as RFC 4226 §4 recommends.
pub const SECRET_LENGTH: usize = 20;

const STEP_MICROS: i64 = 30_000_000;

/// What an account shares with its authenticator app. It can be shown once, when it is made, and sealed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<[u8; SECRET_LENGTH]>);

impl Secret {
    /// The secret made of these bytes, which must come from a CSPRNG.
    #[must_use]
    pub fn from_bytes(bytes: [u8; SECRET_LENGTH]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The secret that was sealed, if it is one by its length.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self::from_bytes)
    }

    /// Hands the bytes out, for the one who seals them.
    #[must_use]
    pub fn expose(&self) -> &[u8; SECRET_LENGTH] {
        &self.0
    }

    /// The secret that is written so in Base32.
    #[must_use]
    pub fn from_base32(text: &str) -> Option<Self> {
        let bytes = BASE32_NOPAD.decode(text.as_bytes()).ok()?;
        Self::from_slice(&Zeroizing::new(bytes))
    }

    /// The secret in Base32, as people type it into an app.
    #[must_use]
    pub fn base32(&self) -> Zeroizing<String> {
        Zeroizing::new(BASE32_NOPAD.encode(self.0.as_slice()))
    }

    /// The `otpauth` URI that apps read from a QR code. `issuer` and `account_name` are what the app shows;
    /// a colon parts them, so there is none in the issuer.
    #[must_use]
    pub fn uri(&self, issuer: &str, account_name: &str) -> Zeroizing<String> {
        const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
            .remove(b'-')
            .remove(b'.')
            .remove(b'_')
            .remove(b'~');
        let issuer = issuer.replace(':', " ");
        let issuer = utf8_percent_encode(&issuer, RESERVED);
        let account_name = utf8_percent_encode(account_name, RESERVED);
        let secret = self.base32();
        Zeroizing::new(format!(
            "otpauth://totp/{issuer}:{account_name}?secret={}&issuer={issuer}&algorithm=SHA1&digits=6&period=30",
            *secret
        ))
    }

    /// The code that the app shows throughout a step.
    #[must_use]
    pub fn code(&self, step: Step) -> Zeroizing<String> {
        Zeroizing::new(self.codes().generate(step.seconds()).to_string())
    }

    fn codes(&self) -> Totp {
        Builder::new()
            .with_algorithm(Algorithm::SHA1)
            .with_digits(6)
            .with_step_duration(30)
            .with_skew(0)
            .with_secret(totp_rs::Secret::new_stack(*self.0))
            .build_noncompliant()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Thirty seconds, counted from 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Step(i64);

impl Step {
    /// Before every step that a code is accepted of.
    pub const BEFORE_ANY: Self = Self(0);

    /// The step of this number.
    #[must_use]
    pub const fn new(step: i64) -> Self {
        Self(step)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The step that a moment is in.
    #[must_use]
    pub const fn of(moment: Timestamp) -> Self {
        Self(moment.as_micros().div_euclid(STEP_MICROS))
    }

    /// The step before this one.
    #[must_use]
    pub const fn before(self) -> Self {
        Self(self.0.saturating_sub(1))
    }

    /// Its first second.
    fn seconds(self) -> u64 {
        u64::try_from(self.0).unwrap_or(0).saturating_mul(30)
    }
}

/// The step that this code is of: the present one or the one before, if it is after `last_step`, the last that
/// was accepted. Takes the same time for every code of six digits; spaces in it make no difference.
#[must_use]
pub fn matching_step(secret: &Secret, code: &str, now: Timestamp, last_step: Step) -> Option<Step> {
    let code: Zeroizing<String> = Zeroizing::new(code.split_ascii_whitespace().collect());
    let codes = secret.codes();
    let present = Step::of(now);
    [present, present.before()]
        .map(|step| codes.check(&code, step.seconds()).map(|_| step))
        .into_iter()
        .flatten()
        .find(|step| *step > last_step)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::Duration;

    /// RFC 6238, Appendix B.
    fn secret() -> Secret {
        Secret::from_bytes(*b"12345678901234567890")
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    #[test]
    fn codes_are_those_of_rfc_6238() {
        // The appendix has eight digits; the last six are ours.
        for (seconds, code) in [
            (59, "94287082"),
            (1_111_111_109, "07081804"),
            (1_111_111_111, "14050471"),
            (1_234_567_890, "89005924"),
            (2_000_000_000, "69279037"),
            (20_000_000_000, "65353130"),
        ] {
            let step = Step::of(at(seconds));
            assert_eq!(*secret().code(step), code[2..]);
            let matching = matching_step(&secret(), &code[2..], at(seconds), Step::BEFORE_ANY);
            assert_eq!(matching, Some(step));
        }
    }

    #[test]
    fn a_code_is_good_in_its_own_step_and_the_next() {
        let step = Step::new(37_037_036);
        let code = secret().code(step);
        let begins = Timestamp::from_micros(step.get() * STEP_MICROS);
        let just = Duration::from_micros(1);
        let (ends, next_ends) = (
            begins.plus(Duration::from_secs(30)),
            begins.plus(Duration::from_mins(1)),
        );
        for (moment, good) in [
            (begins.minus(just), false),
            (begins, true),
            (ends.minus(just), true),
            (ends, true),
            (next_ends.minus(just), true),
            (next_ends, false),
        ] {
            let matching = matching_step(&secret(), &code, moment, Step::BEFORE_ANY);
            assert_eq!(matching, good.then_some(step), "{moment:?}");
        }
    }

    #[test]
    fn a_step_that_was_accepted_is_not_accepted_again_and_nor_is_one_before_it() {
        let now = at(1_111_111_111);
        let present = Step::of(now);
        let code = secret().code(present);
        let before = secret().code(present.before());
        let matching = |code: &str, last_step| matching_step(&secret(), code, now, last_step);
        assert_eq!(matching(&code, present), None);
        assert_eq!(matching(&code, present.before()), Some(present));
        assert_eq!(matching(&before, present), None);
        assert_eq!(matching(&before, present.before()), None);
        assert_eq!(matching(&before, Step::BEFORE_ANY), Some(present.before()));
    }

    #[test]
    fn six_digits_are_a_code_also_in_two_groups_and_nothing_else_is() {
        let now = at(59);
        for good in ["287082", "287 082", " 287082\n"] {
            assert!(
                matching_step(&secret(), good, now, Step::BEFORE_ANY).is_some(),
                "{good}"
            );
        }
        for bad in [
            "",
            "28708",
            "2870822",
            "94287082",
            "+87082",
            "２８７０８２",
            "287082x",
        ] {
            assert!(
                matching_step(&secret(), bad, now, Step::BEFORE_ANY).is_none(),
                "{bad}"
            );
        }
    }

    #[test]
    fn the_uri_names_issuer_account_and_every_parameter() {
        assert_eq!(
            *secret().uri("Acme: Über", "ada+1@example.com"),
            "otpauth://totp/Acme%20%20%C3%9Cber:ada%2B1%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\
             &issuer=Acme%20%20%C3%9Cber&algorithm=SHA1&digits=6&period=30"
        );
    }

    #[test]
    fn a_secret_is_read_as_it_was_written_and_not_printed() {
        let written = secret().base32();
        assert_eq!(Secret::from_base32(&written), Some(secret()));
        assert_eq!(Secret::from_base32(&written[1..]), None);

        assert_eq!(format!("{:?}", secret()), "[redacted]");
    }

    proptest! {
        #[test]
        fn no_text_and_no_moment_panics(code in ".*", micros: i64) {
            let _ = matching_step(&secret(), &code, Timestamp::from_micros(micros), Step::BEFORE_ANY);
        }
    }
}
