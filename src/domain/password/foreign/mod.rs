//! Hashes that other systems made, one file for each family.
//!
//! They are imported to let people in with the password they have, and each is replaced by one of
//! our own at its owner's next sign-in. So a hash may be cheaper than a new one must be: it stood in
//! the other system as it is. What is refused is what was cheap by the standards of its own time,
//! and what would cost this service more than a second of a core or 129 MiB to verify.
//! `docs/import.md` has the table with its sources, and what each costs at the most.

mod argon2;
mod bcrypt;
mod encoding;
mod keycloak;
mod pbkdf2;
mod scrypt;
mod sha_crypt;

use std::fmt;

use thiserror::Error;

pub use argon2::{ForeignArgon2, Variant, Version};
pub use bcrypt::ForeignBcrypt;
pub use pbkdf2::{Digest, ForeignPbkdf2};
pub use scrypt::{Ending, ForeignScrypt};
pub use sha_crypt::ForeignShaCrypt;

/// Marks a stored hash as imported. A hash of our own begins with `$`.
const STORED: &str = "foreign:";

/// The longest text that is read as a hash, in bytes: Keycloak's and Firebase's are JSON.
const LONGEST: usize = 2_048;

/// A hash that another system made.
///
/// `Debug` prints `[redacted]`: whoever has a hash can try passwords against it.
#[derive(Clone)]
pub struct ForeignHash {
    /// The mark, and the hash in the one spelling that each kind has here.
    stored: String,
    made: Box<Made>,
}

/// How a foreign hash was made.
#[derive(Clone, PartialEq, Eq)]
pub enum Made {
    /// By Argon2 of any variant.
    Argon2(ForeignArgon2),
    /// By bcrypt.
    Bcrypt(ForeignBcrypt),
    /// By scrypt.
    Scrypt(ForeignScrypt),
    /// By PBKDF2.
    Pbkdf2(ForeignPbkdf2),
    /// By SHA-crypt.
    ShaCrypt(ForeignShaCrypt),
}

/// Why a hash cannot be imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ForeignRefused {
    /// The format's name is none of those in `docs/import.md`.
    #[error("is of a format that is not known")]
    UnknownFormat,
    /// The text is not what the format says.
    #[error("is not what its format says")]
    Malformed,
    /// Less was spent on it, or it is shorter, than is safe.
    #[error("has {found} {what}, and must have at least {least}")]
    TooLittle {
        /// What there is too little of.
        what: &'static str,
        /// How much there is.
        found: u64,
        /// How much there must be.
        least: u64,
    },
    /// It would cost too much to verify, or is longer than any such hash.
    #[error("has {found} {what}, and must have at most {most}")]
    TooMuch {
        /// What there is too much of.
        what: &'static str,
        /// How much there is.
        found: u64,
        /// How much there may be.
        most: u64,
    },
}

/// What a number of a hash is called, and how much of it there may be.
struct Bounds {
    what: &'static str,
    least: u64,
    most: u64,
}

impl Bounds {
    const fn new(what: &'static str, least: u64, most: u64) -> Self {
        Self { what, least, most }
    }

    fn check(&self, found: impl TryInto<u64>) -> Result<(), ForeignRefused> {
        let found = found.try_into().unwrap_or(u64::MAX);
        let Self { what, least, most } = *self;
        if found < least {
            return Err(ForeignRefused::TooLittle { what, found, least });
        }
        if found > most {
            return Err(ForeignRefused::TooMuch { what, found, most });
        }
        Ok(())
    }
}

/// RFC 9106 §3.1 and SP 800-132 §5.1 ask for more; systems older than they are made do with eight.
const SALT: Bounds = Bounds::new("bytes of salt", 8, 64);
/// 128 bits (SP 800-132 §5.3 asks for 112).
const TAG: Bounds = Bounds::new("bytes of hash", 16, 64);

impl ForeignHash {
    /// Reads a hash in the format of this name; an empty name stands for whatever the hash itself
    /// says it is.
    pub fn import(format: &str, encoded: &str) -> Result<Self, ForeignRefused> {
        if encoded.len() > LONGEST {
            return Err(ForeignRefused::Malformed);
        }
        let made = match format {
            "" => self_described(encoded),
            "argon2id" | "argon2i" | "argon2d" => argon2::phc(encoded)
                .filter(|hash| hash.variant.name() == format)
                .map(Made::Argon2),
            "bcrypt" => bcrypt::modular(encoded).map(Made::Bcrypt),
            "scrypt" => scrypt::phc(encoded).map(Made::Scrypt),
            "firebase-scrypt" => scrypt::firebase(encoded).map(Made::Scrypt),
            "pbkdf2" => pbkdf2::modular(encoded).map(Made::Pbkdf2),
            "aspnet-identity-v3" => pbkdf2::aspnet(encoded).map(Made::Pbkdf2),
            "sha-crypt" => sha_crypt::modular(encoded).map(Made::ShaCrypt),
            "keycloak" => keycloak::credential(encoded),
            "django" => django(encoded),
            "werkzeug" => werkzeug(encoded),
            _ => return Err(ForeignRefused::UnknownFormat),
        };
        let made = made.ok_or(ForeignRefused::Malformed)?;
        made.check()?;
        Ok(Self::of(made))
    }

