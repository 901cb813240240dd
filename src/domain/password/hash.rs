//! What is kept of a password.

use thiserror::Error;

use super::{Argon2idHash, Argon2idUnreadable, ForeignHash, ForeignRefused};

/// The hash that an account's password is verified against: one of our own, or, until its owner
/// signs in for the first time, one that another system made.
#[derive(Debug, Clone)]
pub enum PasswordHash {
    /// Made here.
    Own(Argon2idHash),
    /// Made elsewhere and imported.
    Foreign(ForeignHash),
}

/// A stored text is no hash that can be verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum HashUnreadable {
    /// It is not one of ours.
    #[error(transparent)]
    Own(#[from] Argon2idUnreadable),
    /// It says that it was imported, and is of no form that hashes are imported in.
    #[error(transparent)]
    Foreign(#[from] ForeignRefused),
}

impl PasswordHash {
    /// Reads a stored hash.
    pub fn parse(stored: &str) -> Result<Self, HashUnreadable> {
        if ForeignHash::is_stored_as(stored) {
            return Ok(Self::Foreign(ForeignHash::read_stored(stored)?));
        }
        Ok(Self::Own(Argon2idHash::parse(stored)?))
    }

    /// The text for the store.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Own(own) => own.as_str(),
            Self::Foreign(foreign) => foreign.stored(),
        }
    }

    /// The hash as another system can import it, after the name of its format.
    #[must_use]
    pub fn exported(&self) -> (&'static str, &str) {
        match self {
            Self::Own(own) => ("argon2id", own.as_str()),
            Self::Foreign(foreign) => (foreign.format(), foreign.encoded()),
        }
    }
}

impl From<Argon2idHash> for PasswordHash {
    fn from(own: Argon2idHash) -> Self {
        Self::Own(own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARGON2ID: &str = "$argon2id$v=19$m=19456,t=2,p=1$BwcHBwcHBwcHBwcHBwcHBw$\
                            CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk";

    #[test]
    fn what_was_made_here_and_elsewhere_is_told_apart_even_if_it_is_spelled_the_same() {
        let own = PasswordHash::parse(ARGON2ID).unwrap();
        assert!(matches!(own, PasswordHash::Own(_)));
        assert_eq!(own.as_str(), ARGON2ID);

        let foreign = PasswordHash::Foreign(ForeignHash::import("argon2id", ARGON2ID).unwrap());
        assert_ne!(foreign.as_str(), own.as_str());
        let read = PasswordHash::parse(foreign.as_str()).unwrap();
        assert!(matches!(read, PasswordHash::Foreign(_)));
        assert_eq!(read.as_str(), foreign.as_str());
        assert_eq!(read.exported(), own.exported());
    }

    #[test]
    fn a_text_that_is_no_hash_is_refused() {
        for text in ["", "foreign:", "foreign:$9$salt$tag", "$2b$12$", "password"] {
            assert!(PasswordHash::parse(text).is_err(), "{text}");
        }
    }
}
