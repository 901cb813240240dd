//! Peppers: secrets that go into every hash and are kept apart from the database, so that a stolen
//! copy of it verifies nothing (SP 800-63B-4 §3.1.1.2, OWASP Password Storage).

mod file;

pub use file::PeppersUnreadable;

use std::fmt;

use data_encoding::{BASE64_NOPAD, HEXLOWER};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::domain::drawn::DRAWN_LENGTH;

/// Which pepper went into a hash. Written into the hash as Argon2's `keyid`, and shown to people as
/// eight hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PepperId(pub [u8; 4]);

impl PepperId {
    /// Reads eight lower-case hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = HEXLOWER.decode(text.as_bytes()).ok()?;
        bytes.try_into().ok().map(Self)
    }

    /// The id as hashes name it.
    #[must_use]
    pub fn keyid(self) -> String {
        BASE64_NOPAD.encode(&self.0)
    }

    /// Reads the id as hashes name it.
    #[must_use]
    pub fn of_keyid(keyid: &str) -> Option<Self> {
        let bytes = BASE64_NOPAD.decode(keyid.as_bytes()).ok()?;
        bytes.try_into().ok().map(Self)
    }
}

impl fmt::Display for PepperId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for PepperId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PepperId({self})")
    }
}

/// One secret, of 256 random bits.
#[derive(Clone)]
struct Pepper {
    id: PepperId,
    secret: Zeroizing<[u8; DRAWN_LENGTH]>,
}

/// Why a change to the peppers was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PepperChangeRefused {
    /// There is none of that id.
    #[error("there is no pepper {0}")]
    Unknown(PepperId),
    /// A new one's id is taken.
    #[error("there is a pepper {0} already")]
    Taken(PepperId),
}

/// The peppers of an installation. One of them, if there is any, goes into new hashes; the others
/// verify the hashes they went into before.
#[derive(Clone, Default)]
pub struct Peppers {
    /// In the order they were added.
    peppers: Vec<Pepper>,
    current: usize,
}

impl Peppers {
    /// One pepper, which goes into new hashes. The secret must come from a CSPRNG.
    #[must_use]
    pub fn of(id: PepperId, secret: [u8; DRAWN_LENGTH]) -> Self {
        let secret = Zeroizing::new(secret);
        Self {
            peppers: vec![Pepper { id, secret }],
            current: 0,
        }
    }

    /// Adds one that verifies; every replica must have it before it is promoted.
    pub fn add(
        &mut self,
        id: PepperId,
        secret: [u8; DRAWN_LENGTH],
    ) -> Result<(), PepperChangeRefused> {
        if self.secret(id).is_some() {
            return Err(PepperChangeRefused::Taken(id));
        }
        let secret = Zeroizing::new(secret);
        self.peppers.push(Pepper { id, secret });
        Ok(())
    }

    /// Makes a pepper the one of new hashes.
    pub fn promote(&mut self, id: PepperId) -> Result<(), PepperChangeRefused> {
        let place = self.ids().position(|known| known == id);
        self.current = place.ok_or(PepperChangeRefused::Unknown(id))?;
        Ok(())
    }

    /// The one that goes into new hashes.
    #[must_use]
    pub fn current(&self) -> Option<PepperId> {
        self.peppers.get(self.current).map(|pepper| pepper.id)
    }

    /// Every one, in the order they were added.
    pub fn ids(&self) -> impl Iterator<Item = PepperId> {
        self.peppers.iter().map(|pepper| pepper.id)
    }

    /// The secret of this one.
    #[must_use]
    pub fn secret(&self, id: PepperId) -> Option<&[u8; DRAWN_LENGTH]> {
        let pepper = self.peppers.iter().find(|pepper| pepper.id == id)?;
        Some(&pepper.secret)
    }
}

/// The secrets stay out of logs.
impl fmt::Debug for Peppers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peppers")
            .field("current", &self.current())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: PepperId = PepperId([1; 4]);
    const TWO: PepperId = PepperId([2; 4]);

    #[test]
    fn a_promoted_pepper_is_current_and_the_others_go_on_verifying() {
        let mut peppers = Peppers::of(ONE, [1; 32]);
        peppers.add(TWO, [2; 32]).unwrap();
        assert_eq!(peppers.current(), Some(ONE));
        peppers.promote(TWO).unwrap();
        assert_eq!(peppers.current(), Some(TWO));
        assert_eq!(peppers.secret(ONE), Some(&[1; 32]));
        assert_eq!(peppers.secret(TWO), Some(&[2; 32]));
        assert_eq!(
            peppers.add(ONE, [3; 32]),
            Err(PepperChangeRefused::Taken(ONE))
        );
        let three = PepperId([3; 4]);
        assert_eq!(
            peppers.promote(three),
            Err(PepperChangeRefused::Unknown(three))
        );
        assert_eq!(peppers.current(), Some(TWO));
    }

    #[test]
    fn without_peppers_none_is_current() {
        assert_eq!(Peppers::default().current(), None);
        assert_eq!(Peppers::default().secret(ONE), None);
    }

    #[test]
    fn an_id_is_read_as_it_is_written() {
        let id = PepperId([0x1f, 0x2e, 0x3d, 0x4c]);
        assert_eq!(id.to_string(), "1f2e3d4c");
        assert_eq!(PepperId::parse("1f2e3d4c"), Some(id));
        assert_eq!(PepperId::of_keyid(&id.keyid()), Some(id));
        for text in ["", "1f2e3d", "1F2E3D4C", "1f2e3d4c5b"] {
            assert_eq!(PepperId::parse(text), None, "{text}");
        }
        for keyid in ["", "AQ", "AQIDBA==", "AQIDBAU"] {
            assert_eq!(PepperId::of_keyid(keyid), None, "{keyid}");
        }
    }

    #[test]
    fn no_secret_is_printed() {
        let shown = format!("{:?}", Peppers::of(ONE, [0xab; 32]));
        assert!(!shown.contains("171"), "{shown}");
    }
}