    fn of(made: Made) -> Self {
        Self {
            stored: format!("{STORED}{}", made.encode()),
            made: Box::new(made),
        }
    }

    /// Whether a stored text says that it is an imported hash.
    pub(super) fn is_stored_as(stored: &str) -> bool {
        stored.starts_with(STORED)
    }

    /// Reads a hash that was imported. It is not judged again: the bounds of a later version must not
    /// lock anybody out.
    pub(super) fn read_stored(stored: &str) -> Result<Self, ForeignRefused> {
        stored
            .strip_prefix(STORED)
            .and_then(self_described)
            .map(Self::of)
            .filter(|hash| hash.stored == stored)
            .ok_or(ForeignRefused::Malformed)
    }

    /// The text for the store.
    #[must_use]
    pub fn stored(&self) -> &str {
        &self.stored
    }

    /// The hash in the spelling that it is exported in, and can be imported in again.
    #[must_use]
    pub fn encoded(&self) -> &str {
        &self.stored[STORED.len()..]
    }

    /// The name of the format of [`encoded`](Self::encoded).
    #[must_use]
    pub fn format(&self) -> &'static str {
        match &*self.made {
            Made::Argon2(hash) => hash.variant.name(),
            Made::Bcrypt(hash) if hash.of_sha256 => "django",
            Made::Bcrypt(_) => "bcrypt",
            Made::Scrypt(hash) => match hash.ending {
                Ending::Plain => "scrypt",
                Ending::Firebase => "firebase-scrypt",
            },
            Made::Pbkdf2(_) => "pbkdf2",
            Made::ShaCrypt(_) => "sha-crypt",
        }
    }

    /// How it was made.
    #[must_use]
    pub fn made(&self) -> &Made {
        &self.made
    }
}

impl fmt::Debug for ForeignHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl Made {
    fn check(&self) -> Result<(), ForeignRefused> {
        match self {
            Self::Argon2(hash) => hash.check(),
            Self::Bcrypt(hash) => hash.check(),
            Self::Scrypt(hash) => hash.check(),
            Self::Pbkdf2(hash) => hash.check(),
            Self::ShaCrypt(hash) => hash.check(),
        }
    }

    fn encode(&self) -> String {
        match self {
            Self::Argon2(hash) => hash.encode(),
            Self::Bcrypt(hash) => hash.encode(),
            Self::Scrypt(hash) => hash.encode(),
            Self::Pbkdf2(hash) => hash.encode(),
            Self::ShaCrypt(hash) => hash.encode(),
        }
    }
}

/// A hash whose first letters say what it is.
fn self_described(encoded: &str) -> Option<Made> {
    argon2::phc(encoded)
        .map(Made::Argon2)
        .or_else(|| bcrypt::modular(encoded).map(Made::Bcrypt))
        .or_else(|| scrypt::phc(encoded).map(Made::Scrypt))
        .or_else(|| scrypt::firebase_as_stored(encoded).map(Made::Scrypt))
        .or_else(|| pbkdf2::modular(encoded).map(Made::Pbkdf2))
        .or_else(|| sha_crypt::modular(encoded).map(Made::ShaCrypt))
        .or_else(|| django(encoded))
        .or_else(|| werkzeug(encoded))
}

/// Django: the name of a hasher, and what that hasher writes.
fn django(encoded: &str) -> Option<Made> {
    let (hasher, written) = encoded.split_once('$')?;
    match hasher {
        "argon2" => argon2::phc(&format!("${written}")).map(Made::Argon2),
        "bcrypt" => bcrypt::modular(written).map(Made::Bcrypt),
        "bcrypt_sha256" => bcrypt::modular(written)
            .map(ForeignBcrypt::of_sha256)
            .map(Made::Bcrypt),
        "scrypt" => scrypt::django(written).map(Made::Scrypt),
        "pbkdf2_sha1" => pbkdf2::django(Digest::Sha1, written).map(Made::Pbkdf2),
        "pbkdf2_sha256" => pbkdf2::django(Digest::Sha256, written).map(Made::Pbkdf2),
        _ => None,
    }
}

/// Werkzeug, as Flask uses it: `scrypt:N:r:p$salt$hex`, `pbkdf2:digest:iterations$salt$hex`.
fn werkzeug(encoded: &str) -> Option<Made> {
    let (method, rest) = encoded.split_once(':')?;
    match method {
        "scrypt" => scrypt::werkzeug(rest).map(Made::Scrypt),
        "pbkdf2" => pbkdf2::werkzeug(rest).map(Made::Pbkdf2),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
