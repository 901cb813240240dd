//! The credential of a calling service: a token that is shown once and kept only as its SHA-256.
//!
//! `rlk_`, then the unpadded base64url of 32 random bytes. So much entropy needs no slow hash
//! (SP 800-63B-4 §3.1.2.2 asks for one below 112 bits).

use super::san::CertSan;
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::str::FromStr;
use subtle::ConstantTimeEq as _;
use thiserror::Error;
use zeroize::Zeroizing;

const PREFIX: &str = "rlk_";
const ENTROPY_LENGTH: usize = 32;
const TEXT_LENGTH: usize = PREFIX.len() + (ENTROPY_LENGTH * 8).div_ceil(6);

/// A caller's token. It can be shown to whoever is to hold it, and neither printed nor stored by accident.
pub struct CallerToken(Zeroizing<String>);

/// The text is not `rlk_` and 43 characters of unpadded base64url.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be 'rlk_' and 43 characters of base64url, as `relatch caller new` prints it")]
pub struct CallerTokenUnreadable;

impl CallerToken {
    /// The token made of these bytes, which must come from a CSPRNG.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; ENTROPY_LENGTH]) -> Self {
        let mut text = Zeroizing::new(String::with_capacity(TEXT_LENGTH));
        text.push_str(PREFIX);
        BASE64URL_NOPAD.encode_append(bytes, &mut text);
        Self(text)
    }

    /// Reads a token's text; nothing around it is ignored.
    pub fn parse(text: &str) -> Result<Self, CallerTokenUnreadable> {
        let encoded = text.strip_prefix(PREFIX).ok_or(CallerTokenUnreadable)?;
        let mut bytes = Zeroizing::new([0; ENTROPY_LENGTH]);
        if BASE64URL_NOPAD.decode_len(encoded.len()) != Ok(ENTROPY_LENGTH) {
            return Err(CallerTokenUnreadable);
        }
        BASE64URL_NOPAD
            .decode_mut(encoded.as_bytes(), bytes.as_mut_slice())
            .map_err(|_| CallerTokenUnreadable)?;
        Ok(Self(Zeroizing::new(text.to_owned())))
    }

    /// Hands the text out, for the one who sends or shows it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// SHA-256 of the text: what `printf %s TOKEN | sha256sum` prints.
    #[must_use]
    pub fn sha256(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }
}

impl fmt::Debug for CallerToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// How a caller proves who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallerCredential {
    /// By a token whose [`CallerToken::sha256`] this is.
    TokenSha256([u8; 32]),
    /// By a client certificate that has this name, from an authority that the configuration trusts.
    CertSan(CertSan),
}

/// The text is not 64 lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be 64 lower-case hexadecimal digits, as `relatch caller new` prints them")]
pub struct DigestUnreadable;

impl CallerCredential {
    /// Whether the token is this one; compares in constant time (ASVS 11.2.4).
    #[must_use]
    pub fn admits(&self, token: &CallerToken) -> bool {
        match self {
            Self::TokenSha256(digest) => digest.ct_eq(&token.sha256()).into(),
            Self::CertSan(_) => false,
        }
    }
}

/// Reads the digest as a stanza's `token_sha256` has it.
impl FromStr for CallerCredential {
    type Err = DigestUnreadable;

    fn from_str(text: &str) -> Result<Self, DigestUnreadable> {
        let mut digest = [0; 32];
        match HEXLOWER.decode_len(text.len()) {
            Ok(32) => HEXLOWER
                .decode_mut(text.as_bytes(), &mut digest)
                .map(|_| Self::TokenSha256(digest))
                .map_err(|_| DigestUnreadable),
            _ => Err(DigestUnreadable),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_token_is_47_characters_and_admitted_by_its_digest_alone() {
        let token = CallerToken::from_bytes(&[7; 32]);
        assert_eq!(token.expose().len(), 47);
        assert!(token.expose().starts_with("rlk_"));
        let hex = HEXLOWER.encode(&token.sha256());
        let credential: CallerCredential = hex.parse().unwrap();
        assert!(credential.admits(&CallerToken::parse(token.expose()).unwrap()));
        assert!(!credential.admits(&CallerToken::from_bytes(&[8; 32])));
    }

    #[test]
    fn the_digest_is_that_of_the_text() {
        // printf %s rlk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA | sha256sum
        assert_eq!(
            HEXLOWER.encode(&CallerToken::from_bytes(&[0; 32]).sha256()),
            "8bf587a0becec0d4ec0165a8de77582cb38093a6aad06e7699b72015cfe1a0ee"
        );
    }

    #[test]
    fn another_prefix_length_alphabet_or_trailing_bit_is_refused() {
        let good = CallerToken::from_bytes(&[0; 32]);
        let text = good.expose();
        for wrong in [
            String::new(),
            "rlk_".to_owned(),
            text.replacen("rlk_", "rlt1_", 1),
            text[..46].to_owned(),
            format!("{text}A"),
            format!("{text}="),
            format!("{text}\n"),
            format!("{}B", &text[..46]),
            format!("{}+", &text[..46]),
        ] {
            assert!(CallerToken::parse(&wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn only_64_lower_case_hexadecimal_digits_are_a_digest() {
        for wrong in [
            "",
            "ab",
            &"AB".repeat(32),
            &"ab".repeat(33),
            &"é".repeat(32),
        ] {
            assert_eq!(wrong.parse::<CallerCredential>(), Err(DigestUnreadable));
        }
    }

    #[test]
    fn a_token_is_not_printed() {
        assert_eq!(
            format!("{:?}", CallerToken::from_bytes(&[7; 32])),
            "[redacted]"
        );
    }

    proptest! {
        #[test]
        fn any_token_survives_its_text(bytes: [u8; 32]) {
            let token = CallerToken::from_bytes(&bytes);
            let again = CallerToken::parse(token.expose()).unwrap();
            prop_assert_eq!(again.expose(), token.expose());
        }

        #[test]
        fn any_text_is_read_or_refused_without_a_panic(text in "(rlk_)?.{0,50}") {
            if let Ok(token) = CallerToken::parse(&text) {
                prop_assert_eq!(token.expose(), text);
            }
        }
    }
}
