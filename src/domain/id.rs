//! Identifiers: 128 bits each, a type of its own for each thing that has one.

use super::time::Timestamp;
use data_encoding::HEXLOWER;
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// The text is not 32 lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be 32 lower-case hexadecimal digits")]
pub struct IdUnreadable;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 16]);

        impl $name {
            /// The identifier made of these bytes, which must come from a CSPRNG (or from the store).
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// The 16 bytes.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }
        }

        /// 32 lower-case hexadecimal digits.
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&HEXLOWER.encode(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl FromStr for $name {
            type Err = IdUnreadable;

            fn from_str(text: &str) -> Result<Self, IdUnreadable> {
                let mut bytes = [0; 16];
                match HEXLOWER.decode_len(text.len()) {
                    Ok(16) => HEXLOWER
                        .decode_mut(text.as_bytes(), &mut bytes)
                        .map(|_| Self(bytes))
                        .map_err(|_| IdUnreadable),
                    _ => Err(IdUnreadable),
                }
            }
        }
    };
}

id! {
    /// Names an account.
    AccountId
}
id! {
    /// Names a reset: one link, however often it is sent. Not a secret by itself, the link's MAC is.
    ResetId
}
id! {
    /// Names a message. It is the mail's `Message-ID` and the SMS gateway's idempotency key.
    MessageId
}
impl MessageId {
    /// The identifier of a message of this moment: milliseconds since 1970 in the first 48 bits, as in
    /// UUID version 7 (RFC 9562 §5.7), so that the store writes messages of one time side by side; then 80
    /// bits, which must come from a CSPRNG.
    #[must_use]
    pub fn at(moment: Timestamp, entropy: [u8; 10]) -> Self {
        let milliseconds = (moment.as_micros() / 1_000).to_be_bytes();
        let mut bytes = [0; 16];
        bytes[..6].copy_from_slice(&milliseconds[2..]);
        bytes[6..].copy_from_slice(&entropy);
        Self(bytes)
    }

    /// The identifier of a message that says the same by another way: it differs in the last bit.
    #[must_use]
    pub const fn twin(self) -> Self {
        let mut bytes = self.0;
        bytes[15] ^= 1;
        Self(bytes)
    }
}
id! {
    /// Names an audit event apart from its place in the log.
    EventId
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn messages_are_ordered_by_their_moments() {
        let at = |micros, entropy| MessageId::at(Timestamp::from_micros(micros), entropy);
        let (first, then) = (1_763_942_400_000_000, 1_763_942_400_001_000);
        assert!(at(first, [0xff; 10]) < at(then, [0; 10]));
        assert_eq!(&at(first, [7; 10]).as_bytes()[6..], &[7; 10]);
        let twin = at(first, [7; 10]).twin();
        assert_eq!(&twin.as_bytes()[14..], &[7, 6]);
        assert_eq!(twin.twin(), at(first, [7; 10]));
    }

    #[test]
    fn only_32_lower_case_hexadecimal_digits_are_read() {
        let id = AccountId::from_bytes([0xab; 16]);
        assert_eq!(id.to_string().parse(), Ok(id));
        for wrong in [
            "",
            "ab",
            &"AB".repeat(16),
            &"ab".repeat(17),
            &"zz".repeat(16),
            &"é".repeat(16),
        ] {
            assert_eq!(wrong.parse::<AccountId>(), Err(IdUnreadable), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".*") {
            let _ = text.parse::<MessageId>();
        }
    }
}
