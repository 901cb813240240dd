//! Hashes of our own: Argon2id as a PHC string.

use std::fmt;

use data_encoding::BASE64_NOPAD;
use subtle::ConstantTimeEq;
use thiserror::Error;

use super::{Argon2Params, Argon2ParamsError, PepperId};

/// The length of the salt of a new hash in bytes (RFC 9106 §3.1).
pub const SALT_BYTES: usize = 16;
/// The length of the tag of a new hash in bytes (RFC 9106 §4).
pub const TAG_BYTES: usize = 32;

/// An Argon2id hash of a password, as it is stored: `$argon2id$v=19$m=19456,t=2,p=1$salt$tag`, in
/// unpadded base64, with `,keyid=…` after `p` if there is a pepper.
///
/// `Debug` prints `[redacted]`: whoever has a hash can try passwords against it.
#[derive(Clone)]
pub struct Argon2idHash {
    encoded: String,
    params: Argon2Params,
    pepper: Option<PepperId>,
    salt: Vec<u8>,
    tag: Vec<u8>,
}

/// A text is no hash that can be verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Argon2idUnreadable {
    /// It is not of the form described at [`Argon2idHash`], or is of another algorithm or version.
    #[error("not an Argon2id hash, version 19, as a PHC string")]
    Malformed,
    /// The salt must have 8 to 64 bytes, the tag 16 to 64.
    #[error("the salt or the tag of the hash has a length that is not supported")]
    Length,
    /// The parameters are out of bounds.
    #[error(transparent)]
    Params(#[from] Argon2ParamsError),
}

impl Argon2idHash {
    /// Puts a new hash together.
    #[must_use]
    pub fn new(
        params: Argon2Params,
        pepper: Option<PepperId>,
        salt: &[u8; SALT_BYTES],
        tag: &[u8; TAG_BYTES],
    ) -> Self {
        let (memory_kib, passes, lanes) = (params.memory_kib(), params.passes(), params.lanes());
        let keyid = pepper
            .map(|id| format!(",keyid={}", id.keyid()))
            .unwrap_or_default();
        let encoded = format!(
            "$argon2id$v=19$m={memory_kib},t={passes},p={lanes}{keyid}${}${}",
            BASE64_NOPAD.encode(salt),
            BASE64_NOPAD.encode(tag)
        );
        Self {
            encoded,
            params,
            pepper,
            salt: salt.to_vec(),
            tag: tag.to_vec(),
        }
    }

    /// Reads a stored or imported hash. Parameters weaker than those of new hashes are read too, so
    /// that such a hash can be verified once more and replaced.
    pub fn parse(encoded: &str) -> Result<Self, Argon2idUnreadable> {
        let fields: Vec<&str> = encoded.split('$').collect();
        let ["", "argon2id", "v=19", costs, salt, tag] = fields[..] else {
            return Err(Argon2idUnreadable::Malformed);
        };
        let (params, pepper) = read_costs(costs)?;
        let (salt, tag) = (read_base64(salt)?, read_base64(tag)?);
        if !(8..=64).contains(&salt.len()) || !(16..=64).contains(&tag.len()) {
            return Err(Argon2idUnreadable::Length);
        }
        Ok(Self {
            encoded: encoded.to_owned(),
            params,
            pepper,
            salt,
            tag,
        })
    }

    /// The PHC string, for the store.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.encoded
    }

    /// What was spent on it.
    #[must_use]
    pub const fn params(&self) -> Argon2Params {
        self.params
    }

    /// The pepper that went into it.
    #[must_use]
    pub const fn pepper(&self) -> Option<PepperId> {
        self.pepper
    }

    /// The salt that went into it.
    #[must_use]
    pub fn salt(&self) -> &[u8] {
        &self.salt
    }

    /// How many bytes the tag has.
    #[must_use]
    pub fn tag_bytes(&self) -> usize {
        self.tag.len()
    }

    /// Whether this is the tag, found out in constant time.
    #[must_use]
    pub fn has_tag(&self, tag: &[u8]) -> bool {
        self.tag.ct_eq(tag).into()
    }

    /// Whether a new hash would be made in another way than this one was.
    #[must_use]
    pub fn differs_from(&self, params: Argon2Params, pepper: Option<PepperId>) -> bool {
        (self.params, self.pepper, self.salt.len(), self.tag.len())
            != (params, pepper, SALT_BYTES, TAG_BYTES)
    }
}

impl fmt::Debug for Argon2idHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Reads `m=…,t=…,p=…` and perhaps `keyid=…`, in this order only.
fn read_costs(costs: &str) -> Result<(Argon2Params, Option<PepperId>), Argon2idUnreadable> {
    let mut fields = costs.split(',');
    let mut number = |name| read_number(fields.next()?.strip_prefix(name)?);
    let (Some(memory_kib), Some(passes), Some(lanes)) = (number("m="), number("t="), number("p="))
    else {
        return Err(Argon2idUnreadable::Malformed);
    };
    let pepper = fields.next().map(read_keyid).transpose()?;
    if fields.next().is_some() {
        return Err(Argon2idUnreadable::Malformed);
    }
    Ok((Argon2Params::computable(memory_kib, passes, lanes)?, pepper))
}

