//! bcrypt in its modular form, and Django's bcrypt of a SHA-256.

use super::encoding::number;
use super::{Bounds, ForeignRefused};

/// bcrypt's digits of base64, by their values.
const DIGITS: &[u8; 64] = b"./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// The floor is that of OWASP Password Storage. The ceiling, which some systems are at, is the dearest of all hashes: a
/// second of a core, and two if the password is tried in both of its spellings.
const COST: Bounds = Bounds::new("as its cost", 10, 14);

/// A hash by bcrypt.
#[derive(Clone, PartialEq, Eq)]
pub struct ForeignBcrypt {
    /// `$2b$12$`, then 22 characters of salt and 31 of hash.
    pub modular: String,
    /// The binary logarithm of the rounds.
    pub cost: u32,
    /// Whether it is not the password that was hashed but its SHA-256 in hexadecimal digits.
    pub of_sha256: bool,
}

impl ForeignBcrypt {
    /// As many bytes of a password as bcrypt reads. What is longer is not verified: systems cut it
    /// off, and whoever knows the first 72 bytes would get in.
    pub const MOST_BYTES: usize = 72;

    pub(super) fn of_sha256(self) -> Self {
        Self {
            of_sha256: true,
            ..self
        }
    }

    pub(super) fn check(&self) -> Result<(), ForeignRefused> {
        COST.check(self.cost)
    }

    pub(super) fn encode(&self) -> String {
        let hasher = if self.of_sha256 { "bcrypt_sha256$" } else { "" };
        format!("{hasher}{}", self.modular)
    }
}

/// Reads `$2b$12$…`, also with `2a` and `2y`, which mean the same since 2014. `2x` marks the hashes of
/// a faulty program.
pub(super) fn modular(encoded: &str) -> Option<ForeignBcrypt> {
    let fields: Vec<&str> = encoded.split('$').collect();
    let ["", version @ ("2a" | "2b" | "2y"), cost, rest] = fields[..] else {
        return None;
    };
    let (salt, tag) = rest.split_at_checked(22)?;
    if cost.len() != 2 || tag.len() != 31 {
        return None;
    }
    // 22 digits have room for four bits more than a salt has, 31 for two more than a hash.
    let (salt, tag) = (canonical(salt, 4)?, canonical(tag, 2)?);
    Some(ForeignBcrypt {
        modular: format!("${version}${cost}${salt}{tag}"),
        cost: number(cost.strip_prefix('0').unwrap_or(cost))?,
        of_sha256: false,
    })
}

/// The digits with the bits that mean nothing set to zero, as some systems leave there what chance brought.
fn canonical(digits: &str, spare_bits: u32) -> Option<String> {
    let value = |digit: u8| DIGITS.iter().position(|known| *known == digit);
    if !digits.bytes().all(|digit| value(digit).is_some()) {
        return None;
    }
    let (last, others) = digits.as_bytes().split_last()?;
    let last = DIGITS[value(*last)? >> spare_bits << spare_bits];
    let others = std::str::from_utf8(others).ok()?;
    Some(format!("{others}{}", char::from(last)))
}
