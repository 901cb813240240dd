//! Identifiers: 128 random bits each, a type of its own for each thing that has one.

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
id! {
    /// Names an audit event apart from its place in the log.
    EventId
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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