/// Reads a decimal in its only spelling: no sign, no leading zero.
fn read_number(text: &str) -> Option<u32> {
    let number: u32 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

fn read_keyid(field: &str) -> Result<PepperId, Argon2idUnreadable> {
    field
        .strip_prefix("keyid=")
        .and_then(PepperId::of_keyid)
        .ok_or(Argon2idUnreadable::Malformed)
}

fn read_base64(text: &str) -> Result<Vec<u8>, Argon2idUnreadable> {
    BASE64_NOPAD
        .decode(text.as_bytes())
        .map_err(|_| Argon2idUnreadable::Malformed)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ENCODED: &str = "$argon2id$v=19$m=19456,t=2,p=1$BwcHBwcHBwcHBwcHBwcHBw$\
                           CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk";

    fn with_costs(costs: &str) -> Result<Argon2idHash, Argon2idUnreadable> {
        Argon2idHash::parse(&ENCODED.replace("m=19456,t=2,p=1", costs))
    }

    #[test]
    fn a_new_hash_is_written_as_a_phc_string() {
        let hash = Argon2idHash::new(
            Argon2Params::default(),
            None,
            &[7; SALT_BYTES],
            &[9; TAG_BYTES],
        );
        assert_eq!(hash.as_str(), ENCODED);
    }

    #[test]
    fn a_pepper_is_named_in_the_hash() {
        let id = PepperId([1, 2, 3, 4]);
        let hash = Argon2idHash::new(
            Argon2Params::default(),
            Some(id),
            &[7; SALT_BYTES],
            &[9; TAG_BYTES],
        );
        assert!(
            hash.as_str().contains("p=1,keyid=AQIDBA$"),
            "{}",
            hash.as_str()
        );
        assert_eq!(
            Argon2idHash::parse(hash.as_str()).unwrap().pepper(),
            Some(id)
        );
    }

    #[test]
    fn a_written_hash_is_read_back() {
        let hash = Argon2idHash::parse(ENCODED).unwrap();
        assert_eq!(hash.as_str(), ENCODED);
        assert_eq!(hash.params(), Argon2Params::default());
        assert_eq!(hash.pepper(), None);
        assert_eq!(hash.salt(), [7; SALT_BYTES]);
        assert_eq!(hash.tag_bytes(), TAG_BYTES);
    }

    #[test]
    fn only_the_whole_and_equal_tag_is_its_tag() {
        let hash = Argon2idHash::parse(ENCODED).unwrap();
        assert!(hash.has_tag(&[9; 32]));
        assert!(!hash.has_tag(&[9; 31]));
        assert!(!hash.has_tag(&[8; 32]));
        assert!(!hash.has_tag(&[]));
    }

    #[test]
    fn other_algorithms_versions_and_spellings_are_refused() {
        for (part, other) in [
            ("argon2id", "argon2i"),
            ("v=19", "v=16"),
            ("$v=19", ""),
            ("m=19456,t=2", "t=2,m=19456"),
            ("m=19456", "m=019456"),
            ("m=19456", "m=+19456"),
            ("m=19456", "m=99999999999"),
            ("p=1", "p=1,"),
            ("p=1", "p=1,keyid=AQ"),
            ("p=1", "p=1,keyid=AQIDBA,data=AA"),
            ("BwcH", "Bw=="),
            ("$CQkJ", "$-_kJ"),
            ("$argon2id", "argon2id"),
            ("$argon2id", "$$argon2id"),
        ] {
            let encoded = ENCODED.replacen(part, other, 1);
            assert_ne!(encoded, ENCODED);
            assert_eq!(
                Argon2idHash::parse(&encoded).unwrap_err(),
                Argon2idUnreadable::Malformed,
                "{encoded}"
            );
        }
    }

    #[test]
    fn salts_and_tags_of_unsafe_lengths_are_refused() {
        for (salt, tag) in [
            ("BwcHBwcHBw", "CQkJCQkJCQkJCQkJCQkJCQ"),
            ("BwcHBwcHBwc", "CQkJCQkJCQkJCQkJCQkJ"),
        ] {
            let encoded = format!("$argon2id$v=19$m=19456,t=2,p=1${salt}${tag}");
            assert_eq!(
                Argon2idHash::parse(&encoded).unwrap_err(),
                Argon2idUnreadable::Length,
                "{encoded}"
            );
        }
    }

    #[test]
    fn a_weak_hash_can_be_read_but_one_that_cannot_be_computed_cannot() {
        assert!(with_costs("m=4096,t=1,p=1").is_ok());
        assert!(matches!(
            with_costs("m=4294967295,t=9,p=1"),
            Err(Argon2idUnreadable::Params(_))
        ));
        assert!(matches!(
            with_costs("m=7,t=1,p=1"),
            Err(Argon2idUnreadable::Params(_))
        ));
        assert!(matches!(
            with_costs("m=19456,t=0,p=1"),
            Err(Argon2idUnreadable::Params(_))
        ));
    }

    #[test]
    fn a_hash_differs_when_parameters_pepper_or_lengths_do() {
        let current = Argon2Params::default();
        let hash = Argon2idHash::parse(ENCODED).unwrap();
        assert!(!hash.differs_from(current, None));
        assert!(hash.differs_from(current, Some(PepperId([1; 4]))));
        assert!(hash.differs_from(Argon2Params::new(65_536, 3, 4).unwrap(), None));
        let short = "$argon2id$v=19$m=19456,t=2,p=1$BwcHBwcHBwc$CQkJCQkJCQkJCQkJCQkJCQ";
        assert!(
            Argon2idHash::parse(short)
                .unwrap()
                .differs_from(current, None)
        );
    }

    #[test]
    fn debug_output_does_not_hold_the_hash() {
        assert_eq!(
            format!("{:?}", Argon2idHash::parse(ENCODED).unwrap()),
            "[redacted]"
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in any::<String>()) {
            let _ = Argon2idHash::parse(&text);
        }

        #[test]
        fn any_costs_are_read_as_they_are_written_or_refused(m: u32, t: u32, p in 0_u32..20) {
            if let Ok(hash) = with_costs(&format!("m={m},t={t},p={p}")) {
                let params = hash.params();
                prop_assert_eq!((params.memory_kib(), params.passes(), params.lanes()), (m, t, p));
            }
        }
    }
}
