//! SHA-crypt, as in `/etc/shadow`.

use super::encoding::{crypt, named};
use super::{Bounds, ForeignRefused};

/// The floor is the format's own default. The ceiling is less than a second for the longest password that is read.
const ROUNDS: Bounds = Bounds::new("rounds", USUAL_ROUNDS, 1_000_000);
/// Salts longer than 16 characters are cut off by those who verify.
const SALT: Bounds = Bounds::new("characters of salt", 8, 16);
/// How many rounds a hash had that does not say.
const USUAL_ROUNDS: u64 = 5_000;

/// A hash by SHA-crypt.
#[derive(Clone, PartialEq, Eq)]
pub struct ForeignShaCrypt {
    /// `$6$rounds=…$salt$hash`, or `$5$…` with SHA-256; without rounds there were 5,000.
    pub modular: String,
    rounds: u64,
    salt_characters: usize,
}

impl ForeignShaCrypt {
    /// As many bytes of a password as are verified: every round costs as much as the password is long,
    /// and a stranger chooses the length.
    pub const MOST_BYTES: usize = 128;

    pub(super) fn check(&self) -> Result<(), ForeignRefused> {
        ROUNDS.check(self.rounds)?;
        SALT.check(self.salt_characters)
    }

    pub(super) fn encode(&self) -> String {
        self.modular.clone()
    }
}

/// Reads `$6$rounds=656000$salt$hash`, also with `5`, and without the rounds.
pub(super) fn modular(encoded: &str) -> Option<ForeignShaCrypt> {
    let fields: Vec<&str> = encoded.split('$').collect();
    let (digest, rounds, salt, tag) = match fields[..] {
        ["", digest, rounds, salt, tag] => (digest, named("rounds", rounds)?.into(), salt, tag),
        ["", digest, salt, tag] => (digest, USUAL_ROUNDS, salt, tag),
        _ => return None,
    };
    let bytes = match digest {
        "5" => 32,
        "6" => 64,
        _ => return None,
    };
    let letter = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'/');
    if crypt(tag)?.len() != bytes || !salt.bytes().all(letter) {
        return None;
    }
    Some(ForeignShaCrypt {
        modular: encoded.to_owned(),
        rounds,
        salt_characters: salt.len(),
    })
}
